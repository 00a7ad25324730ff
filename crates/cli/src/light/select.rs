use crate::say;
use crate::{Exit, Failure, args::SelectArgs};
use hybridrepair_core::{
    ClassId, CoreError, Embeddings, Evidence, Need, Pool, PoolIdx, Probs, Regions, Selection, Source, Streams, Views,
};
use hybridrepair_data::npy;
use hybridrepair_kernels::map_npy;
use hybridrepair_regions::{Clusterer, Hybrid, medoids};
use hybridrepair_select::{Estimate, Limits, Size, Strategy, strategy};
use ndarray::Array1;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `select`
pub(super) fn run(args: &SelectArgs) -> Result<ExitCode, Failure> {
    if let Some(threads) = args.threads {
        if threads == 0 {
            return Err(Failure::new(Exit::Usage, "0 threads"));
        }
        // a pool that exists already keeps its size, and picks do not depend on it
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    let rule = strategy(&args.strategy)?;
    let mut evidence = read(args)?;
    let n = rows(&evidence).ok_or_else(|| {
        Failure::new(Exit::Usage, "no array of the pool is given")
            .help("pass at least one of --logits, --features, --embeddings")
    })?;
    evidence.check(n)?;
    let budget = args.budget.count(n)?;
    let streams = Streams::new(args.seed);
    let pool = Pool::counted(n);
    let size = Size::of(&pool, &evidence, budget);
    let clusters = rule.needs().contains(Need::Regions) && evidence.regions.is_none();
    let cost = rule.cost(&size);
    start(&*rule, if clusters { cost.and(clustering(&size)) } else { cost }, args)?;
    if clusters {
        let embeddings = evidence.embeddings.as_ref().or(evidence.features.as_ref()).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("strategy {} needs regions", rule.name()))
                .help("pass --regions, or --embeddings to cluster")
        })?;
        let found = Hybrid::corrected(budget)
            .cluster(embeddings, &mut streams.named("cluster"))
            .map_err(|e| Failure::new(Exit::Input, e))?;
        evidence.regions = Some(found.regions);
    }
    let picked = rule.select(&pool, &evidence, budget, &mut streams.named("select"))?;
    print(&picked, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Seconds from which on it is told how long it will take.
const LONG: f64 = 20.0;

/// What the published clustering takes: a few passes over all pairs for HDBSCAN, then k-means with a tenth of the samples.
fn clustering(size: &Size) -> Estimate {
    let (n, d) = (size.n as f64, size.dim as f64);
    let pairs = Estimate { bytes: 8.0 * n * d + 400.0 * n, products: 4.0 * n * n * (2.0 * d + 8.0), read: 0.0 };
    pairs.and(Estimate::kmeans(size, size.budget.max(size.n / 10)))
}

/// Refuses what would take too much, and tells what will take long.
fn start(rule: &dyn Strategy, cost: Estimate, args: &SelectArgs) -> Result<(), Failure> {
    if args.max_minutes.is_nan() || args.max_minutes <= 0.0 {
        return Err(Failure::new(Exit::Usage, format!("--max-minutes {} is not above 0", args.max_minutes)));
    }
    let limits = Limits { bytes: args.max_memory.map(|limit| limit.0), seconds: Some(60.0 * args.max_minutes) };
    cost.within(rule, &limits).map_err(|error| {
        Failure::new(Exit::Refused, &error).help(
            "raise --max-memory or --max-minutes, select from a part of the pool, or take a strategy that looks at each \
             sample once per pick: margin, coreset, badge",
        )
    })?;
    let seconds = cost.seconds();
    if seconds > LONG {
        notice(&format!("{} will take about {:.1} minutes", rule.name(), seconds / 60.0));
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "standard output holds the picks")]
fn notice(text: &str) {
    eprintln!("hybridrepair: {text}");
}

/// Rows that stay in their file where it holds them as they are needed, and else are read and converted.
fn embeddings(file: Option<&PathBuf>) -> Result<Option<Embeddings>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let rows = match map_npy(file) {
        Ok((rows, n, d)) => Embeddings::from_shared(rows, n, d),
        Err(_) => Embeddings::new(npy::read_f32_2d(file)?),
    };
    Ok(Some(
        rows.map_err(|error: CoreError| Failure { message: format!("{}: {error}", file.display()), ..error.into() })?,
    ))
}

fn read(args: &SelectArgs) -> Result<Evidence, Failure> {
    let matrix = |file: &Path| Ok::<_, Failure>(npy::read_f32_2d(file)?);
    let mut evidence = Evidence {
        features: embeddings(args.features.as_ref())?,
        embeddings: embeddings(args.embeddings.as_ref())?,
        ..Evidence::default()
    };
    if let Some(file) = &args.logits {
        evidence.probs = Some(Probs::from_logits(&matrix(file)?)?);
    }
    if let Some(file) = &args.views {
        let mean = matrix(file)?;
        let variance = match &args.view_variance {
            Some(file) => npy::read_f32_1d(file)?,
            None => Array1::zeros(mean.nrows()),
        };
        evidence.views = Some(Views::from_moments(mean, variance)?);
    }
    if let Some(file) = &args.regions {
        evidence.regions = Some(regions(file, &evidence)?);
    }
    evidence.source = source(args)?;
    Ok(evidence)
}

fn source(args: &SelectArgs) -> Result<Option<Source>, Failure> {
    let (rows, features) = (embeddings(args.source_embeddings.as_ref())?, embeddings(args.source_features.as_ref())?);
    if rows.is_none() && features.is_none() {
        return match &args.source_labels {
            None => Ok(None),
            Some(_) => Err(Failure::new(Exit::Usage, "--source-labels without the source data")
                .help("pass --source-features or --source-embeddings with it")),
        };
    }
    let labels = match &args.source_labels {
        Some(file) => npy::read_i64_1d(file)?
            .iter()
            .map(|&c| {
                let bad = || Failure::new(Exit::Input, format!("{}: class {c} is below 0", file.display()));
                u32::try_from(c).map(ClassId).map_err(|_| bad())
            })
            .collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    // one file alone holds rows of the same space as the pool's array that the strategy looks at
    let features = features.or_else(|| rows.clone());
    Ok(Some(Source { embeddings: rows, features, labels }))
}

fn rows(evidence: &Evidence) -> Option<usize> {
    let e = evidence;
    let arrays = [e.features.as_ref().map(Embeddings::len), e.embeddings.as_ref().map(Embeddings::len)];
    let others = [e.probs.as_ref().map(Probs::len), e.views.as_ref().map(Views::len)];
    arrays.into_iter().chain(others).flatten().next().or_else(|| e.regions.as_ref().map(Regions::pool_len))
}

/// Regions from numbers per sample; a region speaks through its medoid where embeddings are known, else its first member.
fn regions(file: &Path, evidence: &Evidence) -> Result<Regions, Failure> {
    let numbers = npy::read_i64_1d(file)?;
    // renumbered without gaps, in ascending order
    let known = numbers.iter().copied().filter(|&r| r >= 0).collect::<std::collections::BTreeSet<_>>();
    let known = known.into_iter().collect::<Vec<_>>();
    let labels = numbers.iter().map(|r| known.binary_search(r).ok().map(|r| r as u32)).collect::<Vec<_>>();
    let mut members = vec![Vec::new(); known.len()];
    for (row, label) in labels.iter().enumerate() {
        if let Some(r) = label {
            members[*r as usize].push(row as u32);
        }
    }
    let centers = match evidence.embeddings.as_ref().or(evidence.features.as_ref()) {
        Some(x) if x.len() == labels.len() => medoids(x, &members),
        _ => members.iter().map(|m| PoolIdx(m[0])).collect(),
    };
    Ok(Regions::from_labels(&labels, &centers)?)
}

fn print(picked: &Selection, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(picked).map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
        return Ok(());
    }
    say!("{:>6} {:>10} {:>14}  reason", "rank", "id", "score");
    for pick in &picked.picks {
        say!("{:>6} {:>10} {:>14.6}  {}", pick.rank, pick.id, pick.score, pick.reason);
    }
    Ok(())
}
