use crate::{Pictures, TailEvaluator, locate, network};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_patch::{
    Cases, Change, Evaluator, Found, Localized, Objective, Outcome, PatchError, Positives, Precision, Search,
    TensorFile, refine,
};
use hybridrepair_torch::{Model, Predictions, predict_with};

/// A repair of weights of any layers, located by Arachne v2.
#[derive(Debug)]
pub struct InnerRequest<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its file, which says how numbers are stored.
    pub file: &'a TensorFile,
    /// Labelled pictures.
    pub pictures: Pictures<'a>,
    /// Rows of them to search on.
    pub rows: &'a [usize],
    /// The class under repair; all without one.
    pub class: Option<ClassId>,
    /// Names of the weights of the layers; all convolutions and dense layers if empty.
    pub layers: &'a [String],
    /// Finds the values.
    pub search: &'a dyn Search,
    /// Which right samples are watched.
    pub positives: Positives,
    /// What is maximised.
    pub objective: Objective,
    /// Classes of which no right sample may break.
    pub protected: &'a [ClassId],
    /// Whether weights that bring nothing are put back and the rest is searched again.
    pub refine: bool,
    /// The seed of all randomness.
    pub seed: u64,
}

/// Locates weights over the layers and searches their values.
///
/// # Errors
/// When nothing is wrong, a layer is unknown, or libtorch fails.
pub fn repair_inner(request: &InnerRequest<'_>) -> Result<Found, PatchError> {
    request.objective.check()?;
    let InnerRequest { model, pictures, rows, class, .. } = *request;
    let streams = Streams::new(request.seed);
    let before = predictions(model, &pictures, rows)?;
    let labels = rows.iter().map(|&row| pictures.labels[row]).collect::<Vec<_>>();
    let said = before.classes();
    let all = Cases::new(&said, &labels, class, None)?;
    let mut rng = streams.named("patch-positives");
    let watched = request.positives.sample(&all.positives, &labels, &before.logits, class, &mut rng)?;
    let of = |list: &[usize]| list.iter().map(|&i| rows[i]).collect::<Vec<_>>();
    let cases = Cases { negatives: of(&all.negatives), positives: of(&watched) };
    let few = Positives::Proportional(all.negatives.len());
    let right =
        of(&few.sample(&all.positives, &labels, &before.logits, class, &mut streams.named("patch-localize"))?);
    let layers = if request.layers.is_empty() { weight_layers(model) } else { request.layers.to_vec() };
    let localized: Vec<Localized> = locate(model, &pictures, &cases.negatives, &right, &layers)?;
    let weights = localized
        .iter()
        .map(|l| Ok((l.weight.clone(), request.file.precision(&l.weight.tensor)?)))
        .collect::<Result<Vec<(_, Precision)>, PatchError>>()?;
    let evaluator = TailEvaluator::new(model, &pictures, &cases, &weights, request.protected)?;
    let space = TailEvaluator::space(model, &weights)?;
    let as_is = evaluator.evaluate(&space.current)?[0];
    let identity = request.objective.score(&as_is, evaluator.negatives(), evaluator.positives());
    let mut trace = request.search.run(&evaluator, &space, &request.objective, &mut streams.named("patch-search"))?;
    if request.refine {
        let mut rng = streams.named("patch-refine");
        trace = refine(&evaluator, &request.objective, &space, request.search, trace, &mut rng)?;
    }
    let changes = weights.iter().zip(&space.current).zip(&trace.values).map(|(((w, precision), &old), &new)| Change {
        weight: w.clone(),
        old,
        new: precision.round(new),
    });
    let changes = changes.collect::<Vec<_>>();
    let patched = patched(model, &changes)?;
    let after = predictions(&patched, &pictures, rows)?.classes();
    let outcome = Outcome::new(&said, &after, &labels, class);
    Ok(Found { localized, changes, trace: Some(trace), identity, outcome })
}

fn predictions(model: &Model, pictures: &Pictures<'_>, rows: &[usize]) -> Result<Predictions, PatchError> {
    predict_with(model, rows.len(), pictures.size, |i, out| (pictures.fill)(rows[i], out)).map_err(network)
}

/// Names of the weights of all convolutions and dense layers; biases and norms are never located.
pub fn weight_layers(model: &Model) -> Vec<String> {
    model.params().trained().filter(|(_, t)| t.dim() > 1).map(|(name, _)| name.to_owned()).collect()
}

/// A copy of the model with changed weights.
///
/// # Errors
/// When a weight is not the model's.
pub fn patched(model: &Model, changes: &[Change]) -> Result<Model, PatchError> {
    let twin = model.duplicate().map_err(network)?;
    for change in changes {
        let tensor = twin.params().all().find(|(n, _)| *n == change.weight.tensor).map(|(_, t)| t.detach());
        let tensor = tensor.ok_or_else(|| PatchError::NoWeight(change.weight.clone()))?;
        let place = change.weight.index.iter().fold(tensor, |t, &i| t.select(0, i as i64));
        tch::no_grad(|| {
            let _ = place.shallow_clone().fill_(f64::from(change.new));
        });
    }
    Ok(twin)
}
