use crate::{
    Metric, RunsError, layout,
    report::{Chart, Html, Line, Page, RunFolder, Style},
};
use std::collections::BTreeMap;

/// Loss, accuracy and rate over the epochs of each stage that trains.
pub(super) struct Training;

/// Charts of one stage.
const MOST: usize = 8;

impl Page for Training {
    fn name(&self) -> &'static str {
        "training"
    }

    fn title(&self) -> &'static str {
        "Training"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::METRICS]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let metrics: Vec<Metric> = run.lines(layout::METRICS)?;
        let mut stages: Vec<&str> = Vec::new();
        for m in metrics.iter().filter(|m| m.epoch.is_some()) {
            if !stages.contains(&m.stage.as_str()) {
                stages.push(&m.stage);
            }
        }
        for stage in stages {
            let series = series_of(&metrics, stage);
            // one epoch makes no curve
            let charts: Vec<Chart> = series
                .iter()
                .filter(|(_, splits)| splits.values().any(|points| points.len() > 1))
                .take(MOST)
                .map(|(name, splits)| chart(name, splits))
                .collect();
            if !charts.is_empty() {
                html.heading(&format!("Stage {stage}"));
                html.charts(&charts);
            }
        }
        Ok(())
    }
}

type Splits = BTreeMap<String, Vec<(f64, f64)>>;

/// By measure, then by split: a value per epoch, the last one written where an epoch was repeated.
fn series_of(metrics: &[Metric], stage: &str) -> Vec<(String, Splits)> {
    let mut found: Vec<(String, Splits)> = Vec::new();
    let mut add = |name: &str, split: &str, epoch: u64, value: f64| {
        let at = found.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
            found.push((name.to_owned(), Splits::new()));
            found.len() - 1
        });
        let points = found[at].1.entry(split.to_owned()).or_default();
        points.retain(|(e, _)| *e != epoch as f64);
        points.push((epoch as f64, value));
    };
    for m in metrics.iter().filter(|m| m.stage == stage) {
        let Some(epoch) = m.epoch else { continue };
        let split = m.split.as_deref().unwrap_or("train");
        for (name, value) in [("loss", m.loss), ("accuracy", m.acc1), ("learning rate", m.lr)] {
            if let Some(value) = value {
                add(name, split, epoch, value);
            }
        }
        for (name, value) in &m.more {
            add(name, split, epoch, value.unwrap_or(f64::NAN));
        }
    }
    // what never moves makes no chart, but for the loss
    found.retain(|(name, splits)| {
        name == "loss" || splits.values().any(|p| p.iter().any(|(_, v)| p.first().is_some_and(|f| f.1 != *v)))
    });
    found
}

fn chart(name: &str, splits: &Splits) -> Chart {
    let shown = name.replace('_', " ");
    let mut chart = Chart::new(shown.clone(), "epoch", shown.clone());
    if name == "accuracy" {
        chart = chart.shares();
    }
    for (split, points) in splits {
        let style = if points.len() <= 60 { Style::Dotted } else { Style::Solid };
        let label = if splits.len() == 1 { shown.clone() } else { split.clone() };
        chart = chart.line(Line::new(label, points.clone()).style(style));
    }
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_epoch_counts_once_and_constants_are_left_out() {
        let metric =
            |epoch, loss, lr| Metric { epoch: Some(epoch), loss: Some(loss), lr: Some(lr), ..Metric::of("finetune") };
        let all = [metric(1, 2.0, 0.1), metric(2, 1.5, 0.1), metric(2, 1.0, 0.1), Metric::of("other")];
        let series = series_of(&all, "finetune");
        assert_eq!(series.len(), 1, "the rate does not move");
        assert_eq!(series[0].1["train"], [(1.0, 2.0), (2.0, 1.0)]);
    }
}
