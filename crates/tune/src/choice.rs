use crate::{Halt, Lab, Point, Probe, Search, TuneError};
use serde::{Deserialize, Serialize};

/// What a search came to, as in `choice.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The learning rate.
    pub lr: f64,
    /// The weight decay, where it was searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// The search.
    pub method: String,
    /// The recipe's seed.
    pub seed: u64,
    /// Why this rate.
    pub reason: String,
    /// Why the search ended.
    pub ended: String,
    /// The rate that would have been next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<f64>,
    /// What the guard has against it. A search of the project never takes a rate with an objection; the published ones do, and
    /// then it stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<String>,
    /// Its cost.
    pub cost: Cost,
}

/// What a search cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Probes that it looked at.
    pub probes: usize,
    /// Probes that were trained, also ahead of time.
    pub trained: usize,
    /// Epochs of these.
    pub epochs: usize,
    /// Seconds of training on one core.
    pub seconds: f64,
}

/// What a search takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// The rate and, where it was searched for, the weight decay.
    pub point: Point,
    /// Why.
    pub reason: String,
    /// The next best rate.
    pub runner_up: Option<f64>,
}

/// Runs a search to its end or to its limits, and lets the guard have its word.
///
/// # Errors
/// When training fails for another reason than its rate, or nothing that the search saw may be taken.
pub fn find(search: &mut dyn Search, lab: &mut Lab<'_>, seed: u64) -> Result<Choice, TuneError> {
    let ended = match search.search(lab) {
        Ok(why) => why,
        Err(Halt::Probes) => format!("the budget of {} probes is used up", lab.seen().len()),
        Err(Halt::Seconds) => format!("the time is used up after {} probes", lab.seen().len()),
        Err(Halt::Failed(error)) => return Err(error),
    };
    let pick = search.pick(lab)?;
    // a published search may take a rate that it has not trained: then the nearest one stands for it
    let far = |p: &&Probe| ((p.point.lr / pick.point.lr).ln().abs(), p.point != pick.point);
    let probe = lab.seen().iter().min_by(|a, b| far(a).partial_cmp(&far(b)).unwrap_or(std::cmp::Ordering::Equal));
    let objection = match probe {
        Some(probe) => lab.objection(probe),
        None => None,
    };
    if let Some(why) = objection.as_ref().filter(|_| !search.published()) {
        return Err(TuneError::Refused(format!("{} {why}", pick.point.lr)));
    }
    let cost = cost(lab);
    Ok(Choice {
        lr: pick.point.lr,
        weight_decay: pick.point.wd,
        method: search.name().to_owned(),
        seed,
        reason: pick.reason,
        ended,
        runner_up: pick.runner_up,
        objection,
        cost,
    })
}

/// Weight decays that are tried at a found rate.
const DECAYS: [f64; 6] = [0.0, 1e-5, 1e-4, 5e-4, 2e-3, 1e-2];

/// Chooses a weight decay for a found rate: by the loss on held-out pictures, since Z takes strong weight decay for structure.
/// The recipe's own stays where the limits leave no room or nothing is better.
///
/// # Errors
/// When training fails for another reason than its settings.
pub fn then_weight_decay(choice: Choice, lab: &mut Lab<'_>) -> Result<Choice, TuneError> {
    let points = DECAYS.map(|wd| Point { wd: Some(wd), ..Point::rate(choice.lr) });
    let ended = match lab.probe(&points, &[]) {
        Ok(_) => "weight decays were tried".to_owned(),
        Err(Halt::Probes | Halt::Seconds) => "not all weight decays fitted the limits".to_owned(),
        Err(Halt::Failed(error)) => return Err(error),
    };
    let at_rate = admitted(lab).into_iter().filter(|p| p.point.lr == choice.lr && p.point.seed == 0);
    let best = at_rate.min_by(|a, b| a.held_out_loss().total_cmp(&b.held_out_loss()));
    let wd = best.filter(|b| b.held_out_loss().is_finite()).and_then(|b| b.point.wd);
    let cost = cost(lab);
    Ok(Choice { weight_decay: wd, ended: format!("{}; {ended}", choice.ended), cost, ..choice })
}

fn cost(lab: &Lab<'_>) -> Cost {
    let trained = lab.trained();
    let (epochs, seconds) = lab.ramp_cost();
    Cost {
        probes: lab.seen().len(),
        trained: trained.len(),
        epochs: epochs + trained.iter().map(|p| p.epochs.len()).sum::<usize>(),
        seconds: seconds + trained.iter().map(|p| p.seconds).sum::<f64>(),
    }
}

/// The refusal when nothing trains, with what speaks against the probe that came nearest.
pub(crate) fn nothing_trains(lab: &Lab<'_>) -> TuneError {
    let nearest = lab.seen().iter().min_by(|a, b| a.loss().total_cmp(&b.loss()));
    let why = nearest.and_then(|p| lab.objection(p).map(|why| format!("the best is {}, which {why}", p.point.lr)));
    TuneError::Refused(format!("nothing trains among {} probes; {}", lab.seen().len(), why.unwrap_or_default()))
}

/// The probes that the guard has nothing against.
pub(crate) fn admitted<'l>(lab: &'l Lab<'_>) -> Vec<&'l Probe> {
    lab.seen().iter().filter(|p| lab.objection(p).is_none()).collect()
}
