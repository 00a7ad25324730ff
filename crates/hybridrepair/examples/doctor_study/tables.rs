//! The tables of the study.

use super::{FAULTS, Fixed, Judged, NEAR, Row, rows};
use hybridrepair_core::{intervals, metrics::mcnemar};

fn share(n: usize, of: usize) -> String {
    let i = intervals::share(n, of);
    format!("{n} of {of} ({:.1} to {:.1} %)", 100.0 * i.low, 100.0 * i.high)
}

type Of = fn(&Row) -> &Judged;

/// Accuracy of what a search keeps; what it was given where that is better.
fn kept(r: &Row, fixed: Option<&Fixed>) -> f64 {
    fixed.map_or(r.acc, |f| f.acc.max(r.acc))
}

/// The repair beside remedies drawn at random at the same cost, model by model.
fn against_control(faulty: &[&Row]) {
    let pairs = faulty.iter().map(|r| (kept(r, r.house.fixed.as_ref()), kept(r, r.control.as_ref()), r.without_fault));
    let pairs = pairs.collect::<Vec<_>>();
    let n = pairs.len() as f64;
    let mean = pairs.iter().map(|(h, c, _)| h - c).sum::<f64>() / n;
    let variance = pairs.iter().map(|(h, c, _)| (h - c - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = 1.96 * (variance / n).sqrt();
    println!(
        "\nHouse keeps {:+.1} points more than the control, 95 % interval {:+.1} to {:+.1}.",
        100.0 * mean,
        100.0 * (mean - half),
        100.0 * (mean + half)
    );
    let near = |acc: f64, sound: f64| acc >= sound - NEAR;
    let only = |a: fn(&(f64, f64, f64)) -> f64, b: fn(&(f64, f64, f64)) -> f64| {
        pairs.iter().filter(|p| near(a(p), p.2) && !near(b(p), p.2)).count()
    };
    let (house, control) = (only(|p| p.0, |p| p.1), only(|p| p.1, |p| p.0));
    println!(
        "Within 5 points of the model without the fault: {house} models only by house, {control} only by the control \
         (exact sign test, p = {:.2e}).",
        mcnemar(house, control)
    );
}

pub(crate) fn table(files: &[String]) {
    let all = files.iter().flat_map(|f| rows(f)).collect::<Vec<_>>();
    let faulty = all.iter().filter(|r| r.faulty).collect::<Vec<_>>();
    let benign = all.iter().filter(|r| !r.faulty).collect::<Vec<_>>();
    println!("| | icse21 | house | random control |\n| --- | ---: | ---: | ---: |");
    let profiles: [Of; 2] = [|r| &r.icse21, |r| &r.house];
    let line = |name: &str, cells: [String; 3]| println!("| {name} | {} |", cells.join(" | "));
    let count = |rows: &[&Row], of: Of| share(rows.iter().filter(|r| of(r).problem.is_some()).count(), rows.len());
    line("detected", [count(&faulty, profiles[0]), count(&faulty, profiles[1]), String::new()]);
    line("false alarms", [count(&benign, profiles[0]), count(&benign, profiles[1]), String::new()]);
    let fixed = |r: &Row, which: usize| match which {
        0 => r.icse21.fixed.clone(),
        1 => r.house.fixed.clone(),
        _ => r.control.clone(),
    };
    let cells = |of: &dyn Fn(usize) -> String| [of(0), of(1), of(2)];
    let acc = |r: &Row, which: usize| kept(r, fixed(r, which).as_ref());
    line(
        "the search says solved",
        cells(&|w| share(faulty.iter().filter(|r| fixed(r, w).is_some_and(|f| f.claims)).count(), faulty.len())),
    );
    line(
        "gains half of what the fault cost",
        cells(&|w| {
            share(faulty.iter().filter(|r| acc(r, w) >= r.acc + 0.5 * (r.without_fault - r.acc)).count(), faulty.len())
        }),
    );
    line(
        "within 5 points of the model without the fault",
        cells(&|w| share(faulty.iter().filter(|r| acc(r, w) >= r.without_fault - NEAR).count(), faulty.len())),
    );
    let mean = |of: &dyn Fn(&Row) -> f64| faulty.iter().map(|r| of(r)).sum::<f64>() / faulty.len().max(1) as f64;
    line("mean gain, points", cells(&|w| format!("{:.1}", 100.0 * mean(&|r| acc(r, w) - r.acc))));
    line("trainings to the end", cells(&|w| format!("{:.1}", mean(&|r| fixed(r, w).map_or(0.0, |f| f.models)))));
    line("trainings", cells(&|w| format!("{:.1}", mean(&|r| fixed(r, w).map_or(0.0, |f| f.trainings as f64)))));
    line("seconds", cells(&|w| format!("{:.1}", mean(&|r| fixed(r, w).map_or(0.0, |f| f.seconds)))));
    against_control(&faulty);
    println!();
    println!(
        "| fault | models | accuracy | without the fault | icse21 says | house says | house keeps | control keeps |"
    );
    println!("| --- | ---: | ---: | ---: | --- | --- | ---: | ---: |");
    for fault in FAULTS {
        let of = faulty.iter().filter(|r| r.fault == fault).copied().collect::<Vec<_>>();
        if of.is_empty() {
            continue;
        }
        let mean = |f: &dyn Fn(&Row) -> f64| 100.0 * of.iter().map(|r| f(r)).sum::<f64>() / of.len() as f64;
        let said = |j: Of| {
            let mut names = std::collections::BTreeMap::<String, usize>::new();
            for r in &of {
                *names.entry(j(r).problem.clone().unwrap_or("nothing".to_owned())).or_default() += 1;
            }
            names.iter().map(|(n, k)| format!("{n} {k}")).collect::<Vec<_>>().join(", ")
        };
        println!(
            "| {fault} | {} | {:.1} | {:.1} | {} | {} | {:.1} | {:.1} |",
            of.len(),
            mean(&|r| r.acc),
            mean(&|r| r.without_fault),
            said(profiles[0]),
            said(profiles[1]),
            mean(&|r| acc(r, 1)),
            mean(&|r| acc(r, 2))
        );
    }
    println!("\nNot as it should be:");
    for r in &all {
        let missed = r.faulty && (r.house.problem.is_none() || acc(r, 1) < r.without_fault - NEAR);
        if missed || (!r.faulty && r.house.problem.is_some()) {
            let kind = if r.conv { "conv" } else { "dense" };
            println!(
                "- seed {} {} {} {kind}: {:.3} (without fault {:.3}); house: {} {}; kept {:.3} ({})",
                r.seed,
                r.fault,
                r.set,
                r.acc,
                r.without_fault,
                r.house.problem.clone().unwrap_or("nothing".to_owned()),
                r.house.evidence.clone().unwrap_or_default(),
                acc(r, 1),
                r.house.fixed.as_ref().map_or("-", |f| f.remedy.as_str())
            );
        }
    }
}
