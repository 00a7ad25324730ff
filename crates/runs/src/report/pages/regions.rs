use crate::{
    RunsError, Thumbnails, layout, read_label_rows,
    report::{Html, Page, RunFolder, count, html::escaped},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hybridrepair_core::PoolIdx;
use std::{collections::BTreeMap, fmt::Write};

/// The bought pictures, each with those that lie nearest to it, and the label that they got.
pub(super) struct RegionSheet;

/// Pixels of a side as shown.
const SIDE: usize = 46;

impl Page for RegionSheet {
    fn name(&self) -> &'static str {
        "pictures"
    }

    fn title(&self) -> &'static str {
        "Bought labels and their surroundings"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::THUMBNAILS, layout::THUMBNAIL_SHEET, layout::LABELS]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let thumbnails: Thumbnails = run.json(layout::THUMBNAILS)?;
        let place: BTreeMap<PoolIdx, usize> = thumbnails.idx.iter().enumerate().map(|(at, idx)| (*idx, at)).collect();
        if place.is_empty() || thumbnails.columns == 0 {
            return Ok(());
        }
        let path = run.layout().thumbnail_sheet();
        let sheet = std::fs::read(&path).map_err(|source| RunsError::io("read", &path, source))?;
        html.markup(&format!(
            "<style>.thumb{{--side:{SIDE}px;background-image:url(data:image/jpeg;base64,{});background-size:calc(var(--side) * {})}}</style>",
            BASE64_STANDARD.encode(sheet),
            thumbnails.columns
        ));
        let labels: BTreeMap<PoolIdx, usize> =
            read_label_rows(&run.layout().labels())?.iter().map(|l| (l.idx, l.class.column())).collect();
        let mut spread: BTreeMap<PoolIdx, usize> = BTreeMap::new();
        if run.has(layout::PROPAGATED) {
            let rows = read_label_rows(&run.layout().propagated())?;
            spread = rows.iter().map(|l| (l.idx, l.class.column())).collect();
        }
        let bought = labels.len();
        html.paragraph(&format!(
            "{} of {} bought labels, in order of purchase. The first picture of each group is the one that was labelled; the \
             others lie nearest to it{}.",
            count(thumbnails.groups.len() as u64),
            count(bought as u64),
            if spread.is_empty() { ", as the model sees them" } else { " in its region, and have got its label" }
        ));
        let mut out = String::from("<div class=\"sheet\">");
        for group in &thumbnails.groups {
            let label = labels.get(&group.idx).map_or_else(|| "no label".to_owned(), |c| run.class(*c));
            let _ = write!(out, "<div><h4>{}</h4><p>", escaped(&label));
            let told = [
                group.region.map(|r| format!("region {}", r.0)),
                group.size.map(|n| format!("{} pictures", count(n as u64))),
                (group.region.is_some() && !spread.is_empty()).then(|| agreement(group, &spread, &labels)).flatten(),
                Some(group.reason.clone()),
            ];
            out += &escaped(&told.into_iter().flatten().collect::<Vec<_>>().join(" · "));
            out += "</p><div class=\"thumbs\">";
            for (i, idx) in std::iter::once(&group.idx).chain(&group.members).enumerate() {
                let Some(at) = place.get(idx) else { continue };
                let said = spread.get(idx).map_or_else(String::new, |c| format!(", labelled {}", run.class(*c)));
                let _ = write!(
                    out,
                    "<span class=\"thumb{}\" role=\"img\" aria-label=\"{1}\" title=\"{1}\" style=\"background-position:calc(var(--side) * -{2}) calc(var(--side) * -{3})\"></span>",
                    if i == 0 { " bought" } else { "" },
                    escaped(&format!("picture {}{said}", idx.0)),
                    at % thumbnails.columns,
                    at / thumbnails.columns
                );
            }
            out += "</div></div>";
        }
        out += "</div>";
        html.markup(&out);
        Ok(())
    }
}

/// How many of the pictures that are shown have got the label of the first.
fn agreement(
    group: &crate::Group,
    spread: &BTreeMap<PoolIdx, usize>,
    labels: &BTreeMap<PoolIdx, usize>,
) -> Option<String> {
    let label = labels.get(&group.idx)?;
    let got = group.members.iter().filter(|idx| spread.get(idx) == Some(label)).count();
    Some(format!("{got} of {} shown got the label", group.members.len()))
}
