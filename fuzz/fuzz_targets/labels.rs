//! Tables of answers that people write, CSV and JSON lines. What is read can be written and is then read the same, and an
//! import that is repeated brings nothing new.
#![no_main]

use hybridrepair_fuzz::{Scratch, import, seen};
use hybridrepair_label::{Row, read_answers, read_table, write_table};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("labels"));

fuzz_target!(|bytes: &[u8]| {
    for name in ["x.csv", "x.jsonl"] {
        let path = SCRATCH.write(name, bytes);
        let Some(answers) = seen(read_answers(&path)) else { continue };
        import(&path, &answers);
        for other in ["y.csv", "y.jsonl"] {
            let other = SCRATCH.path(other);
            write_table(&other, &answers.rows).expect("rows in a file");
            let plain = |rows: &[Row]| rows.iter().map(|r| Row { line: 0, ..r.clone() }).collect::<Vec<_>>();
            assert_eq!(plain(&read_table(&other).expect("what was written")), plain(&answers.rows), "{}", other.display());
        }
    }
});
