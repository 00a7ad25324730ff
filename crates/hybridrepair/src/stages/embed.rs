use super::cached::{Images, cached};
use crate::{
    Error, Run, Session,
    arrays::{read_array, write_array},
};
use hybridrepair_core::{Embeddings, Evidence, Probs};
use hybridrepair_embed::Extractor;
use hybridrepair_torch::predict;

/// Predictions, penultimate features and embeddings of the field pool by the model under repair.
///
/// # Errors
/// When libtorch fails, the model gives NaN, or given embeddings do not fit the pool.
pub fn embed(session: &Session, run: &mut Run<'_>, evidence: &mut Evidence) -> Result<(), Error> {
    run.stage("embed", |run| {
        let images = &session.splits.field.images;
        let key = session.key("predict", 1);
        let ((probs, features), cost) = cached(
            session,
            run,
            &key,
            |_, folder| {
                let out = predict(&session.model, images, &session.normalizer)?;
                write_array(&folder.join("logits.npy"), &out.logits)?;
                write_array(&folder.join("features.npy"), &out.features)?;
                Ok(Images { trained: 0, forward: images.len() as u64 })
            },
            |folder| {
                let probs = Probs::from_logits(&read_array(&folder.join("logits.npy"))?)?;
                Ok((probs, Embeddings::new(read_array(&folder.join("features.npy"))?)?))
            },
        )?;
        let extractor: Extractor = session.config.extractor.parse()?;
        evidence.embeddings = Some(extractor.embeddings(&features, session.pool.len())?);
        evidence.features = Some(features);
        evidence.probs = Some(probs);
        Ok(((), cost))
    })
}

/// Embeddings and penultimate features of the source data, for strategies that count it as covered.
///
/// # Errors
/// As [`embed`].
pub fn source_embeddings(session: &Session, run: &mut Run<'_>, evidence: &mut Evidence) -> Result<(), Error> {
    run.stage("embed-source", |run| {
        let train = &session.splits.train;
        let key = session.key("predict-source", 1);
        let (features, cost) = cached(
            session,
            run,
            &key,
            |_, folder| {
                let out = predict(&session.model, &train.images, &session.normalizer)?;
                write_array(&folder.join("features.npy"), &out.features)?;
                Ok(Images { trained: 0, forward: train.images.len() as u64 })
            },
            |folder| Ok(Embeddings::new(read_array(&folder.join("features.npy"))?)?),
        )?;
        let extractor: Extractor = session.config.extractor.parse()?;
        // given embeddings cover the field pool alone
        let embeddings = matches!(extractor, Extractor::Penultimate).then(|| features.clone());
        let (features, labels) = (Some(features), train.labels.clone());
        evidence.source = Some(hybridrepair_core::Source { embeddings, features, labels });
        Ok(((), cost))
    })
}
