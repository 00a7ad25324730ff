//! A comparison as Markdown for people and as CSV for programs.

use crate::{Comparison, compare::Row};
use hybridrepair_core::metrics::MeanInterval;
use std::fmt::Write;

impl Comparison {
    /// A Markdown table: accuracies and differences in percent, every seed shown, counts as means over the seeds.
    pub fn markdown(&self) -> String {
        let mut seeds: Vec<u64> = self.rows.iter().flat_map(|r| r.seeds.iter().map(|c| c.seed)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut head = ["method", "features", "labels"].map(str::to_owned).to_vec();
        head.extend(seeds.iter().map(|s| format!("seed {s}")));
        head.push("mean ± sd".to_owned());
        head.push(format!("minus {} [95 %]", self.baseline));
        head.extend(["gain", "repaired", "broken", "images trained", "minutes"].map(str::to_owned));
        let mut out = String::new();
        line(&mut out, &head);
        let align: Vec<_> = (0..head.len()).map(|i| if i < 2 { "---" } else { "---:" }.to_owned()).collect();
        line(&mut out, &align);
        for row in &self.rows {
            line(&mut out, &self.cells(row, &seeds));
        }
        let _ = write!(
            out,
            "\nTop-1 accuracy in % on {} holdout samples; gain and differences in percentage points, paired by seed, \
             with the 95 % interval of Student's t.\n",
            self.holdout
        );
        if !self.refused.is_empty() {
            let _ = writeln!(out, "\nRefused by the guards, and left out of all means: {}.", self.refused.join(", "));
        }
        out
    }

    fn cells(&self, row: &Row, seeds: &[u64]) -> Vec<String> {
        let mean =
            |f: fn(&crate::compare::Cell) -> f64| row.seeds.iter().map(f).sum::<f64>() / row.seeds.len().max(1) as f64;
        let name = |text: &str| text.replace('|', "\\|");
        let mut cells = vec![name(&row.label), name(&row.features), format!("{:.0}", mean(|c| c.labels as f64))];
        for seed in seeds {
            let cell = row.seeds.iter().find(|c| c.seed == *seed);
            cells.push(cell.map_or_else(|| "-".to_owned(), |c| percent(c.after)));
        }
        cells.push(format!("{} ± {}", percent(row.after.mean), percent(row.after.sd)));
        cells.push(match row.difference {
            Some(d) => interval(&d),
            None if row.method == self.baseline => "(baseline)".to_owned(),
            None => "-".to_owned(),
        });
        cells.push(signed(row.gain.mean));
        cells.push(format!("{:.0}", mean(|c| c.repaired as f64)));
        cells.push(format!("{:.0}", mean(|c| c.broken as f64)));
        cells.push(format!("{:.0}", mean(|c| c.images_trained as f64)));
        cells.push(format!("{:.1}", mean(|c| c.seconds) / 60.0));
        cells
    }

    /// One CSV line per run, accuracies as fractions.
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "method,strategy,trainer,preset,features,budget,seed,labels,raw,before,after,difference,repaired,broken,images_trained,seconds\n",
        );
        for row in &self.rows {
            let names = [&row.method, &row.strategy, &row.trainer, &row.preset, &row.features].map(|n| quoted(n));
            for c in &row.seeds {
                let difference = c.difference.map_or_else(String::new, |d| d.to_string());
                let _ = writeln!(
                    out,
                    "{},{},{},{},{},{},{},{difference},{},{},{},{}",
                    names.join(","),
                    row.budget,
                    c.seed,
                    c.labels,
                    c.raw,
                    c.before,
                    c.after,
                    c.repaired,
                    c.broken,
                    c.images_trained,
                    c.seconds
                );
            }
        }
        out
    }
}

fn line(out: &mut String, cells: &[String]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn percent(fraction: f64) -> String {
    format!("{:.2}", 100.0 * fraction)
}

fn signed(fraction: f64) -> String {
    // no "-0.00"
    let rounded = (fraction * 1e4).round() / 1e2;
    format!("{:+.2}", if rounded == 0.0 { 0.0 } else { rounded })
}

fn interval(d: &MeanInterval) -> String {
    if d.half_width.is_finite() {
        let (low, high) = d.ends();
        format!("{} [{}, {}]", signed(d.mean), signed(low), signed(high))
    } else {
        format!("{} [one seed]", signed(d.mean))
    }
}

/// RFC 4180.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::example;

    fn table() -> Comparison {
        let runs: Vec<_> = [(10, 0.74, 0.78), (20, 0.75, 0.78)]
            .into_iter()
            .flat_map(|(seed, random, hybrid)| [example("random", seed, random), example("hybrid", seed, hybrid)])
            .chain([example("gini", 30, 0.7)])
            .collect();
        Comparison::of(&runs, "random").unwrap()
    }

    #[test]
    fn markdown_shows_every_seed() {
        let text = table().markdown();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "| method | features | labels | seed 10 | seed 20 | seed 30 | mean ± sd | minus random [95 %] | gain | repaired | broken | images trained | minutes |"
        );
        assert_eq!(
            lines[2],
            "| random | penultimate | 60 | 74.00 | 75.00 | - | 74.50 ± 0.71 | (baseline) | +2.50 | 50 | 10 | 1000 | 0.2 |"
        );
        // differences .04 and .03: mean .035, half width 12.7062 * .0070711 / sqrt 2
        assert!(lines[3].contains("| +3.50 [-2.85, +9.85] |"), "{}", lines[3]);
        assert!(lines[4].contains("| - |"));
        assert!(lines[0].matches('|').count() == lines[3].matches('|').count());
    }

    #[test]
    fn refused_runs_are_named_under_the_table() {
        let table = Comparison { refused: vec!["gini-0.01-seed20".to_owned()], ..table() };
        assert!(table.markdown().ends_with("left out of all means: gini-0.01-seed20.\n"), "{}", table.markdown());
    }

    #[test]
    fn csv_has_one_line_per_run_and_json_has_all() {
        let table = table();
        let text = table.csv();
        assert_eq!(text.lines().count(), 6);
        let columns = text.lines().next().unwrap().split(',').count();
        assert!(text.lines().all(|l| l.split(',').count() == columns), "{text}");
        assert!(text.contains("hybrid,hybrid,published,corrected,penultimate,60,10,60,0.7,0.72,0.78,0.04"), "{text}");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        let json = serde_json::to_value(&table).unwrap();
        assert_eq!(json["rows"][1]["difference"]["n"], 2);
        assert!(json["rows"][2]["after"]["half_width"].is_null(), "one seed has no interval");
    }

    #[test]
    fn nothing_is_minus_zero() {
        assert_eq!(signed(-0.000_000_1), "+0.00");
        assert_eq!(signed(-0.01), "-1.00");
    }
}
