//! Answers that Label Studio exports, as JSON and as JSON-MIN. An import that is repeated brings nothing new.
#![no_main]

use hybridrepair_fuzz::{Scratch, import, seen};
use hybridrepair_label::read_answers;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("label_studio"));

fuzz_target!(|bytes: &[u8]| {
    let path = SCRATCH.write("x.json", bytes);
    if let Some(answers) = seen(read_answers(&path)) {
        import(&path, &answers);
    }
});
