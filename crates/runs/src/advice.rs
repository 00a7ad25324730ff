use crate::{Environment, Layout, Summary, read_json, read_table};
use hybridrepair_core::{forecast::Round, intervals::Interval};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
use toml::Table;

/// `advice.json`: what is foretold of a repair before a label is bought. Nothing in the run depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// Version of this file's format: 1.
    pub format_version: u32,
    /// Mean confidence of the deployed model on held-out source pictures; null where there are none.
    pub source_confidence: Option<f64>,
    /// The same on the field pool.
    pub field_confidence: Option<f64>,
    /// Classes of the model.
    pub classes: usize,
    /// Gains of this budget and of larger ones; empty where nothing can be foretold.
    pub forecasts: Vec<Foretold>,
    /// Recorded repairs of other data and models that they stand on: fields with a budget each, and data sets.
    pub recorded: [usize; 2],
    /// Finished runs of this model on these pictures that they stand on.
    pub earlier: Vec<Earlier>,
    /// What should be known of them, in words.
    pub remarks: Vec<String>,
}

/// The foretold gain of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foretold {
    /// Pictures with a label to train on.
    pub labels: usize,
    /// Field accuracy of the repaired minus that of the deployed model, with its 95 % interval for one run.
    pub gain: Interval,
}

/// A finished run of the same kind, model and pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Earlier {
    /// Its folder's name.
    pub run: String,
    /// Pictures that it had labels of to train on.
    pub labels: usize,
    /// Its gain.
    pub gain: f64,
    /// Pictures that judged it.
    pub judged_by: usize,
    /// Variance of the gain, by them.
    pub variance: f64,
}

impl Earlier {
    /// As the forecast takes it.
    pub fn round(&self) -> Round {
        Round { labels: self.labels, gain: self.gain, variance: self.variance }
    }
}

/// What makes two runs of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind<'a> {
    /// Hash of the pictures.
    pub data: &'a str,
    /// Hash of the model under repair.
    pub model: &'a str,
    /// Method, strategy, trainer, preset, tier and features, as in `summary.json`.
    pub how: [&'a str; 6],
    /// Answers for each picture.
    pub answers: usize,
    /// Of simulated answers: the chance of a wrong one.
    pub error_rate: f64,
    /// How it trains: [`training_of`] its configuration.
    pub training: &'a str,
}

/// What a resolved configuration says of training, as text to be compared: a trial of one epoch tells nothing of a
/// whole repair.
pub fn training_of(config: &Table) -> String {
    let parts = ["keep", "stop", "finetune", "matching", "cheap"];
    parts.iter().filter_map(|key| config.get(*key).map(|value| format!("{key} = {value}\n"))).collect()
}

/// Finished runs of a kind in a folder, by name, but for the run `own`. What is no run, or cannot be read, is none of them.
pub fn earlier_runs(folder: &Path, own: Option<&Path>, kind: &Kind<'_>) -> Vec<Earlier> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found =
        entries.flatten().filter(|e| own.and_then(Path::file_name) != Some(&e.file_name())).filter_map(|e| {
            let layout = Layout::new(e.path());
            if !layout.summary().is_file() {
                return None;
            }
            let env: Environment = read_json(&layout.environment()).ok()?;
            let is = |key: &str, value: &str| env.libraries.get(key).is_some_and(|v| v == value);
            let summary = Summary::read(&layout.summary()).ok()?;
            let config = read_table(&layout.config()).ok()?;
            let (answers, error_rate) = answers(&config)?;
            let same = is(Environment::DATA, kind.data)
                && is(Environment::MODEL, kind.model)
                && how(&summary) == kind.how
                && (answers, error_rate) == (kind.answers, kind.error_rate)
                && training_of(&config) == kind.training;
            (same && summary.checkpoint.is_some()).then(|| earlier(&e.file_name().to_string_lossy(), &summary, answers))
        });
    let mut found = found.by_ref().collect::<Vec<_>>();
    found.sort_by(|a, b| a.run.cmp(&b.run));
    found
}

fn how(s: &Summary) -> [&str; 6] {
    [&s.method, &s.strategy, &s.trainer, &s.preset, &s.tier, &s.features]
}

/// Answers for each picture of a run, and the chance that a simulated one is wrong.
fn answers(config: &Table) -> Option<(usize, f64)> {
    let annotate = config.get("annotate")?;
    let answers = annotate.get("answers")?.as_integer().and_then(|a| usize::try_from(a).ok())?;
    Some((answers.max(1), annotate.get("error_rate")?.as_float()?))
}

fn earlier(run: &str, s: &Summary, answers: usize) -> Earlier {
    let h = &s.holdout;
    let n = h.n.max(1) as f64;
    let gain = h.after - h.raw;
    let changed = (h.repaired_vs_raw + h.broken_vs_raw) as f64 / n;
    let variance = (changed - gain * gain).max(1.0 / n) / n;
    let judges = s.random_share.as_ref().map_or(0, |r| r.n);
    let labels = (s.labels_bought / answers).saturating_sub(judges);
    Earlier { run: run.to_owned(), labels, gain, judged_by: h.n, variance }
}

impl Advice {
    /// Reads the file of a run, where it has one.
    /// `None` where none is there that can be read: nothing depends on it, and a run writes it anew.
    pub fn of(layout: &Layout) -> Option<Self> {
        read_json(&layout.advice()).ok()
    }

    /// In words, a line each.
    pub fn words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let (Some(source), Some(field)) = (self.source_confidence, self.field_confidence) {
            lines.push(format!(
                "the model's mean confidence is {:.1} % on held-out source pictures and {:.1} % on the field",
                100.0 * source,
                100.0 * field
            ));
        }
        for (i, f) in self.forecasts.iter().enumerate() {
            let what = if i == 0 { "predicted gain of" } else { "of" };
            lines.push(format!("{what:>17} {:>5} labels: {}", f.labels, points(&f.gain)));
        }
        if let [first, next, ..] = self.forecasts[..] {
            let more = 100.0 * (next.gain.value - first.gain.value);
            lines.push(format!("so the next {} labels are worth about {more:+.1} points", next.labels - first.labels));
        }
        if let Some(first) = self.forecasts.first() {
            lines.push(self.basis());
            if first.gain.low <= 0.0 {
                lines.push("the interval holds 0: buy a part of the labels first; what they gain makes the next prediction narrower".to_owned());
            }
        } else {
            lines.push(
                "no gain is predicted: no repair of this kind was recorded, and no run on these pictures is finished beside this one"
                    .to_owned(),
            );
        }
        lines.extend(self.remarks.iter().cloned());
        lines
    }

    fn basis(&self) -> String {
        let [budgets, sets] = self.recorded;
        let recorded = format!("{budgets} recorded repairs on {sets} fields");
        let runs = |n: usize| if n == 1 { "1 finished run".to_owned() } else { format!("{n} finished runs") };
        match (self.earlier.len(), budgets) {
            (0, _) => format!("this stands on {recorded}, and on no label of this one: it is wide for that reason"),
            (n, 0) => format!("this stands on {} on these pictures alone", runs(n)),
            (n, _) => format!("this stands on {} on these pictures, and on {recorded}", runs(n)),
        }
    }
}

/// A gain with its interval.
fn points(i: &Interval) -> String {
    format!("{:+.1} points [{:+.1}, {:+.1}]", 100.0 * i.value, 100.0 * i.low, 100.0 * i.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{summary::tests::example, write_json};

    const KIND: Kind<'_> = Kind {
        data: "d",
        model: "m",
        how: ["hybrid", "hybrid", "published", "corrected", "full", "penultimate"],
        answers: 1,
        error_rate: 0.0,
        training: "finetune = { epochs = 10 }\n",
    };

    fn finish(root: &Path, name: &str, data: &str, answers: usize, method: &str) {
        let layout = Layout::new(root.join(name));
        fs::create_dir_all(layout.root()).unwrap();
        let epochs = if name == "a trial" { 1 } else { 10 };
        let annotate = format!("[annotate]\nanswers = {answers}\nerror_rate = 0.0\n");
        fs::write(layout.config(), format!("{annotate}[finetune]\nepochs = {epochs}\n")).unwrap();
        let mut env = Environment::of_this_process("cpu", 1);
        env.libraries.insert(Environment::DATA.to_owned(), data.to_owned());
        env.libraries.insert(Environment::MODEL.to_owned(), "m".to_owned());
        write_json(&layout.environment(), &env).unwrap();
        example(method, 1, 0.8).write(&layout.summary()).unwrap();
    }

    #[test]
    fn only_finished_runs_of_the_same_kind_count() {
        let dir = tempfile::tempdir().unwrap();
        finish(dir.path(), "b", "d", 1, "hybrid");
        finish(dir.path(), "a", "d", 1, "hybrid");
        finish(dir.path(), "other pictures", "e", 1, "hybrid");
        finish(dir.path(), "other method", "d", 1, "mcp");
        finish(dir.path(), "three answers", "d", 3, "hybrid");
        finish(dir.path(), "a trial", "d", 1, "hybrid");
        fs::create_dir(dir.path().join("nothing")).unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        fs::create_dir(dir.path().join("torn")).unwrap();
        fs::write(dir.path().join("torn/summary.json"), "{").unwrap();
        let found = earlier_runs(dir.path(), None, &KIND);
        assert_eq!(found.iter().map(|e| (e.run.as_str(), e.labels)).collect::<Vec<_>>(), [("a", 60), ("b", 60)]);
        // of 1,000 pictures 65 changed
        assert!((found[1].gain - 0.1).abs() < 1e-12 && (found[1].variance - 0.000_055).abs() < 1e-12, "{found:?}");
        assert_eq!(earlier_runs(dir.path(), Some(&dir.path().join("a")), &KIND).len(), 1);
        assert_eq!(earlier_runs(&dir.path().join("not there"), None, &KIND), []);
        let thrice = earlier_runs(dir.path(), None, &Kind { answers: 3, ..KIND });
        assert_eq!((thrice.len(), thrice[0].labels), (1, 20));
    }

    #[test]
    fn words_say_what_it_stands_on() {
        let at = |labels, value: f64, low: f64| Foretold { labels, gain: Interval { value, low, high: value + 0.1 } };
        let mut advice = Advice {
            format_version: 1,
            source_confidence: Some(0.97),
            field_confidence: Some(0.85),
            classes: 16,
            forecasts: vec![at(80, 0.1, -0.01), at(160, 0.12, 0.01)],
            recorded: [9, 5],
            earlier: Vec::new(),
            remarks: vec!["a remark".to_owned()],
        };
        let told = advice.words().join("\n");
        for part in [
            "97.0 % on held-out source pictures and 85.0 %",
            "predicted gain of    80 labels: +10.0 points [-1.0, +20.0]",
            "the next 80 labels are worth about +2.0 points",
            "9 recorded repairs on 5 fields, and on no label of this one",
            "the interval holds 0",
            "a remark",
        ] {
            assert!(told.contains(part), "{part:?} is not in {told}");
        }
        advice.earlier.push(Earlier { run: "a".into(), labels: 60, gain: 0.1, judged_by: 1000, variance: 0.0 });
        assert!(advice.words().join("\n").contains("on 1 finished run on these pictures, and on 9 recorded"));
        advice.recorded = [0, 0];
        assert!(advice.words().join("\n").contains("on 1 finished run on these pictures alone"));
        advice.forecasts.clear();
        assert!(advice.words().join("\n").contains("no gain is predicted"));
    }
}
