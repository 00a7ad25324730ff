//! Checkpoints as safetensors: what the reader of the tool asks the `safetensors` crate for. Every tensor lies in its file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use safetensors::SafeTensors;

fuzz_target!(|bytes: &[u8]| {
    let info = SafeTensors::read_metadata(bytes);
    let Ok(file) = SafeTensors::deserialize(bytes) else { return };
    let (_, info) = info.expect("what is read whole has a header");
    if let Some(text) = info.metadata().as_ref().and_then(|m| m.get("hybridrepair")) {
        let _ = serde_json::from_str::<serde_json::Value>(text);
    }
    for (name, view) in file.tensors() {
        let elements = view.shape().iter().try_fold(1usize, |n, &d| n.checked_mul(d)).expect("a shape that was checked");
        assert_eq!(view.data().len() * 8, elements * view.dtype().bitsize(), "{name}");
        let again = file.tensor(&name).expect("a tensor of the list");
        assert_eq!(again.data().as_ptr(), view.data().as_ptr());
    }
});
