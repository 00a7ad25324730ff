//! What `torch.save` writes: zip archives, the older form, pickles.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hybridrepair_pytorch_file::fuzz_one(bytes));
