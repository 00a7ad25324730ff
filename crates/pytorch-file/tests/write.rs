//! What is written, read back; and bytes that `torch.load(weights_only=True)` of `PyTorch` 2.11 has read.
#![allow(clippy::unwrap_used)]

use hybridrepair_pytorch_file::{CheckpointFile, Dtype, IfExists, NamedTensor, PytorchFileError, write_state_dict};
use proptest::prelude::*;
use std::{fs, path::PathBuf};

fn tensor(name: &str, dtype: Dtype, shape: &[usize], data: Vec<u8>) -> NamedTensor {
    NamedTensor { name: name.to_owned(), dtype, shape: shape.to_vec(), data }
}

fn small() -> Vec<NamedTensor> {
    let floats = [1.5f32, -0.25, 3e7].iter().flat_map(|x| x.to_le_bytes()).collect();
    vec![
        tensor("conv.weight", Dtype::F32, &[1, 3], floats),
        tensor("bn.num_batches_tracked", Dtype::I64, &[], 70_000i64.to_le_bytes().to_vec()),
        tensor("mask", Dtype::Bool, &[300], vec![1; 300]),
        tensor("half", Dtype::F16, &[2, 0], vec![]),
    ]
}

fn golden() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "written.pt"].iter().collect()
}

#[test]
fn the_bytes_are_those_that_pytorch_has_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pt");
    write_state_dict(&path, &small(), IfExists::Refuse).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(golden()).unwrap());
    assert_eq!(CheckpointFile::open(&path).unwrap().state_dict().unwrap(), small());
}

#[test]
fn nothing_is_overwritten_unless_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pt");
    fs::write(&path, b"precious").unwrap();
    let error = write_state_dict(&path, &small(), IfExists::Refuse).unwrap_err();
    assert!(matches!(error, PytorchFileError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    write_state_dict(&path, &small(), IfExists::Replace).unwrap();
    assert_eq!(CheckpointFile::open(&path).unwrap().state_dict().unwrap().len(), 4);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    let nowhere = dir.path().join("no/such/folder.pt");
    assert!(matches!(write_state_dict(nowhere, &small(), IfExists::Refuse), Err(PytorchFileError::Io { .. })));
}

#[test]
fn tensors_that_are_none_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pt");
    let short = vec![tensor("w", Dtype::F32, &[2], vec![0; 4])];
    let error = write_state_dict(&path, &short, IfExists::Refuse).unwrap_err().to_string();
    assert!(error.contains("\"w\" has 4 bytes, which is no float32 of shape [2]"), "{error}");
    let twice = vec![tensor("w", Dtype::U8, &[1], vec![0]), tensor("w", Dtype::U8, &[1], vec![0])];
    assert!(write_state_dict(&path, &twice, IfExists::Refuse).unwrap_err().to_string().contains("twice"));
    assert!(!path.exists());
}

#[test]
fn an_empty_state_dict_is_written_and_is_none_when_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pt");
    write_state_dict(&path, &[], IfExists::Refuse).unwrap();
    let error = CheckpointFile::open(&path).unwrap().state_dict().unwrap_err().to_string();
    assert!(error.contains("the file holds an empty dict"), "{error}");
}

fn any_tensor() -> impl Strategy<Value = NamedTensor> {
    let dtypes = [
        Dtype::F64,
        Dtype::F32,
        Dtype::F16,
        Dtype::Bf16,
        Dtype::I64,
        Dtype::I32,
        Dtype::I16,
        Dtype::I8,
        Dtype::U8,
        Dtype::Bool,
        Dtype::C64,
        Dtype::C128,
    ];
    let parts = (".{0,12}", prop::sample::select(dtypes.to_vec()), prop::collection::vec(0usize..5, 0..4), any::<u8>());
    parts.prop_map(|(name, dtype, shape, seed)| {
        let bytes = shape.iter().product::<usize>() * dtype.size();
        let data = (0..bytes).map(|i| seed.wrapping_add(i as u8)).collect();
        NamedTensor { name, dtype, shape, data }
    })
}

proptest! {
    // every case waits for the disk
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_written_is_read_back(mut tensors in prop::collection::vec(any_tensor(), 1..8)) {
        for (i, t) in tensors.iter_mut().enumerate() {
            t.name = format!("{i}.{}", t.name);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pt");
        write_state_dict(&path, &tensors, IfExists::Refuse).unwrap();
        prop_assert_eq!(CheckpointFile::open(&path).unwrap().state_dict().unwrap(), tensors);
    }
}
