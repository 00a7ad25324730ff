use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{ClassId, Embeddings, Evidence, Purpose, SealedLabels, Source};
use hybridrepair_regions::{
    features::{effective_rank, knn_accuracy, knn_accuracy_left_out, spread},
    quality::{nmi, purity},
};
use hybridrepair_runs::Metric;

/// Rows of a side that neighbours are looked for among, at most.
const ROWS: usize = 6000;

/// How good the embeddings are: noted in `metrics.jsonl` and said. Sealed labels are read as a diagnosis; no choice depends
/// on them.
///
/// `spread` and `effective_rank` of the field pool; `knn_source`: training pictures named by the others' nearest; and, where
/// the field has sealed labels, `knn_field` (field pictures named by the nearest training pictures), `knn_within` (by the
/// nearest field pictures), `region_purity` and `region_nmi` against classes and `condition_nmi` against conditions.
///
/// # Errors
/// When embeddings cannot be compared.
pub fn quality(session: &Session, run: &mut Run<'_>, evidence: &Evidence) -> Result<(), Error> {
    run.stage("quality", |run| {
        let Some(field) = &evidence.embeddings else { return Ok(((), Cost::default())) };
        let mut metric = Metric::of("quality");
        let mut found: Vec<(&str, f64)> = vec![
            ("spread", spread(field)),
            ("effective_rank", effective_rank(field, &mut session.streams.named("quality.rank"))?),
        ];
        let source = evidence.source.as_ref().and_then(|s| sample(session, s).transpose()).transpose()?;
        if let Some((rows, labels)) = source.as_ref().filter(|(rows, _)| rows.len() > 1) {
            found.push(("knn_source", knn_accuracy_left_out(rows, labels)?));
        }
        let sealed = &session.splits.field.labels;
        if !sealed.is_empty() {
            let mut read = |of: &SealedLabels| run.ledger.reveal(of, Purpose::Diagnose, "embedding quality").to_vec();
            let truth = read(sealed);
            let conditions = session.splits.field.conditions.as_ref().map(&mut read);
            let rows = drawn(session, field.len(), "quality.field");
            let (part, classes) = (field.select(&rows)?, rows.iter().map(|&r| truth[r]).collect::<Vec<_>>());
            if let Some((base, labels)) = source.as_ref().filter(|(base, _)| base.dim() == part.dim()) {
                found.push(("knn_field", knn_accuracy((&part, &classes), (base, labels))?));
            }
            if part.len() > 1 {
                found.push(("knn_within", knn_accuracy_left_out(&part, &classes)?));
            }
            if let Some(regions) = &evidence.regions {
                let groups = regions.labels().iter().map(|r| r.map(|r| r.0)).collect::<Vec<_>>();
                let of = |c: &[ClassId]| c.iter().map(|c| Some(c.0)).collect::<Vec<_>>();
                found.push(("region_purity", purity(&groups, &of(&truth))?));
                found.push(("region_nmi", nmi(&groups, &of(&truth))?));
                if let Some(conditions) = conditions {
                    found.push(("condition_nmi", nmi(&groups, &of(&conditions))?));
                }
            }
        }
        let name = session.config.extractor.parse::<hybridrepair_embed::Extractor>()?.name();
        run.progress.say(&format!("features {name}: {}", in_words(&found)));
        metric.more = found.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect();
        run.metrics.record(&metric)?;
        Ok(((), Cost::default()))
    })
}

fn in_words(found: &[(&str, f64)]) -> String {
    let one = |(name, value): &(&str, f64)| {
        let name = name.replace('_', " ");
        match name.as_str() {
            "spread" | "region nmi" | "condition nmi" => format!("{name} {value:.3}"),
            "effective rank" => format!("{name} {value:.1}"),
            _ => format!("{name} {:.1} %", 100.0 * value),
        }
    };
    found.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Some rows of `n`, in order.
fn drawn(session: &Session, n: usize, name: &str) -> Vec<usize> {
    let mut rng = session.streams.named(name);
    let mut rows = rand::seq::index::sample(&mut rng, n, ROWS.min(n)).into_vec();
    rows.sort_unstable();
    rows
}

/// Some of the source's embeddings with their labels, where there are any.
fn sample(session: &Session, source: &Source) -> Result<Option<(Embeddings, Vec<ClassId>)>, Error> {
    let Some(all) = &source.embeddings else { return Ok(None) };
    let rows = drawn(session, all.len(), "quality.source");
    Ok(Some((all.select(&rows)?, rows.iter().map(|&r| source.labels[r]).collect())))
}
