use crate::{
    Change, Fault, Fitness, Guard, Head, Method, Objective, PatchError, Positives, Precision, RepairRequest, Samples,
    localizer, plant, repair_head, search,
};
use hybridrepair_core::{Streams, metrics::accuracy};
use rayon::prelude::*;
use serde::Serialize;

/// Faults planted in the last layer, one at a time, and repaired: what a repair of this model can find and mend.
#[derive(Clone, Copy, Debug)]
pub struct DrillRequest<'a> {
    /// The layer, which is sound.
    pub head: &'a Head,
    /// How its weight is stored.
    pub precision: Precision,
    /// Labelled samples to search on.
    pub repair: &'a Samples,
    /// Samples that no search sees.
    pub test: Option<&'a Samples>,
    /// How many faults.
    pub faults: usize,
    /// Accuracy that each costs at least on the repair samples, in [0, 1].
    pub at_least: f64,
    /// How weights are found.
    pub localizer: &'a str,
    /// How values are found.
    pub search: &'a str,
    /// What is maximised over all wrong and all right samples.
    pub fitness: Fitness,
    /// Candidates per iteration.
    pub population: usize,
    /// Most iterations.
    pub iterations: usize,
    /// The seed of faults and searches.
    pub seed: u64,
}

/// Accuracy of the sound layer, of the faulty one, and of the repaired one, in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Restored {
    /// Sound.
    pub sound: f64,
    /// With the fault.
    pub faulty: f64,
    /// Repaired.
    pub repaired: f64,
}

impl Restored {
    /// Share of the lost accuracy that is back; above 1 where the repair does better than the sound layer.
    pub fn share(&self) -> f64 {
        (self.repaired - self.faulty) / (self.sound - self.faulty)
    }
}

/// A fault and its repair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drilled {
    /// The fault.
    pub fault: Fault,
    /// Whether its weight was located.
    pub located: bool,
    /// Weights that were located.
    pub candidates: usize,
    /// Weights that the patch changes.
    pub weights: usize,
    /// Whether the faulty weight is one of them.
    pub mended: bool,
    /// On the samples of the search.
    pub repair: Restored,
    /// On samples that no search has seen.
    pub test: Option<Restored>,
}

/// Plants the faults and repairs each. All wrong samples are repaired, whatever their class: nobody knows where a fault is.
///
/// # Errors
/// When the layer has too few weights whose corruption costs so much, or a name is unknown.
pub fn drill(request: &DrillRequest<'_>) -> Result<Vec<Drilled>, PatchError> {
    if !(request.at_least > 0.0 && request.at_least < 1.0) {
        return Err(PatchError::setting("cost of a fault", request.at_least, "is outside (0, 1)"));
    }
    let streams = Streams::new(request.seed);
    let faults =
        plant(request.head, request.repair, request.at_least, request.faults, &mut streams.named("patch-plant"))?;
    faults.into_par_iter().enumerate().map(|(i, fault)| one(request, fault, streams, i as u64)).collect()
}

fn one(request: &DrillRequest<'_>, fault: Fault, streams: Streams, number: u64) -> Result<Drilled, PatchError> {
    let DrillRequest { head, precision, repair, .. } = *request;
    let is = precision.round(fault.is);
    let faulty = head.patched(&[Change { weight: fault.weight.clone(), old: fault.was, new: is }])?;
    let method = Method::Search {
        localizer: localizer(request.localizer, None)?,
        search: search(request.search, request.population, request.iterations)?,
    };
    let found = repair_head(&RepairRequest {
        head: &faulty,
        precision,
        samples: repair,
        class: None,
        as_class: None,
        method: &method,
        positives: Positives::All,
        objective: Objective { fitness: request.fitness, guard: Guard::default() },
        protected: &[],
        refine: true,
        seed: streams.number("patch-drill", number, 0) >> 1,
    })?;
    let mended = faulty.patched(&found.changes)?;
    let restored = |s: &Samples| {
        let right = |h: &Head| Ok::<_, PatchError>(accuracy(&h.predict(s.features.view())?, &s.labels));
        Ok::<_, PatchError>(Restored { sound: right(head)?, faulty: right(&faulty)?, repaired: right(&mended)? })
    };
    let changed = found.changes.iter().filter(|c| c.new.to_bits() != c.old.to_bits());
    Ok(Drilled {
        located: found.localized.iter().any(|l| l.weight == fault.weight),
        candidates: found.localized.len(),
        weights: changed.clone().count(),
        mended: changed.clone().any(|c| c.weight == fault.weight),
        repair: restored(repair)?,
        test: request.test.map(restored).transpose()?,
        fault,
    })
}
