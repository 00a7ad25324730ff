//! The report as Markdown.

use crate::{Outcome, Plan, Scores, Standings, Trial, profile};
use std::fmt::Write;

/// Holdout loss over target at which a success looks like one of testing too often.
const LAG: f64 = 1.1;
/// Points of the performance profile.
const TAUS: [f64; 5] = [1.0, 1.5, 2.0, 4.0, 8.0];

/// The table of a ranking: solved tasks, score with its interval, speed-ups by task.
pub fn table(scores: &Scores) -> String {
    let mut text = format!(
        "| entry | solved | score | 95 % | failed runs |{}\n|---|---:|---:|---:|---:|{}\n",
        scores
            .entries
            .first()
            .map_or(String::new(), |s| s.speedups.keys().fold(String::new(), |t, k| t + " " + k + " |")),
        "---:|".repeat(scores.tasks)
    );
    for s in &scores.entries {
        let (low, high) = s.interval;
        let by_task = s.speedups.values().fold(String::new(), |t, u| t + &format!(" {u:.2} |"));
        // writing to a String does not fail
        let _ = writeln!(
            text,
            "| {} | {} of {} | **{:.2}** | {low:.2} to {high:.2} | {} |{by_task}",
            s.entry, s.solved, scores.tasks, s.score, s.failed_runs
        );
    }
    text
}

/// The whole report.
pub fn markdown(plan: &Plan, trials: &[Trial], standings: &Standings) -> String {
    let mut text = format!(
        "# Arena: {}{}\n\nhybridrepair {}, {} runs of each entry on each of {} tasks from seed {}, baseline {}; {} with {} cores.\n",
        plan.suite,
        plan.suite_seed.map_or(String::new(), |s| format!(", suite seed {s}")),
        plan.hybridrepair,
        plan.repeats,
        plan.tasks.len(),
        plan.seed,
        plan.baseline,
        plan.machine.processor,
        plan.machine.cores,
    );
    let both = [&standings.work, &standings.wall];
    for scores in both {
        let ranks = if scores.clock == standings.ranked_by { ": the ranking" } else { "" };
        let _ = write!(
            text,
            "\n## By {}{ranks}\n\nScore: harmonic mean of the speed-ups over {}; a failed run is charged twice the limit.\n\n{}\n{}",
            scores.clock.name(),
            scores.baseline,
            table(scores),
            profiles(scores)
        );
    }
    text += "\n## Tasks\n\n| task | is | target | work limit | seconds |\n|---|---|---:|---:|---:|\n";
    for t in &plan.tasks {
        let _ = writeln!(
            text,
            "| {} | {} | {:.3} | {:.0} | {} |",
            t.name, t.about, t.target, t.limits.work, t.limits.seconds
        );
    }
    text += &remarks(plan, trials);
    text
}

/// Share of tasks solved within so many times the best entry's time.
fn profiles(scores: &Scores) -> String {
    let head = TAUS.iter().fold(String::new(), |t, tau| t + &format!(" {tau} |"));
    let mut text = format!(
        "Share of the tasks solved within so many times the best entry's time:\n\n| entry |{head}\n|---|{}\n",
        "---:|".repeat(TAUS.len())
    );
    for s in &scores.entries {
        let ratios: Vec<f64> = s.ratios.values().map(|r| r.unwrap_or(f64::INFINITY)).collect();
        let row = TAUS.iter().fold(String::new(), |t, &tau| t + &format!(" {:.2} |", profile(&ratios, tau)));
        let _ = writeln!(text, "| {} |{row}", s.entry);
    }
    text
}

/// Failed runs by name, and successes that the holdout does not confirm.
fn remarks(plan: &Plan, trials: &[Trial]) -> String {
    let mut text = String::new();
    let failed: Vec<&Trial> = trials.iter().filter(|t| t.outcome != Outcome::Reached).collect();
    if !failed.is_empty() {
        text += "\n## Failed runs\n\n| task | entry | seed | outcome | last loss | |\n|---|---|---:|---|---:|---|\n";
        for t in failed {
            let loss = t.loss.map_or_else(|| "none".to_owned(), |l| format!("{l:.3}"));
            let note = t.note.as_deref().unwrap_or("");
            let _ = writeln!(text, "| {} | {} | {} | {} | {loss} | {note} |", t.task, t.entry, t.seed, t.outcome);
        }
    }
    let target = |task: &str| plan.tasks.iter().find(|t| t.name == task).map_or(f64::NAN, |t| t.target);
    let lagging: Vec<&Trial> = trials
        .iter()
        .filter(|t| t.outcome == Outcome::Reached && t.holdout_loss.is_none_or(|l| l > LAG * target(&t.task)))
        .collect();
    if !lagging.is_empty() {
        text += "\n## Targets that the holdout does not confirm\n\nReached on the target split, while the loss on the holdout was more than 10 % above the target. Where it is so for all entries, the splits differ; where for one, it has looked too often.\n\n| task | entry | runs | mean holdout loss | target | mean probes |\n|---|---|---:|---:|---:|---:|\n";
        for task in &plan.tasks {
            for entry in &plan.entries {
                let own: Vec<&&Trial> = lagging.iter().filter(|t| t.task == task.name && t.entry == *entry).collect();
                if own.is_empty() {
                    continue;
                }
                let n = own.len() as f64;
                let mean = own.iter().map(|t| t.holdout_loss.unwrap_or(f64::NAN)).sum::<f64>() / n;
                let probes = own.iter().map(|t| t.probes as f64).sum::<f64>() / n;
                let _ =
                    writeln!(text, "| {} | {entry} | {n} | {mean:.3} | {:.3} | {probes:.0} |", task.name, task.target);
            }
        }
    }
    text
}
