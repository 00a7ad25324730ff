//! Patches as JSON. What is read can be written and is then read the same; its digest is replaced by that of a small model,
//! and a patch that can be applied to it can be taken back to the bit.
#![no_main]

use hybridrepair_fuzz::{Scratch, seen};
use hybridrepair_patch::{Conflict, PatchFile, TensorFile, merge};
use libfuzzer_sys::fuzz_target;
use safetensors::{Dtype, tensor::TensorView};
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("patch"));

/// `fc.weight` of 2 x 3 in half precision and `fc.bias` of 2.
static MODEL: LazyLock<TensorFile> = LazyLock::new(|| {
    let half = [0x3800u16, 0xbc00, 0x0000, 0x4000, 0x3400, 0xb000].map(u16::to_le_bytes).concat();
    let bias = [0.1f32, -0.2].map(f32::to_le_bytes).concat();
    let tensors = [
        ("fc.weight", TensorView::new(Dtype::F16, vec![2, 3], &half).expect("six numbers")),
        ("fc.bias", TensorView::new(Dtype::F32, vec![2], &bias).expect("two numbers")),
    ];
    let bytes = safetensors::serialize(tensors, None).expect("a model");
    TensorFile::read(&SCRATCH.write("m.safetensors", &bytes)).expect("what was written")
});

fuzz_target!(|bytes: &[u8]| {
    let Some(patch) = seen(PatchFile::read(&SCRATCH.write("p.json", bytes))) else { return };
    let again = SCRATCH.path("q.json");
    patch.write(&again).expect("a patch in a file");
    assert_eq!(PatchFile::read(&again).expect("what was written"), patch);
    let mut own = PatchFile { base_sha256: MODEL.sha256(), ..patch };
    let mut model = MODEL.clone();
    if seen(own.apply(&mut model)).is_none() {
        assert_eq!(model.sha256(), MODEL.sha256(), "refused, and left alone");
        // with the old values of the model it may fit
        for change in &mut own.changes {
            change.old = MODEL.get(&change.weight).unwrap_or(change.old);
        }
        if seen(own.apply(&mut model)).is_none() {
            return;
        }
    }
    own.revert(&mut model).expect("what was applied");
    assert_eq!(model.sha256(), MODEL.sha256(), "back to the bit");
    let merged = merge(&[own.clone(), own.clone()], Some(Conflict::Mean)).expect("a patch agrees with itself");
    assert_eq!(merged.changes.len(), own.changes.len());
});
