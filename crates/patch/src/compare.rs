use crate::{
    BiasCurve, CurvePoint, Guard, Head, Judge, MethodSettings, Objective, Outcome, PatchError, Precision,
    RepairRequest, Samples, named_method, repair_head, roles, seedless,
};
use hybridrepair_core::{ClassId, Streams, metrics::MeanInterval};
use rayon::prelude::*;
use serde::Serialize;
use std::time::Instant;

/// Repairs of one class by several methods from several seeds, judged on samples that nothing was chosen on.
#[derive(Clone, Copy, Debug)]
pub struct CompareRequest<'a> {
    /// The layer.
    pub head: &'a Head,
    /// How its weight is stored.
    pub precision: Precision,
    /// Labelled samples to search on and to choose by; each seed cuts them anew.
    pub samples: &'a Samples,
    /// Samples to judge by.
    pub test: &'a Samples,
    /// The class under repair.
    pub class: ClassId,
    /// Names of methods.
    pub methods: &'a [String],
    /// Weights of the wrong samples; methods as published have their own and run once.
    pub lambdas: &'a [f64],
    /// What all methods share; `lambda` is not looked at.
    pub settings: MethodSettings,
    /// Limits, for methods that are not as published.
    pub guard: Guard,
    /// Share of the samples that choose.
    pub choose_share: f64,
    /// How many seeds, from `seed` on.
    pub seeds: u64,
    /// The first seed.
    pub seed: u64,
}

/// One repair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedRun {
    /// Its seed.
    pub seed: u64,
    /// Weights that it changes.
    pub weights: usize,
    /// Why it is not kept: the model then stays as it is; none if it is kept.
    pub refused: Option<String>,
    /// What it does to the test samples.
    pub test: Outcome,
    /// Its repair rate minus that of the best moved threshold that breaks no more of the test samples.
    pub above: f64,
    /// Seconds.
    pub seconds: f64,
}

/// A method with one weight of the wrong samples, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Its name.
    pub method: String,
    /// The weight of the wrong samples; none for methods as published.
    pub lambda: Option<f64>,
    /// Repair rate on the test.
    pub rr: MeanInterval,
    /// Break rate on the test.
    pub br: MeanInterval,
    /// Repair rate above that of a moved threshold with the same break rate.
    pub above: MeanInterval,
    /// Change of the accuracy on the class.
    pub class: MeanInterval,
    /// Change of the accuracy on all.
    pub total: MeanInterval,
    /// Changed weights.
    pub weights: MeanInterval,
    /// Repairs that were not kept.
    pub refused: usize,
    /// Every repair.
    pub runs: Vec<ComparedRun>,
}

/// A comparison of repairs of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The class.
    pub class: ClassId,
    /// Wrong test samples of the class.
    pub negatives: usize,
    /// Right test samples of all classes.
    pub positives: usize,
    /// What a moved threshold does to the test samples, up to the largest mean break rate of a method.
    pub curve: Vec<CurvePoint>,
    /// Every method.
    pub methods: Vec<Compared>,
}

/// Runs the comparison. Each seed cuts the samples anew and draws all random numbers of the searches, so that intervals
/// hold both kinds of chance; methods of one seed see the same cut.
///
/// # Errors
/// When a setting is outside its range, or nothing is wrong.
pub fn compare(request: &CompareRequest<'_>) -> Result<Comparison, PatchError> {
    if request.seeds == 0 || request.methods.is_empty() || request.lambdas.is_empty() {
        return Err(PatchError::NoCase("a comparison needs a method, a lambda and a seed".to_owned()));
    }
    let curve = BiasCurve::new(request.head, request.test, request.class)?;
    if curve.negatives() == 0 {
        return Err(PatchError::NoCase(format!("no test sample of class {} is wrong", request.class)));
    }
    let mut wanted = Vec::new();
    for name in request.methods {
        // also refuses unknown names before anything is computed
        let own = named_method(name, &request.settings)?;
        let lambdas = if own.refine { request.lambdas } else { &request.lambdas[..1] };
        wanted.extend(lambdas.iter().map(|&l| (name.as_str(), l, own.refine)));
    }
    let cells = wanted.iter().flat_map(|w| (0..request.seeds).map(move |s| (*w, request.seed + s))).collect::<Vec<_>>();
    let runs = cells.par_iter().map(|&((name, lambda, _), seed)| one(request, &curve, name, lambda, seed));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    let mut methods = Vec::new();
    for ((name, lambda, ours), runs) in wanted.iter().zip(runs.chunks(request.seeds as usize)) {
        let over = |f: &dyn Fn(&ComparedRun) -> f64| MeanInterval::of(&runs.iter().map(f).collect::<Vec<_>>());
        methods.push(Compared {
            method: (*name).to_owned(),
            lambda: ours.then_some(*lambda),
            rr: over(&|r| r.test.repair_rate()),
            br: over(&|r| r.test.break_rate()),
            above: over(&|r| r.above),
            class: over(&|r| r.test.class_after - r.test.class_before),
            total: over(&|r| r.test.after - r.test.before),
            weights: over(&|r| r.weights as f64),
            refused: runs.iter().filter(|r| r.refused.is_some()).count(),
            runs: runs.to_vec(),
        });
    }
    let widest = methods.iter().map(|m| m.br.mean).fold(0.0, f64::max);
    let said = request.head.predict(request.test.features.view())?;
    let right = said.iter().zip(&request.test.labels).filter(|(s, t)| s == t).count();
    Ok(Comparison {
        class: request.class,
        negatives: curve.negatives(),
        positives: right,
        curve: curve.points(widest, 60),
        methods,
    })
}

fn one(
    request: &CompareRequest<'_>,
    curve: &BiasCurve,
    name: &str,
    lambda: f64,
    seed: u64,
) -> Result<ComparedRun, PatchError> {
    let began = Instant::now();
    let CompareRequest { head, class, .. } = *request;
    let (search, choose) = roles(&request.samples.labels, request.choose_share, Streams::new(seed));
    let (search, choice) = (request.samples.select(&search), request.samples.select(&choose));
    let named = named_method(name, &MethodSettings { lambda, ..request.settings })?;
    // the published searches know no limits
    let guard = if named.refine { request.guard } else { Guard::default() };
    let objective = Objective { fitness: named.fitness, guard };
    let found = repair_head(&RepairRequest {
        head,
        precision: request.precision,
        samples: &search,
        class: Some(class),
        as_class: None,
        method: &named.method,
        positives: named.positives,
        objective,
        protected: &[],
        refine: named.refine,
        seed: if seedless(name) { 0 } else { seed },
    })?;
    let judge = Judge { head, choice: &choice, class: Some(class), objective, protected: &[] };
    // as published, a result is taken as it comes
    let refused = if named.refine { judge.judge(&found)?.refused } else { None };
    let kept = if refused.is_some() { &[][..] } else { &found.changes };
    let before = head.predict(request.test.features.view())?;
    let after = head.patched(kept)?.predict(request.test.features.view())?;
    let test = Outcome::new(&before, &after, &request.test.labels, Some(class));
    Ok(ComparedRun {
        seed,
        weights: kept.iter().filter(|c| c.new.to_bits() != c.old.to_bits()).count(),
        refused,
        above: test.repair_rate() - curve.at(test.break_rate()),
        test,
        seconds: began.elapsed().as_secs_f64(),
    })
}
