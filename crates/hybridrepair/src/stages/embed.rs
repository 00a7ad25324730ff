use super::cached::{Images, cached};
use crate::{
    Error, Run, Session,
    arrays::{read_array, write_array},
    encode::{encode, files_of},
    run::Cost,
    session::parameters,
};
use hybridrepair_core::{Embeddings, Evidence, Probs};
use hybridrepair_embed::{Extractor, Given, open, read_embeddings};
use hybridrepair_runs::Fingerprint;
use hybridrepair_torch::{Encoder, Predictions, predict};
use ndarray::Array2;
use std::path::Path;

/// Which pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Field,
    Source,
}

impl Of {
    fn images(self, session: &Session) -> &hybridrepair_data::Images {
        match self {
            Self::Field => &session.splits.field.images,
            Self::Source => &session.splits.train.images,
        }
    }

    /// The stage's name, by what is computed.
    fn name(self, field: &'static str, source: &'static str) -> &'static str {
        if self == Self::Field { field } else { source }
    }
}

/// What the model under repair says to some pictures.
#[derive(Clone, Debug)]
pub struct Said {
    /// `n x C`.
    pub logits: Array2<f32>,
    /// `n x D`.
    pub features: Array2<f32>,
}

impl Said {
    fn write(&self, folder: &Path) -> Result<(), Error> {
        write_array(&folder.join("logits.npy"), &self.logits)?;
        write_array(&folder.join("features.npy"), &self.features)
    }

    fn read(folder: &Path) -> Result<Self, Error> {
        let (logits, features) = (read_array(&folder.join("logits.npy"))?, read_array(&folder.join("features.npy"))?);
        Ok(Self { logits, features })
    }
}

/// Predictions, penultimate features and embeddings of the field pool.
///
/// # Errors
/// When libtorch fails, the model gives NaN, or given embeddings do not fit the pool.
pub fn embed(session: &Session, run: &mut Run<'_>, evidence: &mut Evidence) -> Result<Said, Error> {
    run.stage("embed", |run| {
        let images = &session.splits.field.images;
        let key = session.key("predict", 1);
        let (said, cost) = cached(
            session,
            run,
            &key,
            |_, folder| {
                let Predictions { logits, features } = predict(&session.model, images, &session.normalizer)?;
                Said { logits, features }.write(folder)?;
                Ok(Images { trained: 0, forward: images.len() as u64 })
            },
            Said::read,
        )?;
        let (probs, features) = (Probs::from_logits(&said.logits)?, Embeddings::new(said.features.clone())?);
        let (embeddings, more) = embeddings(session, run, Of::Field, &features)?;
        evidence.embeddings = embeddings;
        evidence.features = Some(features);
        evidence.probs = Some(probs);
        Ok((said, both(cost, more)))
    })
}

/// Embeddings and penultimate features of the source data, for strategies that count it as covered.
///
/// # Errors
/// As [`embed`].
pub fn source_embeddings(session: &Session, run: &mut Run<'_>, evidence: &mut Evidence) -> Result<Said, Error> {
    run.stage("embed-source", |run| {
        let train = &session.splits.train;
        let key = session.key("predict-source", 2);
        let (said, cost) = cached(
            session,
            run,
            &key,
            |_, folder| {
                let Predictions { logits, features } = predict(&session.model, &train.images, &session.normalizer)?;
                Said { logits, features }.write(folder)?;
                Ok(Images { trained: 0, forward: train.images.len() as u64 })
            },
            Said::read,
        )?;
        let features = Embeddings::new(said.features.clone())?;
        let (embeddings, more) = embeddings(session, run, Of::Source, &features)?;
        let (features, labels) = (Some(features), train.labels.clone());
        evidence.source = Some(hybridrepair_core::Source { embeddings, features, labels });
        Ok((said, both(cost, more)))
    })
}

/// Embeddings by the session's extractor, each row of unit length; `None` where it knows the field pool alone.
fn embeddings(
    session: &Session,
    run: &mut Run<'_>,
    of: Of,
    penultimate: &Embeddings,
) -> Result<(Option<Embeddings>, Cost), Error> {
    let nothing = Cost { cached: true, seconds: Some(0.0), ..Cost::default() };
    Ok(match session.config.extractor.parse()? {
        // rows of the source keep their length, as they always have here
        Extractor::Penultimate if of == Of::Source => (Some(penultimate.clone()), nothing),
        Extractor::Penultimate => (Some(penultimate.normalized()), nothing),
        Extractor::Npy(_) if of == Of::Source => (None, nothing),
        Extractor::Npy(file) => (Some(read_embeddings(&file, session.pool.len())?), nothing),
        Extractor::PenultimateViews => {
            let (rows, cost) = over_views(session, run, of)?;
            (Some(rows.normalized()), cost)
        }
        Extractor::Network(file) => {
            let (rows, cost) = by_network(session, run, of, &file)?;
            (Some(rows.normalized()), cost)
        }
    })
}

/// Penultimate features averaged over the views by which unsmoothness is measured.
fn over_views(session: &Session, run: &mut Run<'_>, of: Of) -> Result<(Embeddings, Cost), Error> {
    let settings = session.config.finetune.consistency.clone().unwrap_or_default();
    let views = (settings.views, settings.severity, settings.max_depth, session.config.seed);
    let key = parameters(session.key(of.name("view-features", "view-features-source"), 1), &views)?;
    let images = of.images(session);
    let maker = session.views_of(images, of.name("views", "views-source"))?;
    cached(
        session,
        run,
        &key,
        |_, folder| {
            let encoder = Encoder::new(session.model.duplicate()?, Vec::new())?;
            let rows = encoder.encode_views(&maker, (images.height(), images.width()))?;
            write_array(&folder.join("embeddings.npy"), &rows)?;
            Ok(Images { trained: 0, forward: (images.len() * (settings.views + 1)) as u64 })
        },
        read,
    )
}

/// Embeddings by a network of its own.
fn by_network(session: &Session, run: &mut Run<'_>, of: Of, file: &Path) -> Result<(Embeddings, Cost), Error> {
    let given = Given { normalization: session.config.extractor_normalization, input: session.config.extractor_input };
    let key = session.key(of.name("extract", "extract-source"), 1).input("extractor", Fingerprint::of_file(file)?);
    let key = parameters(key, &(given.normalization, given.input))?;
    let images = of.images(session);
    let (found, cost) = cached(
        session,
        run,
        &key,
        |_, folder| {
            let opened = open(file, &given, session.runtime.device)?;
            let ids = if of == Of::Field { &session.splits.field.ids } else { &session.splits.train.ids };
            let files = files_of(&session.splits, ids);
            write_array(&folder.join("embeddings.npy"), &encode(&opened, images, files.as_deref())?)?;
            Ok(Images { trained: 0, forward: images.len() as u64 })
        },
        read,
    )?;
    if of == Of::Field
        && let Some(meta) = hybridrepair_embed::ExtractorMeta::read(file)?
    {
        run.images_pretrain = meta.images_trained;
    }
    Ok((found, cost))
}

fn read(folder: &Path) -> Result<Embeddings, Error> {
    Ok(Embeddings::new(read_array(&folder.join("embeddings.npy"))?)?)
}

/// What two steps of one stage cost.
fn both(a: Cost, b: Cost) -> Cost {
    Cost {
        cached: a.cached && b.cached,
        seconds: Some(a.seconds.unwrap_or(0.0) + b.seconds.unwrap_or(0.0)),
        images_trained: a.images_trained + b.images_trained,
        images_forward: a.images_forward + b.images_forward,
    }
}
