use super::Repaired;
use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{
    calibrated,
    prior::{class_frequencies, em_prior},
    temperature,
};
use hybridrepair_runs::Metric;
use hybridrepair_torch::{Model, predict, restate_batch_norm, save_checkpoint};
use hybridrepair_train::shuffled_batches;

/// Pictures per step of the re-estimation: enough for the statistics of a batch to be those of the field.
const BATCH: usize = 128;

/// No class becomes this much more or less frequent than in the source.
pub(super) const LIMIT: f64 = 10.0;

/// Repairs without a label: batch-norm statistics are estimated anew on the field where that is asked for
/// (Li et al. 2018; Schneider et al. 2020), then the logits are moved by the change of the class frequencies, found by expectation maximisation on predictions that are
/// calibrated on the validation split (Saerens et al. 2002; Alexandari et al. 2020).
///
/// # Errors
/// When libtorch fails or the model gives NaN.
pub fn zero_label(session: &Session, run: &mut Run<'_>, before: &Model) -> Result<Repaired, Error> {
    run.stage("zero-label", |run| {
        let model = before.duplicate()?;
        let splits = &session.splits;
        let mut rng = session.streams.named("zero-label");
        let batches = shuffled_batches(splits.field.images.len(), BATCH, true, &mut rng);
        let parts = &session.config.zero_label;
        let mut forward = 0;
        if parts.batch_norm {
            forward += restate_batch_norm(&model, &splits.field.images, &session.normalizer, &batches);
        }
        let source = class_frequencies(&splits.train.labels, splits.class_names.len());
        let held_out = predict(&model, &splits.val.images, &session.normalizer)?.logits;
        let t = temperature(&held_out, &splits.val.labels);
        let field = calibrated(&predict(&model, &splits.field.images, &session.normalizer)?.logits, t)?;
        let prior = em_prior(&field, &source, LIMIT, 100);
        // a class that the source lacks is not moved
        let ratio = |(p, s): (&f64, &f64)| if *s > 0.0 { (p / s).ln() * t } else { 0.0 };
        let shift = prior.iter().zip(&source).map(|pair| ratio(pair) as f32);
        let moved = parts.prior && model.add_to_logits(&shift.collect::<Vec<_>>());
        let mut metric = Metric::of("zero-label");
        metric.more.insert("temperature".to_owned(), Some(t));
        metric.more.insert("logits_moved".to_owned(), Some(f64::from(u8::from(moved))));
        for (c, p) in prior.iter().enumerate() {
            metric.more.insert(format!("prior_{c}"), Some(*p));
        }
        run.metrics.record(&metric)?;
        let layout = run.dir.layout();
        save_checkpoint(&layout.checkpoint("best"), &model, &session.meta, false)?;
        model.save_script(&layout.checkpoint("best").with_extension("pt"))?;
        let predicted = (splits.val.images.len() + splits.field.images.len()) as u64;
        let repaired = Repaired { model, epoch: 0, epochs: Vec::new(), least_entropy: None, cheap: false };
        Ok((repaired, Cost { images_forward: forward + predicted, ..Cost::default() }))
    })
}
