//! Answers that CVAT for images 1.1 exports, as XML and as an archive. An import that is repeated brings nothing new.
#![no_main]

use hybridrepair_fuzz::{Scratch, import, seen};
use hybridrepair_label::read_answers;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("cvat"));

fuzz_target!(|bytes: &[u8]| {
    let path = SCRATCH.write("x.xml", bytes);
    if let Some(answers) = seen(read_answers(&path)) {
        import(&path, &answers);
    }
});
