use crate::{
    Cases, Change, FineTune, Head, HeadCase, HeadEvaluator, Localized, Localizer, Objective, Outcome, PatchError,
    Positives, Precision, Retrain, Samples, Search, Space, Trace, fine_tune, refine,
    retrain::{RetrainCase, retrain},
};
use hybridrepair_core::{ClassId, Streams};

/// How new values are found.
#[derive(Debug)]
pub enum Method {
    /// Weights are located and their values searched.
    Search {
        /// Finds the weights.
        localizer: Box<dyn Localizer>,
        /// Finds the values.
        search: Box<dyn Search>,
    },
    /// These weights, and their values searched.
    Given {
        /// The weights.
        weights: Vec<Localized>,
        /// Finds the values.
        search: Box<dyn Search>,
    },
    /// The whole layer is trained by gradient.
    FineTune(FineTune),
    /// The whole layer is trained on all samples alike, then the threshold of the class is moved.
    Retrain(Retrain),
}

/// A repair of the last layer.
#[derive(Debug)]
pub struct RepairRequest<'a> {
    /// The layer.
    pub head: &'a Head,
    /// How the layer's weight is stored.
    pub precision: Precision,
    /// Labelled samples to search on.
    pub samples: &'a Samples,
    /// The class under repair; all without one.
    pub class: Option<ClassId>,
    /// Only its samples that are taken for this class.
    pub as_class: Option<ClassId>,
    /// How new values are found.
    pub method: &'a Method,
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

/// What a repair found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The weights.
    pub localized: Vec<Localized>,
    /// Their values, as the file will hold them.
    pub changes: Vec<Change>,
    /// How the search went; none where nothing was searched.
    pub trace: Option<Trace>,
    /// Score of the model as it is on the watched samples.
    pub identity: f64,
    /// What the changes do to all samples.
    pub outcome: Outcome,
}

/// Repairs the last layer on labelled samples in front of it.
///
/// # Errors
/// When nothing is wrong, the arrays do not fit, or a setting is outside its range.
pub fn repair_head(request: &RepairRequest<'_>) -> Result<Found, PatchError> {
    request.objective.check()?;
    let RepairRequest { head, samples, class, precision, .. } = *request;
    let streams = Streams::new(request.seed);
    let logits = head.logits(samples.features.view())?;
    let predicted = crate::head::classes_of(&logits);
    let all = Cases::new(&predicted, &samples.labels, class, request.as_class)?;
    let mut rng = streams.named("patch-positives");
    let watched = request.positives.sample(&all.positives, &samples.labels, &logits, class, &mut rng)?;
    let cases = Cases { negatives: all.negatives, positives: watched };
    let case = HeadCase { head, samples, cases: &cases, class };
    let mut rng = streams.named("patch-localize");
    let (localized, search) = match request.method {
        Method::Search { localizer, search } => (localizer.locate(&case, &mut rng)?, Some(search)),
        Method::Given { weights, search } => (weights.clone(), Some(search)),
        Method::FineTune(_) | Method::Retrain(_) => (Vec::new(), None),
    };
    let weights = localized.iter().map(|l| l.weight.clone()).collect::<Vec<_>>();
    let judge = |weights: &[_]| HeadEvaluator::new(head, samples, &cases, weights, precision, request.protected);
    let (changes, trace, identity) = match (request.method, search) {
        (Method::FineTune(settings), _) => (trained(request, &cases, settings)?, None, 0.0),
        (Method::Retrain(settings), _) => {
            let class = class
                .ok_or_else(|| PatchError::NoCase("a threshold belongs to one class: name the class".to_owned()))?;
            let (objective, protected) = (&request.objective, request.protected);
            let case = RetrainCase { head, precision, samples, cases: &cases, class, objective, protected };
            (retrain(&case, settings, &mut streams.named("patch-search"))?, None, 0.0)
        }
        (_, Some(search)) if !weights.is_empty() => {
            let evaluator = judge(&weights)?;
            let spread = logits.iter().fold(0f32, |m, z| m.max(z.abs()));
            let space = Space::of_head(head, &weights, f64::from(spread))?;
            let identity = crate::search::judge(&evaluator, &request.objective, &space.current)?[0].0;
            let mut rng = streams.named("patch-search");
            let mut trace = search.run(&evaluator, &space, &request.objective, &mut rng)?;
            if request.refine {
                let mut rng = streams.named("patch-refine");
                trace = refine(&evaluator, &request.objective, &space, &**search, trace, &mut rng)?;
            }
            let changes = weights.iter().zip(&space.current).zip(&trace.values);
            let changes =
                changes.map(|((w, &old), &new)| Change { weight: w.clone(), old, new: precision.round(new) }).collect();
            (changes, Some(trace), identity)
        }
        _ => return Err(PatchError::NoCase("no weight was located".to_owned())),
    };
    let after = head.patched(&changes)?.predict(samples.features.view())?;
    let outcome = Outcome::new(&predicted, &after, &samples.labels, class);
    Ok(Found { localized, changes, trace, identity, outcome })
}

/// The trained layer; where a limit is passed, the way there is halved until it is kept.
fn trained(request: &RepairRequest<'_>, cases: &Cases, settings: &FineTune) -> Result<Vec<Change>, PatchError> {
    let RepairRequest { head, samples, precision, .. } = *request;
    let changes = fine_tune(head, samples, cases, settings)?;
    let scaled = |share: f64| {
        let new = |c: &Change| (f64::from(c.old) + share * (f64::from(c.new) - f64::from(c.old))) as f32;
        changes.iter().map(|c| Change { new: precision.round(new(c)), ..c.clone() }).collect::<Vec<_>>()
    };
    let mut share = 1.0;
    for _ in 0..20 {
        let changes = scaled(share);
        let after = head.patched(&changes)?.predict(samples.features.view())?;
        let broken = cases.positives.iter().filter(|&&i| after[i] != samples.labels[i]);
        let protected = broken.clone().filter(|&&i| request.protected.contains(&samples.labels[i])).count();
        let rate = broken.count() as f64 / cases.positives.len().max(1) as f64;
        let guard = &request.objective.guard;
        if guard.max_break.is_none_or(|limit| rate <= limit) && !(guard.protect && protected > 0) {
            return Ok(changes);
        }
        share /= 2.0;
    }
    Ok(scaled(0.0))
}
