//! What a search leaves for people and programs, as text; whoever runs it writes the files.

use crate::{LayerGain, Point, Probe, ProbeEpoch, Side, Trace, TuneError};
use serde::{Deserialize, Serialize};

/// An epoch of a probe as a line of `probes.jsonl`. A probe that diverged ends with a line that is not finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeLine {
    /// Version of the format.
    pub v: u32,
    /// Learning rate.
    pub lr: f64,
    /// Weight decay; the recipe's own when it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wd: Option<f64>,
    /// Added to the recipe's seed.
    pub seed: u64,
    /// The epoch, from 1.
    pub epoch: usize,
    /// Epochs of the probe.
    pub epochs: usize,
    /// Share of silent sides.
    pub z: Option<f64>,
    /// Knowledge gains: of every layer the input side, then the output side, without those that show nothing.
    pub s: Vec<f64>,
    /// Mean training loss; missing when it is not finite.
    pub loss: Option<f64>,
    /// Training accuracy.
    pub acc: Option<f64>,
    /// Loss on held-out pictures.
    pub val_loss: Option<f64>,
    /// Accuracy on held-out pictures.
    pub val_acc: Option<f64>,
    /// Loss before the first step.
    pub start_loss: f64,
    /// Whether loss and weights are finite.
    pub finite: bool,
    /// Seconds of the whole probe.
    pub seconds: f64,
}

/// The lines of a probe.
pub fn probe_lines(probe: &Probe) -> Vec<ProbeLine> {
    let line = |epoch: usize, e: &ProbeEpoch, finite: bool| ProbeLine {
        v: 1,
        lr: probe.point.lr,
        wd: probe.point.wd,
        seed: probe.point.seed,
        epoch,
        epochs: probe.planned,
        z: e.z,
        s: e.layers.iter().flat_map(|l| [l.input, l.output]).flatten().map(|s| s.gain).collect(),
        loss: Some(e.loss).filter(|l| l.is_finite()),
        acc: e.train_acc.map(|a| a[0]),
        val_loss: e.val_loss.filter(|l| l.is_finite()),
        val_acc: e.val_acc.map(|a| a[0]),
        start_loss: probe.start_loss,
        finite,
        seconds: probe.seconds,
    };
    let mut lines = (1..).zip(&probe.epochs).map(|(n, e)| line(n, e, e.loss.is_finite())).collect::<Vec<_>>();
    if probe.epochs.len() < probe.planned {
        lines.push(line(probe.epochs.len() + 1, &ProbeEpoch { loss: f64::NAN, ..ProbeEpoch::default() }, false));
    }
    lines
}

/// The whole probes among some lines; one that was cut short is left out and trained again. Layers by name and top-5
/// accuracies are in the tables of [`layer_table`] alone.
pub fn probes_of(lines: &[ProbeLine]) -> Vec<Probe> {
    let mut probes = Vec::<Probe>::new();
    let mut whole = Vec::<bool>::new();
    for line in lines.iter().filter(|l| l.v == 1) {
        let point = Point { lr: line.lr, wd: line.wd, seed: line.seed };
        let at = if let Some(at) = probes.iter().position(|p| p.point == point) {
            at
        } else {
            let (start_loss, planned, seconds) = (line.start_loss, line.epochs, line.seconds);
            probes.push(Probe { point, start_loss, epochs: Vec::new(), planned, seconds });
            whole.push(false);
            probes.len() - 1
        };
        let probe = &mut probes[at];
        if line.epoch == 1 {
            // a probe that was begun twice counts as its last lines
            probe.epochs.clear();
            whole[at] = false;
        }
        if line.finite {
            probe.epochs.push(ProbeEpoch {
                z: line.z,
                layers: Vec::new(),
                loss: line.loss.unwrap_or(f64::NAN),
                train_acc: line.acc.map(|a| [a, a]),
                val_loss: line.val_loss,
                val_acc: line.val_acc.map(|a| [a, a]),
            });
        }
        whole[at] = !line.finite || probe.epochs.len() == line.epochs;
    }
    probes.into_iter().zip(whole).filter(|(_, whole)| *whole).map(|(p, _)| p).collect()
}

/// The table of a probe in the published columns: a row per layer, for every epoch accuracies, losses, knowledge gains, ranks,
/// conditions and the rate. What is called "test" there is the validation split here. A side that shows nothing is empty.
///
/// # Errors
/// When the table cannot be written to memory.
pub fn layer_table(probe: &Probe) -> Result<String, TuneError> {
    const COLUMNS: [&str; 16] = [
        "train_acc1",
        "train_acc5",
        "train_loss",
        "test_acc1",
        "test_acc5",
        "test_loss",
        "in_S",
        "out_S",
        "fc_S",
        "in_rank",
        "out_rank",
        "fc_rank",
        "in_condition",
        "out_condition",
        "learning_rate",
        "weight_decay",
    ];
    let mut header = vec!["layer".to_owned()];
    for epoch in 0..probe.epochs.len() {
        header.extend(COLUMNS.iter().map(|c| format!("{c}_epoch_{epoch}")));
    }
    let mut rows = vec![header];
    let names = probe.epochs.first().map(|e| e.layers.as_slice()).unwrap_or_default();
    for (row, layer) in names.iter().enumerate() {
        let mut cells = vec![layer.name.clone()];
        for epoch in &probe.epochs {
            let last = epoch.layers.last();
            cells.extend(cells_of(probe, epoch, epoch.layers.get(row), last));
        }
        rows.push(cells);
    }
    table(&rows)
}

fn cells_of(probe: &Probe, epoch: &ProbeEpoch, layer: Option<&LayerGain>, last: Option<&LayerGain>) -> Vec<String> {
    let number = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
    let input = layer.and_then(|l| l.input);
    let output = layer.and_then(|l| l.output);
    // the published "fc" is the last layer's output side
    let fc = last.and_then(|l| l.output);
    let of = |side: Option<Side>, f: fn(&Side) -> f64| number(side.as_ref().map(f));
    let acc = |a: Option<[f64; 2]>, i: usize| number(a.map(|a| a[i]));
    vec![
        acc(epoch.train_acc, 0),
        acc(epoch.train_acc, 1),
        number(Some(epoch.loss)),
        acc(epoch.val_acc, 0),
        acc(epoch.val_acc, 1),
        number(epoch.val_loss),
        of(input, |s| s.gain),
        of(output, |s| s.gain),
        of(fc, |s| s.gain),
        of(input, |s| s.rank),
        of(output, |s| s.rank),
        of(fc, |s| s.rank),
        of(input, |s| s.condition),
        of(output, |s| s.condition),
        number(Some(probe.point.lr)),
        number(probe.point.wd),
    ]
}

/// `lrrt.csv` of the search of 2020: `lr,rank,msg`.
///
/// # Errors
/// As [`layer_table`].
pub fn trace_table(trace: &[Trace]) -> Result<String, TuneError> {
    let mut rows = vec![["lr", "rank", "msg"].map(str::to_owned).to_vec()];
    rows.extend(trace.iter().map(|t| vec![t.lr.to_string(), t.z.to_string(), t.msg.to_owned()]));
    table(&rows)
}

fn table(rows: &[Vec<String>]) -> Result<String, TuneError> {
    let failed = |e: &dyn std::fmt::Display| TuneError::Probe(format!("a table cannot be written: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|e| failed(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}
