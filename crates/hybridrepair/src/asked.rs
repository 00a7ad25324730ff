//! What people are asked, written so that the label commands need neither the data nor the model.

use crate::{Error, Session, config::By, surroundings::surroundings};
use hybridrepair_core::{Evidence, PoolIdx, Purpose, SampleId, Selection};
use hybridrepair_data::png;
use hybridrepair_label::{Asked, AskedImage, Context, Surroundings};
use hybridrepair_runs::{Layout, RunsError, write_atomic, write_json};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Pictures of the region, and neighbours in the pool, that are shown beside each.
const BESIDE: usize = 8;

impl Session {
    /// Whether people give the labels.
    pub fn asks_people(&self) -> bool {
        match self.config.annotate.by {
            By::People => true,
            By::Oracle => false,
            By::Auto => self.splits.field.labels.is_empty(),
        }
    }
}

/// Writes `tasks/asked.json`, with a picture in `tasks/images/` for each sample that is in no file of its own. Done once per
/// run: the questions stay when the run goes on.
pub(crate) fn write_asked(
    session: &Session,
    layout: &Layout,
    selection: &Selection,
    judges: &Selection,
    evidence: &Evidence,
) -> Result<(), Error> {
    if layout.asked().is_file() {
        return Ok(());
    }
    let failed = |path: PathBuf| move |source| Error::Runs(RunsError::io("create", &path, source));
    fs::create_dir_all(layout.tasks()).map_err(failed(layout.tasks()))?;
    let purposes = [(selection, Purpose::Annotate), (judges, Purpose::Judge)];
    let picks = purposes.into_iter().flat_map(|(s, purpose)| s.picks.iter().map(move |pick| (pick, purpose)));
    let images = picks.enumerate().map(|(rank, (pick, purpose))| {
        let (predicted, confidence) = evidence.probs.as_ref().map_or((0, 0.0), |p| {
            let row = p.row(pick.idx.row());
            let best = (0..row.len()).fold(0, |b, c| if row[c] > row[b] { c } else { b });
            (best as u32, row[best])
        });
        let file = picture(session, layout, pick.id, pick.idx)?;
        let (id, idx, region, reason) = (pick.id, pick.idx, pick.region, pick.reason.clone());
        Ok(AskedImage { id, idx, rank, purpose, region, reason, file, predicted, confidence })
    });
    let annotate = &session.config.annotate;
    let asked = Asked {
        format_version: 1,
        classes: session.splits.class_names.clone(),
        answers: annotate.answers,
        cannot_tell_costs: annotate.cannot_tell_costs,
        images: images.collect::<Result<_, Error>>()?,
    };
    write_context(session, layout, selection, judges, evidence)?;
    Ok(write_json(&layout.asked(), &asked)?)
}

/// Writes `tasks/context.json`, with the pictures that it names.
fn write_context(
    session: &Session,
    layout: &Layout,
    selection: &Selection,
    judges: &Selection,
    evidence: &Evidence,
) -> Result<(), Error> {
    let picks: Vec<_> = selection.picks.iter().chain(&judges.picks).collect();
    let mut context = Context { format_version: 1, images: BTreeMap::new(), files: BTreeMap::new() };
    let mut ids = |rows: &[PoolIdx]| -> Result<Vec<SampleId>, Error> {
        let named = rows.iter().map(|&idx| {
            let id = session.pool.id(idx);
            if let std::collections::btree_map::Entry::Vacant(e) = context.files.entry(id) {
                e.insert(picture(session, layout, id, idx)?);
            }
            Ok(id)
        });
        named.collect()
    };
    let mut images = BTreeMap::new();
    for (pick, around) in picks.iter().zip(surroundings(&picks, evidence, BESIDE)?) {
        let (region, nearest) = (ids(&around.members)?, ids(&around.nearest)?);
        images.insert(pick.id, Surroundings { region_size: around.size, region, nearest });
    }
    context.images = images;
    Ok(write_json(&layout.context(), &context)?)
}

/// The file of a picture: its own, or a PNG of what the network sees where it has none, or none that text can name.
fn picture(session: &Session, layout: &Layout, id: SampleId, idx: PoolIdx) -> Result<String, Error> {
    let own = session.splits.list.as_ref().and_then(|list| list.files.get(id.0 as usize));
    if let Some(path) = own.and_then(|f| std::path::absolute(&f.path).ok()).as_ref().and_then(|p| p.to_str()) {
        return Ok(path.to_owned());
    }
    let folder = layout.tasks().join("images");
    fs::create_dir_all(&folder).map_err(|source| Error::Runs(RunsError::io("create", &folder, source)))?;
    let path = folder.join(format!("{id}.png"));
    let bytes = png(&session.splits.field.images, idx.row())
        .map_err(|source| Error::Runs(RunsError::io("write", &path, source)))?;
    write_atomic(&path, &bytes)?;
    // relative to the run, which may be moved
    Ok(layout.relative(&path))
}
