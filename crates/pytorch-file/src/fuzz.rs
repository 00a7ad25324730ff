use crate::CheckpointFile;

/// Reads any bytes as far as they go: the entry for a fuzzer. It must come back, whatever they are.
pub fn fuzz_one(bytes: &[u8]) {
    if let Ok(file) = CheckpointFile::from_bytes(bytes.to_vec()) {
        for key in file.candidates() {
            for tensor in file.state_dict_at(&key).unwrap_or_default() {
                let _ = tensor.to_f32();
            }
        }
    }
}
