//! Picture files of all formats, brought to a small input size in one of the three ways.
#![no_main]

use hybridrepair_data::folder::{InputSize, Resize, decode};
use hybridrepair_fuzz::seen;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let resize = match bytes.len() % 3 {
        0 => Resize::Stretch,
        1 => Resize::FitPad,
        _ => Resize::CenterCrop { shorter: (bytes.len() % 2 == 0).then_some(9) },
    };
    let input = InputSize { height: 6, width: 7, resize };
    input.check().expect("a size in range");
    seen(decode(bytes, &input, &mut [0; 6 * 7 * 3]));
});
