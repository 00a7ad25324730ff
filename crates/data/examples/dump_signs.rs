//! Writes `signs` to a folder as raw bytes, for a look with other tools:
//! `cargo run --release -p hybridrepair-data --example dump_signs -- OUT_DIR [FIELD_SIZE]`.
//!
//! Per split: `NAME.images` (n x 32 x 32 x 3), `NAME.labels` and, for field and holdout, `NAME.conditions` (a byte each).

use hybridrepair_core::{ClassId, Ledger, Purpose};
use hybridrepair_data::{Field, SignsSpec, signs};
use std::{error::Error, fs, path::Path};

fn bytes(ids: &[ClassId]) -> Vec<u8> {
    ids.iter().map(|c| c.0 as u8).collect()
}

fn field(out: &Path, name: &str, split: &Field) -> Result<(), Box<dyn Error>> {
    let mut ledger = Ledger::new(0);
    fs::write(out.join(format!("{name}.images")), split.images.as_slice())?;
    fs::write(out.join(format!("{name}.labels")), bytes(ledger.reveal(&split.labels, Purpose::Diagnose, "dump")))?;
    if let Some(conditions) = &split.conditions {
        let conditions = ledger.reveal(conditions, Purpose::Diagnose, "dump");
        fs::write(out.join(format!("{name}.conditions")), bytes(conditions))?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = args.next().ok_or("usage: dump_signs OUT_DIR [FIELD_SIZE]")?;
    let out = Path::new(&out);
    let mut spec = SignsSpec::standard();
    if let Some(n) = args.next() {
        spec.field = n.parse()?;
    }
    fs::create_dir_all(out)?;
    let splits = signs(&spec)?;
    for (name, split) in [("train", &splits.train), ("val", &splits.val)] {
        fs::write(out.join(format!("{name}.images")), split.images.as_slice())?;
        fs::write(out.join(format!("{name}.labels")), bytes(&split.labels))?;
    }
    field(out, "field", &splits.field)?;
    field(out, "holdout", &splits.holdout)?;
    fs::write(out.join("classes.txt"), splits.class_names.join("\n"))?;
    fs::write(out.join("conditions.txt"), splits.condition_names.join("\n"))?;
    Ok(())
}
