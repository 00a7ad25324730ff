//! The numbers of runs for other programs: scalars over time, and flat tables.

use crate::{Event, EventLine, Layout, Metric, RunsError, Scalar, Summary, read_lines};
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// Everything that `metrics.jsonl` and `summary.json` say of a run, as scalars in the order of the file.
///
/// A reading's time is when its stage last began before it, plus the seconds that it says; a step is the epoch where there
/// is one, else the step, else 0.
///
/// # Errors
/// When a file cannot be read or does not fit.
pub fn scalars(run: &Path) -> Result<Vec<Scalar>, RunsError> {
    let layout = Layout::new(run);
    let mut began: BTreeMap<String, f64> = BTreeMap::new();
    let mut last = 0.0f64;
    if layout.events().is_file() {
        for line in read_lines::<EventLine>(&layout.events())?.rows {
            let Ok(time) = line.time.parse::<Timestamp>() else { continue };
            let time = time.as_nanosecond() as f64 / 1e9;
            last = last.max(time);
            if let Event::StageStart { stage } = line.event {
                began.insert(stage, time);
            }
        }
    }
    let mut out = Vec::new();
    if layout.metrics().is_file() {
        for m in read_lines::<Metric>(&layout.metrics())?.rows {
            let time = began.get(&m.stage).copied().unwrap_or(last) + m.seconds.unwrap_or(0.0);
            let step = m.epoch.or(m.step).unwrap_or(0) as i64;
            for (name, value) in values(&m) {
                // a second split of the same measure is a curve of its own
                let split = m.split.as_deref().map_or_else(String::new, |s| format!("/{s}"));
                out.push(Scalar { time, step, tag: format!("{}/{name}{split}", m.stage), value: value as f32 });
            }
        }
    }
    if layout.summary().is_file() {
        let s = Summary::read(&layout.summary())?;
        let h = &s.holdout;
        let numbers = [
            ("raw", h.raw),
            ("before", h.before),
            ("after", h.after),
            ("repaired", h.repaired as f64),
            ("broken", h.broken as f64),
            ("labels", s.labels_bought as f64),
        ];
        out.extend(numbers.map(|(name, value)| Scalar {
            time: last,
            step: 0,
            tag: format!("summary/{name}"),
            value: value as f32,
        }));
    }
    Ok(out)
}

/// The numbers of a reading by name; what is not finite is left out.
fn values(m: &Metric) -> Vec<(String, f64)> {
    let own = [("loss", m.loss), ("acc1", m.acc1), ("lr", m.lr), ("images", m.images.map(|n| n as f64))];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    let more = m.more.iter().map(|(name, value)| (name.clone(), *value));
    own.chain(more).filter_map(|(name, value)| Some((name, value.filter(|v| v.is_finite())?))).collect()
}

/// One line of `metrics.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricRow {
    /// The run.
    pub run: String,
    /// The stage.
    pub stage: String,
    /// Epochs completed.
    pub epoch: Option<u64>,
    /// Steps completed.
    pub step: Option<u64>,
    /// The data.
    pub split: Option<String>,
    /// What was measured.
    pub measure: String,
    /// Its value.
    pub value: f64,
}

/// One line of `runs.csv`; accuracies are fractions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    run: String,
    method: String,
    strategy: String,
    trainer: String,
    preset: String,
    features: String,
    seed: u64,
    budget: usize,
    labels: usize,
    holdout: usize,
    raw: f64,
    before: f64,
    after: f64,
    repaired: usize,
    broken: usize,
    images_trained: u64,
    images_forward: u64,
    seconds: f64,
}

/// One line of `classes.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassRow {
    run: String,
    class: u32,
    name: String,
    n: usize,
    before: f64,
    after: f64,
    repaired: usize,
    broken: usize,
}

/// The flat tables of several runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// A line per run that is complete.
    pub runs: Vec<RunRow>,
    /// A line per class of each.
    pub classes: Vec<ClassRow>,
    /// A line per number over time.
    pub metrics: Vec<MetricRow>,
}

impl Tables {
    /// Adds a run under a name.
    ///
    /// # Errors
    /// When a file cannot be read or does not fit.
    pub fn add(&mut self, name: &str, run: &crate::report::RunFolder) -> Result<(), RunsError> {
        let layout = run.layout();
        let named = || name.to_owned();
        if layout.summary().is_file() {
            let s = Summary::read(&layout.summary())?;
            let h = s.holdout;
            self.classes.extend(h.per_class.iter().map(|c| ClassRow {
                run: named(),
                class: c.class.0,
                name: run.class(c.class.column()),
                n: c.n,
                before: c.before,
                after: c.after,
                repaired: c.repaired,
                broken: c.broken,
            }));
            self.runs.push(RunRow {
                run: named(),
                method: s.method,
                strategy: s.strategy,
                trainer: s.trainer,
                preset: s.preset,
                features: s.features,
                seed: s.seed,
                budget: s.budget.count,
                labels: s.labels_bought,
                holdout: h.n,
                raw: h.raw,
                before: h.before,
                after: h.after,
                repaired: h.repaired,
                broken: h.broken,
                images_trained: s.images_trained,
                images_forward: s.images_forward,
                seconds: s.seconds.values().sum(),
            });
        }
        for m in run.lines::<Metric>(crate::layout::METRICS)? {
            self.metrics.extend(values(&m).into_iter().map(|(measure, value)| MetricRow {
                run: named(),
                stage: m.stage.clone(),
                epoch: m.epoch,
                step: m.step,
                split: m.split.clone(),
                measure,
                value,
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_reading_has_the_time_of_its_stage_and_its_own_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        fs::write(
            layout.events(),
            "{\"v\":1,\"time\":\"1970-01-01T00:01:40Z\",\"event\":{\"kind\":\"stage-start\",\"stage\":\"finetune\"}}\n",
        )
        .unwrap();
        let mut metric = Metric { epoch: Some(3), loss: Some(0.5), seconds: Some(7.0), ..Metric::of("finetune") };
        metric.split = Some("train".into());
        metric.more = [("pairs".to_owned(), Some(2.0)), ("bad".to_owned(), None)].into();
        fs::write(layout.metrics(), serde_json::to_string(&metric).unwrap() + "\n").unwrap();
        let found = scalars(dir.path()).unwrap();
        let tags: Vec<_> = found.iter().map(|s| (s.tag.as_str(), s.step, s.time, s.value)).collect();
        assert_eq!(tags, [("finetune/loss/train", 3, 107.0, 0.5), ("finetune/pairs/train", 3, 107.0, 2.0)]);
    }
}
