use crate::{
    FieldChange, FieldRow, RunsError, Thumbnails, layout, read_csv, read_label_rows,
    report::{Html, Page, RunFolder},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// The field pool on two axes: regions, bought labels, and what the repair changed.
pub(super) struct Map;

/// Share of the points on either side that may lie outside the picture, on its edge: one outlier must not shrink the rest.
const OUTSIDE: f64 = 0.002;
const NO_REGION: u32 = u32::MAX;

/// What the script reads: an array per column, little-endian, in base64.
#[derive(Serialize)]
struct MapData<'a> {
    x: String,
    y: String,
    change: String,
    raw: String,
    after: String,
    region: Option<String>,
    regions: u32,
    bought: Vec<(u32, u32)>,
    thumbs: Vec<u32>,
    columns: usize,
    classes: &'a [String],
}

#[derive(Deserialize)]
struct RegionLabels {
    labels: Vec<Option<u32>>,
}

impl Page for Map {
    fn name(&self) -> &'static str {
        "map"
    }

    fn title(&self) -> &'static str {
        "Map of the field pool"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::FIELD]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let rows: Vec<FieldRow> = read_csv(&run.layout().field())?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut regions = Vec::new();
        if run.has(layout::REGIONS) {
            regions = run.json::<RegionLabels>(layout::REGIONS)?.labels;
            regions.resize(rows.len(), None);
        }
        let mut bought = Vec::new();
        if run.has(layout::LABELS) {
            bought = read_label_rows(&run.layout().labels())?.iter().map(|l| (l.idx.0, l.class.0)).collect();
        }
        let thumbnails =
            if run.has(layout::THUMBNAILS) { run.json(layout::THUMBNAILS)? } else { Thumbnails::default() };
        let known = rows.iter().any(|r| r.change.is_some());
        let data = MapData {
            x: quantized(rows.iter().map(|r| r.x)),
            y: quantized(rows.iter().map(|r| r.y)),
            change: BASE64_STANDARD.encode(rows.iter().map(code).collect::<Vec<_>>()),
            raw: halves(rows.iter().map(|r| r.raw.0.min(0xffff) as u16)),
            after: halves(rows.iter().map(|r| r.after.0.min(0xffff) as u16)),
            region: (!regions.is_empty()).then(|| {
                BASE64_STANDARD
                    .encode(regions.iter().flat_map(|r| r.unwrap_or(NO_REGION).to_le_bytes()).collect::<Vec<_>>())
            }),
            regions: regions.iter().flatten().max().map_or(0, |r| r + 1),
            bought,
            thumbs: thumbnails.idx.iter().map(|i| i.0).collect(),
            columns: thumbnails.columns,
            classes: run.classes(),
        };
        html.paragraph(&format!(
            "Every point is one of {} pictures from the field, placed by the first two principal components of the features \
             that the deployed model gives it: pictures that it sees as alike lie together. A ring is a picture whose label was \
             bought{}.",
            crate::report::count(rows.len() as u64),
            if known { "; green is what the repair put right" } else { "" }
        ));
        html.markup(&frame(!regions.is_empty()));
        html.data("map-data", &data);
        html.hint(if known {
            "Whether a picture is right was looked up after the run had ended; no choice depends on it. Drag to move, turn the \
             wheel to come nearer, double-click to go back."
        } else {
            "The classes of these pictures are not known: the map shows where the repaired model gives another answer. Drag to \
             move, turn the wheel to come nearer, double-click to go back."
        });
        Ok(())
    }
}

fn frame(regions: bool) -> String {
    let choice = |value: &str, label: &str, on: bool| {
        let checked = if on { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"mode\" value=\"{value}\"{checked}>{label}</label>")
    };
    let mut out = String::from(
        "<div class=\"map\"><canvas tabindex=\"0\" role=\"img\" aria-label=\"map of the field pool; arrow keys move \
         it, plus and minus change its size\"></canvas><div class=\"side\"><fieldset><legend>Colour by</legend>",
    );
    out += &choice("change", "what the repair changed", true);
    out += &choice("class", "answer of the repaired model", false);
    if regions {
        out += &choice("region", "region", false);
    }
    out += "</fieldset><ul class=\"key\"></ul><label><input type=\"checkbox\" name=\"bought\" checked>bought labels</label>\
            <output aria-live=\"polite\">Point at a picture.</output></div></div>";
    out
}

/// What the script calls this row.
fn code(row: &FieldRow) -> u8 {
    match row.change {
        Some(FieldChange::Right) => 0,
        Some(FieldChange::Wrong) => 1,
        Some(FieldChange::Repaired) => 2,
        Some(FieldChange::Broken) => 3,
        None => 4 + u8::from(row.raw != row.after),
    }
}

fn halves(values: impl Iterator<Item = u16>) -> String {
    BASE64_STANDARD.encode(values.flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}

/// Places as shares of the picture, in steps of 1/65535.
fn quantized(values: impl Iterator<Item = f32>) -> String {
    let values: Vec<f64> = values.map(f64::from).collect();
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at =
        |share: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(OUTSIDE), at(1.0 - OUTSIDE));
    let span = if high > low { high - low } else { 1.0 };
    halves(values.iter().map(|v| {
        let share = (v - low) / span;
        (if share.is_finite() { share.clamp(0.0, 1.0) * 65_535.0 } else { 0.0 }).round() as u16
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shares_and_outliers_stay_on_the_edge() {
        let mut values: Vec<f32> = (0..1001).map(|i| i as f32 / 1000.0).collect();
        values.push(1e9);
        values.push(f32::NAN);
        let bytes = BASE64_STANDARD.decode(quantized(values.into_iter())).unwrap();
        let places: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        assert!((32_700..32_850).contains(&places[500]), "{}", places[500]);
        assert_eq!((places[0], places[1001], places[1002]), (0, 65_535, 0));
        let same = BASE64_STANDARD.decode(quantized([2.0f32; 3].into_iter())).unwrap();
        assert_eq!(same, [0; 6]);
    }
}
