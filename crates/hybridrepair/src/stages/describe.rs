use super::{Behind, Evaluation, Repaired};
use crate::{Error, Run, Session, run::Cost, surroundings::surroundings};
use hybridrepair_core::{ClassId, Evidence, PoolIdx, Probs, Purpose, Selection};
use hybridrepair_data::thumbnail_sheet;
use hybridrepair_kernels::{Points, principal_plane};
use hybridrepair_runs::{
    FieldChange, FieldRow, Group, Judged, Layout, RunsError, Thumbnails, write_atomic, write_csv, write_json,
};
use hybridrepair_torch::predict;
use std::collections::BTreeSet;

/// Bought pictures that are shown with their surroundings.
const SHOWN: usize = 120;
/// Pictures around each.
const AROUND: usize = 11;
/// Most pixels of a thumbnail's side.
const SIDE: usize = 64;
/// Thumbnails in a line of their sheet.
const COLUMNS: usize = 40;

/// What a run stood on.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// What selection looked at.
    pub evidence: &'a Evidence,
    /// What was bought.
    pub selection: &'a Selection,
    /// Of the cheap tier: what its frozen trunk gave.
    pub behind: Option<&'a Behind>,
}

/// Writes what the report shows and nothing else reads: the names of the classes, the predictions on the samples that
/// judged, and, of a repair that bought labels, the map of the field pool and small pictures around the labels.
///
/// The repaired model predicts the field pool once more, where that does not follow from what a frozen trunk gave.
/// Where the data set has its classes they are read here, after the last choice, and noted in the ledger as a
/// diagnosis.
///
/// # Errors
/// When libtorch fails, or a file cannot be written.
pub fn describe(
    session: &Session,
    run: &mut Run<'_>,
    shown: &Shown<'_>,
    evaluation: &Evaluation,
    repaired: Option<&Repaired>,
) -> Result<(), Error> {
    run.stage("describe", |run| {
        let Shown { evidence, selection, behind } = *shown;
        let layout = run.dir.layout().clone();
        write_json(&layout.classes(), &session.splits.class_names)?;
        write_csv(&layout.predictions(), &judged(evaluation))?;
        let (Some(repaired), Some(probs)) = (repaired, &evidence.probs) else { return Ok(((), Cost::default())) };
        let images = &session.splits.field.images;
        let (after, forward) = match behind.and_then(Behind::as_they_are) {
            Some((trunk, kept)) => (trunk.classes(&repaired.model, &kept), 0),
            None => (predict(&repaired.model, images, &session.normalizer)?.classes(), images.len() as u64),
        };
        let sealed = &session.splits.field.labels;
        let truth =
            (!sealed.is_empty()).then(|| run.ledger.reveal(sealed, Purpose::Diagnose, "map of the report").to_vec());
        write_csv(&layout.field(), &map(session, evidence, probs, &after, truth.as_deref())?)?;
        thumbnails(session, &layout, selection, evidence)?;
        Ok(((), Cost { images_forward: forward, ..Cost::default() }))
    })
}

fn judged(evaluation: &Evaluation) -> Vec<Judged> {
    let [raw, before, after] = &evaluation.predictions;
    let rows = evaluation.judged.iter().zip(raw).zip(before.iter().zip(after));
    rows.map(|((&(id, truth), &raw), (&before, &after))| Judged { id, truth, raw, before, after }).collect()
}

fn map(
    session: &Session,
    evidence: &Evidence,
    probs: &Probs,
    after: &[ClassId],
    truth: Option<&[ClassId]>,
) -> Result<Vec<FieldRow>, Error> {
    let plane = match &evidence.embeddings {
        Some(e) => {
            principal_plane(Points::new(e.as_slice(), e.dim())?, &mut session.streams.named("map of the report"))
        }
        None => vec![[0.0; 2]; after.len()],
    };
    let rows = plane.iter().zip(after).enumerate().map(|(row, (&[x, y], &after))| {
        let p = probs.row(row);
        let best = (0..p.len()).fold(0, |b, c| if p[c] > p[b] { c } else { b });
        let (idx, raw) = (PoolIdx::from(row), ClassId::from(best));
        let change = truth.map(|t| FieldChange::of(raw == t[row], after == t[row]));
        FieldRow { idx, id: session.pool.id(idx), x, y, raw, confidence: p[best], after, change }
    });
    Ok(rows.collect())
}

fn thumbnails(session: &Session, layout: &Layout, selection: &Selection, evidence: &Evidence) -> Result<(), Error> {
    let picks: Vec<_> = selection.picks.iter().take(SHOWN).collect();
    if picks.is_empty() {
        return Ok(());
    }
    let images = &session.splits.field.images;
    let (mut order, mut known) = (Vec::new(), BTreeSet::new());
    let mut groups = Vec::with_capacity(picks.len());
    for (pick, around) in picks.iter().zip(surroundings(&picks, evidence, AROUND)?) {
        let members = if around.region.is_some() { around.members } else { around.nearest };
        for idx in std::iter::once(pick.idx).chain(members.iter().copied()) {
            if known.insert(idx) {
                order.push(idx);
            }
        }
        let (region, size, reason) = (around.region, around.size, pick.reason.clone());
        groups.push(Group { idx: pick.idx, region, size, reason, members });
    }
    let side = images.height().max(images.width()).min(SIDE);
    let columns = COLUMNS.min(order.len());
    let rows = order.iter().map(|idx| idx.row()).collect::<Vec<_>>();
    let path = layout.thumbnail_sheet();
    let sheet = thumbnail_sheet(images, &rows, side, columns)
        .map_err(|source| Error::Runs(RunsError::io("write", &path, source)))?;
    write_atomic(&path, &sheet)?;
    Ok(write_json(&layout.thumbnails(), &Thumbnails { format_version: 1, side, columns, idx: order, groups })?)
}
