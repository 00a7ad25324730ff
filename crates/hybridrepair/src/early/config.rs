use super::grid::Prepared;
use crate::{Error, TrainConfig};
use hybridrepair_core::{Budget, ClassId};
use hybridrepair_patch::early::CollapseGuard;
use serde::{Deserialize, Serialize};

/// Settings of the early-repair experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyConfig {
    /// Epochs whose checkpoints are repaired, counted from 1; the last one is the converged model.
    pub epochs: Vec<usize>,
    /// Classes under repair, by name or number; the worst ones without.
    pub repair_classes: Vec<String>,
    /// How many of the worst classes, over all checkpoints.
    pub worst_classes: usize,
    /// Repairs per checkpoint, class and method, from different seeds.
    pub repair_seeds: u64,
    /// Trainings, from different seeds, the first from that of `train`.
    pub runs: u64,
    /// Repairs that are compared.
    pub methods: Vec<String>,
    /// Labelled split that is repaired on: train, val or field.
    pub part: String,
    /// Labels of it.
    pub budget: Budget,
    /// Share of these that choose.
    pub choose_share: f64,
    /// Right samples that a search watches.
    pub positives: usize,
    /// Weight of the wrong samples.
    pub lambda: f64,
    /// Candidates per iteration.
    pub population: usize,
    /// Most iterations.
    pub iterations: usize,
    /// Weights of the class in the quality, for the tables; the intervals cover all.
    pub alphas: Vec<f64>,
    /// What a repaired model may not do.
    pub guard: CollapseGuard,
    /// GPUs that trainings are spread over; 0 trains on the device of `train`, one after the other.
    pub gpus: usize,
    /// Number of the first one.
    pub first_gpu: usize,
    /// Megabytes that one training takes and that must be free.
    pub min_free_mb: u64,
    /// The training.
    pub train: TrainConfig,
}

impl Default for EarlyConfig {
    fn default() -> Self {
        Self {
            epochs: vec![1, 5, 10, 15, 20, 25, 30],
            repair_classes: Vec::new(),
            worst_classes: 3,
            repair_seeds: 5,
            runs: 1,
            methods: ["bias", "finetune", "random", "published", "arachne"].map(str::to_owned).to_vec(),
            part: "field".to_owned(),
            budget: Budget::Count(2000),
            choose_share: 0.3,
            positives: 600,
            lambda: 0.2,
            population: 100,
            iterations: 50,
            alphas: vec![0.2, 0.5, 0.8],
            guard: CollapseGuard::default(),
            gpus: 0,
            first_gpu: 0,
            min_free_mb: 1500,
            train: TrainConfig { width: 0.25, ..TrainConfig::default() },
        }
    }
}

impl EarlyConfig {
    /// Checks every setting that can be checked without data.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::Config(what));
        if self.epochs.is_empty() || self.epochs[0] == 0 || self.epochs.windows(2).any(|w| w[0] >= w[1]) {
            return wrong("epochs: at least one, from 1, rising".to_owned());
        }
        if self.repair_seeds == 0
            || self.runs == 0
            || self.population < 4
            || self.iterations == 0
            || self.positives == 0
        {
            return wrong(
                "repair_seeds, runs, iterations and positives are at least 1, population at least 4".to_owned(),
            );
        }
        if self.repair_classes.is_empty() && self.worst_classes == 0 {
            return wrong("repair_classes or worst_classes must name a class".to_owned());
        }
        let choosable = self.choose_share > 0.0 && self.choose_share < 1.0;
        if !((0.0..=1.0).contains(&self.lambda) && choosable) {
            return wrong("lambda lies in [0, 1], choose_share in (0, 1)".to_owned());
        }
        if let Some(alpha) = self.alphas.iter().find(|a| !(0.0..=1.0).contains(*a)) {
            return wrong(format!("alpha {alpha} is outside [0, 1]"));
        }
        for method in &self.methods {
            super::grid::method(method, self)?;
        }
        Ok(())
    }

    /// The classes: those that are named, or those with the lowest accuracy on the choosing samples over all checkpoints
    /// but the first one, which is wrong about most.
    pub(super) fn classes(&self, names: &[String], prepared: &[Prepared]) -> Result<Vec<ClassId>, Error> {
        if !self.repair_classes.is_empty() {
            let find =
                |text: &String| {
                    let numbered = text.parse::<usize>().ok().filter(|&c| c < names.len());
                    names.iter().position(|n| n == text).or(numbered).map(ClassId::from).ok_or_else(|| {
                        Error::Config(format!("unknown class {text:?}; classes are {}", names.join(", ")))
                    })
                };
            return self.repair_classes.iter().map(find).collect();
        }
        let first = self.epochs[0];
        let mut counts = vec![(0usize, 0usize); names.len()];
        for p in prepared.iter().filter(|p| p.epoch != first || self.epochs.len() == 1) {
            for (said, truth) in p.said_choice.iter().zip(&p.choice.labels) {
                counts[truth.column()].0 += 1;
                counts[truth.column()].1 += usize::from(said == truth);
            }
        }
        let share = |c: usize| counts[c].1 as f64 / counts[c].0.max(1) as f64;
        let mut order = (0..names.len()).filter(|&c| counts[c].0 > 0).collect::<Vec<_>>();
        order.sort_by(|&a, &b| share(a).total_cmp(&share(b)));
        order.truncate(self.worst_classes);
        Ok(order.into_iter().map(ClassId::from).collect())
    }
}
