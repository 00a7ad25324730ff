use super::{
    Said,
    cached::{Images, cached},
};
use crate::{Error, Layers, Run, Session, session::parameters};
use hybridrepair_core::{ClassId, Evidence, Views};
use hybridrepair_data::{Images as Pictures, RandAugment};
use hybridrepair_finetune::{Kept, KeptViews};
use hybridrepair_torch::{Kind, Model, Tensor, Trunk, load_tensors, nhwc_tensor, save_tensors};
use ndarray::{Array2, Axis};
use std::rc::Rc;

/// Pictures by which the last dense layer is found.
const PROBE: usize = 8;

/// What the cheap tier works on: outputs of a frozen trunk for views of all pictures.
pub struct Behind {
    /// Where the network is cut.
    pub trunk: Rc<Trunk>,
    /// Weak views of source pictures, view by view; before the head the first is the picture as it is.
    pub source: KeptViews,
    /// Their classes.
    pub classes: Vec<ClassId>,
    /// Weak views of field pictures, as those of the source.
    pub weak: KeptViews,
    /// Strong views of field pictures.
    pub strong: KeptViews,
    /// The validation split as it is.
    pub val: Tensor,
}

impl Session {
    /// Where the cheap tier cuts the network.
    ///
    /// # Errors
    /// When nothing can be trained on features.
    pub fn trunk(&self) -> Result<Trunk, Error> {
        let cheap = &self.config.cheap;
        let images = &self.splits.field.images;
        let mut pixels = vec![0f32; PROBE.min(images.len()) * images.stride()];
        for (row, out) in pixels.chunks_exact_mut(images.stride()).enumerate() {
            self.normalizer.apply(images.get(row), out);
        }
        let probe = nhwc_tensor(&pixels, images.height(), images.width(), self.model.device());
        if cheap.layers != Layers::Head
            && let Some(block) = Trunk::before_last_block(&self.model, &probe)
            && (cheap.layers == Layers::Block || self.kept_mib(&block, Kind::Half) <= cheap.memory_mib as f64)
        {
            return Ok(block);
        }
        Ok(Trunk::before_head(&self.model, &probe)?)
    }

    /// Source pictures that the cheap tier replays.
    pub fn replayed(&self) -> Vec<usize> {
        let (n, most) = (self.splits.train.images.len(), self.config.cheap.source_images);
        if n <= most {
            return (0..n).collect();
        }
        let mut rows = rand::seq::index::sample(&mut self.streams.named("trunk.source"), n, most).into_vec();
        rows.sort_unstable();
        rows
    }

    /// Views of all pictures that the cheap tier keeps outputs of.
    pub fn kept_views(&self) -> usize {
        let (c, s) = (&self.config.cheap, &self.splits);
        let source = s.train.images.len().min(c.source_images) * c.source;
        source + s.field.images.len() * (c.weak + c.strong) + s.val.images.len()
    }

    /// Pictures that are run through the trunk for them: before the head, the first weak view of each is the picture as it is,
    /// to which the model has spoken already.
    pub fn trunk_passes(&self, trunk: &Trunk) -> usize {
        let (c, s) = (&self.config.cheap, &self.splits);
        let known = s.train.images.len().min(c.source_images) + s.field.images.len();
        self.kept_views() - if trunk.is_before_head() { known } else { 0 }
    }

    /// MiB that the kept outputs take.
    pub fn kept_mib(&self, trunk: &Trunk, kind: Kind) -> f64 {
        let bytes = if kind == Kind::Half { 2 } else { 4 };
        (self.kept_views() * trunk.numbers() * bytes) as f64 / 1_048_576.0
    }
}

/// Runs all pictures through the frozen trunk, each in some views, and gives selection what the model says to those of the
/// field. `said` is what it has said to the source and the field as they are.
///
/// # Errors
/// When nothing can be trained on features, libtorch fails, or the model gives NaN.
pub fn trunk(session: &Session, run: &mut Run<'_>, said: [&Said; 2], evidence: &mut Evidence) -> Result<Behind, Error> {
    run.stage("trunk", |run| {
        let cheap = &session.config.cheap;
        let trunk = session.trunk()?;
        // features are few; outputs of a block are many, and half precision does for them
        let kind = if trunk.trained().len() > 2 { Kind::Half } else { Kind::Float };
        let rows = session.replayed();
        let matching = &session.config.matching;
        let strong = RandAugment { ops: matching.ops, cutout: matching.cutout, weak: session.config.data.transform() };
        let views = (cheap.weak, cheap.strong, cheap.source, cheap.source_images, session.config.seed);
        let settings = (views, strong.ops, strong.cutout, trunk.trained(), trunk.numbers());
        let key = parameters(session.key("trunk", 2), &settings)?;
        let splits = &session.splits;
        let (kept, cost) = cached(
            session,
            run,
            &key,
            |run, folder| {
                let weak = |images: &Pictures, rows: &[usize], views: usize, name: &str, said: &Said| {
                    let of = |a: &Array2<f32>| a.select(Axis(0), rows);
                    let kept = trunk.kept_of(&session.model, &of(&said.logits), &of(&said.features));
                    let more = views - usize::from(kept.is_some());
                    let varied = (more > 0).then(|| session.keep(&trunk, images, rows, more, kind, name, None));
                    Tensor::cat(&kept.into_iter().chain(varied).collect::<Vec<_>>(), 0)
                };
                let all = (0..splits.field.images.len()).collect::<Vec<_>>();
                let val = (0..splits.val.images.len()).collect::<Vec<_>>();
                run.progress.say("running all pictures through the frozen trunk, once");
                let tensors = [
                    ("source", weak(&splits.train.images, &rows, cheap.source, "trunk.source-views", said[0])),
                    ("weak", weak(&splits.field.images, &all, cheap.weak, "trunk.weak", said[1])),
                    (
                        "strong",
                        session.keep(
                            &trunk,
                            &splits.field.images,
                            &all,
                            cheap.strong,
                            kind,
                            "trunk.strong",
                            Some(strong),
                        ),
                    ),
                    ("val", session.keep(&trunk, &splits.val.images, &val, 0, kind, "", None)),
                ]
                .map(|(name, t)| (name.to_owned(), t));
                save_tensors(&folder.join("kept.safetensors"), &tensors, kind, None)?;
                Ok(Images { trained: 0, forward: session.trunk_passes(&trunk) as u64 })
            },
            |folder| Ok(load_tensors(&folder.join("kept.safetensors"))?),
        )?;
        let find = |name: &str| {
            let found = kept.iter().find(|(n, _)| n == name).map(|(_, t)| t.to_kind(kind));
            found.ok_or_else(|| Error::Config(format!("kept outputs of a frozen trunk lack {name:?}")))
        };
        let n = splits.field.images.len();
        let behind = Behind {
            trunk: Rc::new(trunk),
            classes: rows.iter().map(|&r| splits.train.labels[r]).collect(),
            source: KeptViews { kept: find("source")?, n: rows.len() },
            weak: KeptViews { kept: find("weak")?, n },
            strong: KeptViews { kept: find("strong")?, n },
            val: find("val")?,
        };
        evidence.views = Some(behind.views(&session.model)?);
        let mut metric = hybridrepair_runs::Metric::of("trunk");
        metric.more.insert("numbers_per_view".to_owned(), Some(behind.trunk.numbers() as f64));
        metric.more.insert("trained_tensors".to_owned(), Some(behind.trunk.trained().len() as f64));
        run.metrics.record(&metric)?;
        Ok((behind, cost))
    })
}

impl Session {
    /// Outputs of the trunk for some rows, view by view; with no views, for the pictures as they are.
    #[expect(clippy::too_many_arguments, reason = "one call for source, field and validation pictures")]
    fn keep(
        &self,
        trunk: &Trunk,
        images: &Pictures,
        rows: &[usize],
        views: usize,
        kind: Kind,
        name: &str,
        strong: Option<RandAugment>,
    ) -> Tensor {
        let (size, weak, n) = (self.size(), self.config.data.transform(), rows.len());
        let (normalizer, streams) = (&self.normalizer, self.streams);
        trunk.keep(&self.model, n * views.max(1), size, kind, |i, out| {
            let picture = images.get(rows[i % n]);
            let mut rng = streams.at(name, (i / n) as u64, rows[i % n] as u64);
            match strong {
                _ if views == 0 => normalizer.apply(picture, out),
                Some(strong) => strong.apply(picture, size, normalizer, &mut rng, &mut Default::default(), out),
                None => weak.apply(picture, size, normalizer, &mut rng, out),
            }
        })
    }
}

impl Behind {
    /// The trunk, and what it gave to the field as it is, where that was kept.
    pub(super) fn as_they_are(&self) -> Option<(&Trunk, Tensor)> {
        self.trunk.is_before_head().then(|| (&*self.trunk, self.weak.view(0)))
    }

    /// Mean and variance of the probabilities over all kept views of the field.
    fn views(&self, model: &Model) -> Result<Views, Error> {
        let each = [&self.weak, &self.strong].into_iter().flat_map(|v| (0..v.views()).map(move |i| v.view(i)));
        let shape = (self.weak.n, model.spec().classes);
        let (mut sum, mut squares, mut count) = (Array2::<f64>::zeros(shape), Array2::<f64>::zeros(shape), 0.0);
        for view in each {
            let p = self.trunk.probs(model, &view).mapv(f64::from);
            squares += &(&p * &p);
            sum += &p;
            count += 1.0;
        }
        let mean = sum / f64::max(count, 1.0);
        let spread = (squares - &mean * &mean * count) / f64::max(count - 1.0, 1.0);
        let variance = spread.mapv(|v| v.max(0.0)).sum_axis(Axis(1)).mapv(|v| v as f32);
        Ok(Views::from_moments(mean.mapv(|p| p as f32), variance)?)
    }

    /// What weak-to-strong training takes; the memory is shared.
    pub(super) fn kept(&self) -> Kept {
        let share = |v: &KeptViews| KeptViews { kept: v.kept.shallow_clone(), n: v.n };
        Kept {
            trunk: Rc::clone(&self.trunk),
            source: share(&self.source),
            weak: share(&self.weak),
            strong: share(&self.strong),
        }
    }
}
