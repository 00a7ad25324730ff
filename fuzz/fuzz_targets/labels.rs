//! Label tables that people write, CSV and JSON lines. What is read can be written and is then read the same.
#![no_main]

use hybridrepair_core::{Ledger, Pick, PoolIdx, SampleId, Selection};
use hybridrepair_fuzz::{Scratch, seen};
use hybridrepair_label::{Annotator, Row, Table, read_table, write_table};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("labels"));

fuzz_target!(|bytes: &[u8]| {
    let pick = |row: u32| Pick {
        id: SampleId(u64::from(row)),
        idx: PoolIdx(row),
        rank: row as usize,
        score: 0.0,
        region: None,
        reason: String::new(),
    };
    let ask = Selection { picks: (0..4).map(pick).collect() };
    for name in ["x.csv", "x.jsonl"] {
        let path = SCRATCH.write(name, bytes);
        let mut table = Table::new(&path, vec!["stop".to_owned(), "30".to_owned()]).expect("a known ending");
        seen(table.annotate(&ask, &mut Ledger::new(3)));
        let Some(rows) = seen(read_table(&path)) else { continue };
        for other in ["y.csv", "y.jsonl"] {
            let other = SCRATCH.path(other);
            write_table(&other, &rows).expect("rows in a file");
            let plain = |rows: &[Row]| rows.iter().map(|r| Row { line: 0, ..r.clone() }).collect::<Vec<_>>();
            assert_eq!(plain(&read_table(&other).expect("what was written")), plain(&rows), "{}", other.display());
        }
    }
});
