//! A closer look at single models, to fix thresholds by.

use super::{
    FAULTS, judge,
    models::{Case, case, fault_of},
    settings,
};
use hybridrepair::{
    doctor::{Job, Mode, Probe, Reading},
    doctor_torch::{InMemory, TorchTrainer},
};

/// Learning curves without repair, to fix thresholds by; of the benign models alone, or with every fault too.
pub(crate) fn curves(first: u64, last: u64, benign: bool) {
    for seed in first..=last {
        for kind in (0..if benign { 0 } else { FAULTS.len() }).map(Some).chain([None]) {
            let Case { set, conv, fault, task, plan, acc, without_fault, .. } = case(seed, kind);
            let faulty = kind.is_some();
            let job = Job { plan: &plan, name: "before", epochs: plan.epochs, from: None };
            let (settings, mut sink) = (settings(false), InMemory::default());
            let mut trainer = TorchTrainer { task: &task, settings: &settings, sink: &mut sink };
            let watched = trainer.watch(job, Mode::Watch).unwrap();
            let curve = |of: fn(&Reading) -> f64| watched.readings.iter().map(of).collect::<Vec<_>>();
            let line = serde_json::json!({
                "seed": seed, "faulty": faulty, "set": set, "conv": conv, "fault": fault, "acc": acc,
                "without_fault": without_fault, "problems": watched.findings.iter().map(|f| f.problem.name()).collect::<Vec<_>>(),
                "train_loss": curve(|r| r.train.loss), "train_acc": curve(|r| r.train.acc),
                "val_loss": curve(|r| r.val.loss), "val_acc": curve(|r| r.val.acc),
                "ratio": curve(|r| r.probe.as_ref().map_or(f64::NAN, Probe::ratio)),
                "first": curve(|r| r.probe.as_ref().map_or(f64::NAN, Probe::first)),
            });
            println!("{line}");
        }
    }
}

/// What the rules see of one model, epoch by epoch, and all that the search tried.
pub(crate) fn show(seed: u64, faulty: bool) {
    let Case { set, conv, fault, task, plan, acc, without_fault, .. } = case(seed, fault_of(seed, faulty));
    println!("{fault} on {set}, conv {conv}: {acc:.3}, without the fault {without_fault:.3}\n{plan:?}\n");
    let job = Job { plan: &plan, name: "before", epochs: plan.epochs, from: None };
    let (settings, mut sink) = (settings(false), InMemory::default());
    let watched = TorchTrainer { task: &task, settings: &settings, sink: &mut sink }.watch(job, Mode::Watch).unwrap();
    println!("epoch  train loss, accuracy  validation loss, accuracy");
    for r in &watched.readings {
        let (t, v) = (&r.train, &r.val);
        println!("{:>5}  {:>10.4} {:.3}         {:>10.4} {:.3}", r.epoch + 1, t.loss, t.acc, v.loss, v.acc);
    }
    for f in &watched.findings {
        println!("{} after epoch {}: {}", f.problem.name(), f.epoch + 1, f.evidence);
    }
    let (judged, _, attempts) = judge(&task, &plan, false);
    println!("\nhouse: {:?} {:?}", judged.problem, judged.evidence);
    for a in attempts {
        let t = &a.trial;
        let (round, of) = (a.round, t.wished);
        println!(
            "{round} {:<22} {:>3} of {of:>3} epochs, settled {:.3}, loss {:.4}, {:?}: {}",
            format!("{}-{}", a.remedy, a.attempt),
            t.epochs,
            t.settled,
            t.best_loss,
            a.verdict,
            t.finding.as_ref().map_or("quiet", |f| f.problem.name())
        );
    }
}
