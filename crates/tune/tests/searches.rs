//! Every branch of the searches, on formulas instead of networks.
#![allow(missing_docs, clippy::unwrap_used, clippy::type_complexity)]

use hybridrepair_core::Streams;
use hybridrepair_tune::{
    Choice, Grid2020, Lab, Limits, Point, Probe, ProbeEpoch, Prober, Ramped, SEARCHES, Search, SearchSettings,
    TuneError, find, search,
};

/// A network that is a formula: from a point to Z, the loss after the probe, and accuracy on held-out pictures.
struct Script<F> {
    formula: F,
    jobs: usize,
    trained: Vec<Point>,
}

impl<F: Fn(Point) -> (f64, f64)> Script<F> {
    fn new(formula: F) -> Self {
        Self { formula, jobs: 1, trained: Vec::new() }
    }
}

const CHANCE: f64 = 2.303;

fn probe(point: Point, z: f64, loss: f64) -> Probe {
    let acc = Some([(1.0 - loss / CHANCE).max(0.1), 1.0]);
    let epoch = ProbeEpoch { z: Some(z), loss, val_loss: Some(loss), val_acc: acc, ..ProbeEpoch::default() };
    let planned = 5;
    let epochs = if loss.is_finite() { vec![epoch; planned] } else { vec![epoch; 2] };
    Probe { point, start_loss: CHANCE, epochs, planned, seconds: 1.0 }
}

impl<F: Fn(Point) -> (f64, f64)> Prober for Script<F> {
    fn probe(&mut self, points: &[Point]) -> Result<Vec<Probe>, TuneError> {
        self.trained.extend(points);
        Ok(points.iter().map(|&p| (self.formula)(p)).zip(points).map(|((z, loss), &p)| probe(p, z, loss)).collect())
    }

    fn ramp(&mut self, [from, to]: [f64; 2]) -> Result<Ramped, TuneError> {
        let rates = (0..=200).map(|i| from * (to / from).powf(f64::from(i) / 200.0));
        let steps = rates.map(|lr| (lr, (self.formula)(Point::rate(lr)).1)).take_while(|s| s.1.is_finite()).collect();
        Ok(Ramped { steps, epochs: 5, seconds: 1.0 })
    }

    fn jobs(&self) -> usize {
        self.jobs
    }
}

/// Z of a network whose knee is at `knee`: 1 far below, `floor` above.
fn logistic(lr: f64, knee: f64, floor: f64) -> f64 {
    let z = floor + (1.0 - floor) / (1.0 + (lr / (knee / 6.0)).powf(1.6));
    if z > 0.995 { 1.0 } else { z }
}

/// Loss of a network that learns best at `best` and spoils everything above `limit`.
fn loss(lr: f64, best: f64, limit: f64) -> f64 {
    if lr > limit { f64::INFINITY } else { CHANCE - 2.1 / (1.0 + (lr / best).log10().powi(2)) }
}

fn settings(budget: usize) -> SearchSettings {
    SearchSettings { range: None, budget, streams: Streams::new(7), weight_decay: false }
}

fn run(name: &str, formula: impl Fn(Point) -> (f64, f64), budget: usize) -> Result<Choice, TuneError> {
    let mut script = Script::new(formula);
    let mut lab = Lab::new(&mut script, vec![], Limits { probes: budget, seconds: 1e6 })?;
    find(&mut *search(name, &settings(budget))?, &mut lab, 7)
}

#[test]
fn the_knee_moves_with_the_optimiser() {
    let adam = run("knee", |p| (logistic(p.lr, 1e-2, 0.2), loss(p.lr, 1e-2, 0.5)), 25).unwrap();
    let sgd = run("knee", |p| (logistic(p.lr, 0.2, 0.25), loss(p.lr, 0.2, 5.0)), 25).unwrap();
    assert!((3e-3..4e-2).contains(&adam.lr), "{adam:?}");
    assert!((5.0..50.0).contains(&(sgd.lr / adam.lr)), "{sgd:?} {adam:?}");
    assert!(adam.runner_up.is_some() && adam.reason.contains("two seeds"), "{adam:?}");
    assert!(adam.cost.probes <= 25);
}

#[test]
fn where_structure_comes_after_the_best_rate_the_reason_says_so() {
    let found = run("knee", |p| (logistic(p.lr, 0.1, 0.1), loss(p.lr, 1e-2, 0.5)), 40).unwrap();
    assert!((3e-3..4e-2).contains(&found.lr), "{found:?}");
    assert!(found.reason.contains("only where the loss is worse"), "{found:?}");
    let found = run("knee", |p| (logistic(p.lr, 1e-3, 0.1), loss(p.lr, 1e-2, 0.5)), 40).unwrap();
    assert!(!found.reason.contains("worse"), "{found:?}");
}

#[test]
fn the_only_rate_that_trains_is_taken_though_the_next_one_diverges() {
    let narrow = |lr: f64| {
        if lr < 1.5e-4 {
            CHANCE
        } else if lr < 2.5e-4 {
            0.5
        } else {
            f64::INFINITY
        }
    };
    let found = run("knee", |p| (if p.lr < 1.5e-4 { 1.0 } else { 0.5 }, narrow(p.lr)), 25).unwrap();
    assert!((1.5e-4..2.5e-4).contains(&found.lr), "{found:?}");
}

#[test]
fn every_search_ends_within_its_budget_on_every_curve() {
    let curves: [(&str, fn(f64) -> f64); 6] = [
        ("logistic", |lr| logistic(lr, 1e-2, 0.2)),
        ("never leaves 1", |_| 1.0),
        ("0 at once", |_| 0.0),
        ("half for ever", |_| 0.5),
        ("noisy", |lr| (0.5 + 0.5 * (1e6 * lr).sin()).clamp(0.0, 1.0)),
        ("falls to 0", |lr| if lr < 3e-3 { 1.0 } else { 0.0 }),
    ];
    for name in SEARCHES {
        for (curve, z) in curves {
            for budget in [1, 2, 7, 40, 300] {
                let found = run(name, |p| (z(p.lr), loss(p.lr, 1e-2, 0.5)), budget);
                let cost = match &found {
                    Ok(found) => found.cost.probes,
                    Err(TuneError::Refused(_)) => continue,
                    Err(error) => panic!("{name} on {curve}: {error}"),
                };
                assert!((1..=budget).contains(&cost), "{name} on {curve} with {budget}: {cost}");
            }
        }
    }
}

#[test]
fn where_nothing_trains_ours_refuse() {
    for name in ["knee", "range", "ramp", "random"] {
        for dead in [CHANCE, f64::INFINITY] {
            let error = run(name, |p| (logistic(p.lr, 1e-2, 0.2), dead), 25).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("nothing trains") || said.contains("does not learn"), "{name}: {said}");
        }
    }
}

/// Section 5: without batch norm Adam at 0.1 has Z at the floor and accuracy at chance; SGD at 1 is at half.
#[test]
fn chance_at_the_floor_of_z_is_refused() {
    let trap = |p: Point| {
        let z = logistic(p.lr, 2e-2, 0.17);
        (z, if p.lr > 6e-2 { CHANCE } else { loss(p.lr, 5e-3, 1.0) })
    };
    let found = run("knee", trap, 40).unwrap();
    assert!(found.lr < 6e-2 && found.objection.is_none(), "{found:?}");
    assert!(found.ended.contains("the guard refuses") || found.ended.contains("flat"), "{found:?}");
    // a rate that only one seed bears is not taken
    let network = |p: Point| (logistic(p.lr, 1e-2, 0.2), loss(p.lr, 1e-2, 0.5));
    let steady = run("knee", network, 40).unwrap();
    let fragile = |p: Point| if p.seed == 1 && p.lr >= steady.lr { (0.2, CHANCE) } else { network(p) };
    let found = run("knee", fragile, 40).unwrap();
    assert!(found.lr < steady.lr && found.runner_up == steady.runner_up, "{found:?} {steady:?}");
    let error = run("knee", |p| if p.seed == 1 { (0.2, CHANCE) } else { network(p) }, 60).unwrap_err();
    assert!(error.to_string().contains("from one seed and not from another"), "{error}");
}

/// Section 5: while Z reads 1 ties go up in both directions, and strong weight decay lowers Z by itself.
#[test]
fn trust2021_fails_as_published_and_the_guard_says_so() {
    let sgd = |p: Point| {
        let wd = p.wd.unwrap_or(0.0);
        let z = logistic(p.lr, 0.2, 0.25);
        let z = if wd > 0.02 { 0.2 } else { z };
        (z, if wd > 0.02 { CHANCE } else { loss(p.lr, 0.2, 5.0) })
    };
    let found = run("trust2021", sgd, 200).unwrap();
    assert!(found.weight_decay.unwrap() > 0.02, "{found:?}");
    assert!(found.objection.as_ref().unwrap().contains("does not learn"), "{found:?}");
    // ours, on the same network, does not touch weight decay
    let ours = run("knee", sgd, 25).unwrap();
    assert!(ours.weight_decay.is_none() && ours.objection.is_none(), "{ours:?}");
}

#[test]
fn trust2021_begins_too_high_and_walks_down() {
    // below 0.85 everywhere at the start, 1 below 1e-5
    let found = run("trust2021", |p| (logistic(p.lr, 1e-4, 0.3), loss(p.lr, 1e-4, 1.0)), 300).unwrap();
    assert!(found.ended.contains("come down to 1"), "{found:?}");
    // nine cells at first, three of which are the same twice at no weight decay
    let mut script = Script::new(|p: Point| (logistic(p.lr, 1e-2, 0.2), 1.0));
    let mut lab = Lab::new(&mut script, vec![], Limits { probes: 300, seconds: 1e6 }).unwrap();
    find(&mut *search("trust2021", &settings(300)).unwrap(), &mut lab, 0).unwrap();
    let first = lab.seen()[0].point;
    assert!((first.lr * 1.45 / 1e-4 - 1.0).abs() < 1e-12 && first.wd == Some(0.0), "{first:?}");
    assert_eq!(lab.seen()[1].point.wd, Some(1e-7));
}

#[test]
fn grid2020_says_what_it_did() {
    let said = |z: fn(f64) -> f64, budget| {
        let mut script = Script::new(|p: Point| (z(p.lr), 1.0));
        let mut lab = Lab::new(&mut script, vec![], Limits { probes: budget, seconds: 1e6 }).unwrap();
        let mut grid = Grid2020::new();
        let found = find(&mut grid, &mut lab, 0).unwrap();
        let told = grid.trace().iter().map(|t| t.msg).collect::<Vec<_>>();
        (found, told)
    };
    let (found, told) = said(|lr| logistic(lr, 5e-2, 0.2), 300);
    assert!(told.contains(&"all-zero") && told.contains(&"plateau") && told.contains(&"nothing"), "{told:?}");
    assert!(["exit-counter", "exit-delta", "plateau"].contains(told.last().unwrap()), "{told:?}");
    assert!(found.lr > 1e-3 && found.lr < 1.0, "{found:?}");
    let (_, told) = said(|lr| if lr > 5e-5 { 0.4 } else { 0.9 }, 40);
    assert_eq!(told[0], "early-cross");
    // 0 right after the first point, which closes the grid
    let (_, told) = said(|lr| if lr > 2.5e-4 { 0.0 } else { 0.9 }, 300);
    assert!(told.contains(&"reach-100") && told.last() == Some(&"exit-delta"), "{told:?}");
    // hardly below 1: the grid is seen to its end
    let (_, told) = said(|_| 0.99, 30);
    assert!(told.contains(&"end-reached"), "{told:?}");
}

#[test]
fn a_search_goes_on_as_if_it_had_not_been_interrupted() {
    for name in SEARCHES {
        let formula = |p: Point| (logistic(p.lr, 1e-2, 0.2), loss(p.lr, 1e-2, 0.5) + 1e-3 * p.seed as f64);
        let mut script = Script::new(formula);
        let limits = Limits { probes: 30, seconds: 1e6 };
        let (whole, seen) = {
            let mut lab = Lab::new(&mut script, vec![], limits).unwrap();
            let found = find(&mut *search(name, &settings(30)).unwrap(), &mut lab, 7).unwrap();
            (found, lab.seen().to_vec())
        };
        for kept in [1, seen.len() / 2, seen.len()] {
            let mut script = Script::new(formula);
            let mut lab = Lab::new(&mut script, seen[..kept].to_vec(), limits).unwrap();
            let again = find(&mut *search(name, &settings(30)).unwrap(), &mut lab, 7).unwrap();
            assert_eq!(again, whole, "{name} after {kept}");
            assert_eq!(script.trained.len(), seen.len() - kept, "{name}: none is trained twice");
        }
    }
}

#[test]
fn more_cores_find_the_same_rate() {
    for name in SEARCHES {
        let of = |jobs| {
            let mut script = Script::new(|p: Point| (logistic(p.lr, 1e-2, 0.2), loss(p.lr, 1e-2, 0.5)));
            script.jobs = jobs;
            let mut lab = Lab::new(&mut script, vec![], Limits { probes: 40, seconds: 1e6 }).unwrap();
            find(&mut *search(name, &settings(40)).unwrap(), &mut lab, 7).unwrap()
        };
        let (one, four) = (of(1), of(4));
        assert_eq!((one.lr, one.cost.probes, &one.reason), (four.lr, four.cost.probes, &four.reason), "{name}");
        assert!(four.cost.trained >= one.cost.trained);
    }
}

#[test]
fn time_is_a_limit_as_well() {
    let mut script = Script::new(|p: Point| (logistic(p.lr, 1e-2, 0.2), loss(p.lr, 1e-3, 0.5)));
    let mut lab = Lab::new(&mut script, vec![], Limits { probes: 40, seconds: 5.0 }).unwrap();
    let found = find(&mut *search("range", &settings(40)).unwrap(), &mut lab, 0).unwrap();
    assert!(found.ended.contains("the time is used up after 5 probes"), "{found:?}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    assert!(search("prayer", &settings(5)).err().unwrap().to_string().contains("knee, range"));
    let turned = SearchSettings { range: Some([0.1, 0.01]), ..settings(5) };
    assert!(search("range", &turned).err().unwrap().to_string().contains("0.1:0.01"));
    let moved = SearchSettings { range: Some([0.01, 0.1]), ..settings(5) };
    assert!(search("grid2020", &moved).is_err());
    let mut script = Script::new(|_| (1.0, 1.0));
    assert!(Lab::new(&mut script, vec![], Limits { probes: 0, seconds: 1.0 }).is_err());
    assert!(Lab::new(&mut script, vec![], Limits { probes: 1, seconds: 0.0 }).is_err());
}
