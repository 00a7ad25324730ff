//! `data inspect --embeddings`: what stands out in embeddings, and what they are worth.

use crate::{Exit, Failure, args::InspectArgs, say};
use hybridrepair_core::{ClassId, Embeddings, Streams};
use hybridrepair_data::npy;
use hybridrepair_kernels::map_embeddings;
use hybridrepair_regions::{
    RegionError, Standouts,
    features::{effective_rank, knn_accuracy_left_out, spread},
    standouts,
};
use hybridrepair_runs::read_json;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Groups and rows that are shown.
const SHOWN: usize = 10;

/// The part of `files.json` that names rows.
#[derive(Deserialize)]
struct Files {
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Found {
    format_version: u32,
    rows: usize,
    columns: usize,
    spread: f64,
    effective_rank: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    knn: Option<f64>,
    alike: f64,
    near_duplicates: Vec<Vec<usize>>,
    outliers: Vec<Outlier>,
    outlier_from: f64,
    median_distance: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Outlier {
    row: usize,
    distance: f64,
}

pub(super) fn run(args: &InspectArgs, file: &Path) -> Result<ExitCode, Failure> {
    let rows = map_embeddings(file)
        .map_err(|e| Failure::new(Exit::Input, e).help("`hybridrepair embed` writes such a file: n x d numbers"))?;
    let files = match &args.files {
        Some(list) => read_json::<Files>(list)?.files,
        None => Vec::new(),
    };
    if !files.is_empty() && files.len() != rows.len() {
        let why = format!("{} files for {} rows", files.len(), rows.len());
        return Err(Failure::new(Exit::Input, why).help("pass the files.json that lies beside the embeddings"));
    }
    let wrong = |e: RegionError| match e {
        RegionError::Parameter { .. } => Failure::new(Exit::Usage, e).help("pass --alike between 0 and 1"),
        e => Failure::new(Exit::Input, e),
    };
    let knn = args.labels.as_deref().map(|labels| knn(&rows, labels)).transpose()?.flatten();
    let Standouts { duplicates, outliers, outlier_from, median } = standouts(&rows, args.alike).map_err(wrong)?;
    let found = Found {
        format_version: 1,
        rows: rows.len(),
        columns: rows.dim(),
        spread: spread(&rows),
        effective_rank: effective_rank(&rows, &mut Streams::new(0).named("rank")).map_err(wrong)?,
        knn,
        alike: args.alike,
        near_duplicates: duplicates,
        outliers: outliers.into_iter().map(|(row, distance)| Outlier { row, distance }).collect(),
        outlier_from,
        median_distance: median,
        files,
    };
    if args.json {
        let text = serde_json::to_string_pretty(&found).map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
    } else {
        tell(&found);
    }
    Ok(ExitCode::SUCCESS)
}

/// Accuracy of the nearest neighbours among the rows whose class is known; `None` when fewer than two are.
fn knn(rows: &Embeddings, labels: &Path) -> Result<Option<f64>, Failure> {
    let classes = npy::read_i64_1d(labels)?;
    if classes.len() != rows.len() {
        let why = format!("{}: {} labels for {} rows", labels.display(), classes.len(), rows.len());
        return Err(Failure::new(Exit::Input, why).help("pass one class per row, -1 where it is unknown"));
    }
    if let Some(bad) = classes.iter().find(|c| **c < -1 || **c > i64::from(u16::MAX)) {
        let why = format!("{}: {bad} is no class", labels.display());
        return Err(Failure::new(Exit::Input, why).help("classes are numbers from 0 on, -1 where unknown"));
    }
    let known = (0..rows.len()).filter(|&i| classes[i] >= 0).collect::<Vec<_>>();
    if known.len() < 2 {
        return Ok(None);
    }
    let part = rows.select(&known)?;
    let classes = known.iter().map(|&i| ClassId::from(classes[i] as usize)).collect::<Vec<_>>();
    knn_accuracy_left_out(&part, &classes).map(Some).map_err(|e| Failure::new(Exit::Input, e))
}

fn tell(f: &Found) {
    say!("{} rows of {} numbers", f.rows, f.columns);
    say!("spread {:.3} (1: evenly in all directions, 0: all alike), effective rank {:.1}", f.spread, f.effective_rank);
    if let Some(knn) = f.knn {
        say!("nearest neighbours name {:.2} % of the known classes", 100.0 * knn);
    }
    let in_groups = f.near_duplicates.iter().map(Vec::len).sum::<usize>();
    say!("{} groups of near-duplicates (cosine {} or more), {in_groups} rows", f.near_duplicates.len(), f.alike);
    for group in f.near_duplicates.iter().take(SHOWN) {
        let shown = group.iter().take(5).map(|&r| name(f, r)).collect::<Vec<_>>().join(", ");
        say!("  {:>5}: {shown}{}", group.len(), if group.len() > 5 { ", ..." } else { "" });
    }
    more(f.near_duplicates.len());
    say!(
        "{} outliers: mean distance to the ten nearest above {:.3} (median {:.3})",
        f.outliers.len(),
        f.outlier_from,
        f.median_distance
    );
    for outlier in f.outliers.iter().take(SHOWN) {
        say!("  {:.3}  {}", outlier.distance, name(f, outlier.row));
    }
    more(f.outliers.len());
}

/// A row by its file, where that is known.
fn name(f: &Found, row: usize) -> String {
    f.files.get(row).map_or_else(|| format!("row {row}"), |file| file.display().to_string())
}

fn more(all: usize) {
    if let Some(more @ 1..) = all.checked_sub(SHOWN) {
        say!("  and {more} more (--json has all)");
    }
}
