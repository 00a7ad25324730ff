//! Files that `PyTorch` wrote (`fixtures/make.py`), against what `PyTorch` says is in them.
#![allow(clippy::unwrap_used)]

use hybridrepair_pytorch_file::{CheckpointFile, Dtype, Mistaken, NamedTensor, PytorchFileError, Value};
use std::{fs, path::PathBuf};

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name].iter().collect()
}

fn open(name: &str) -> CheckpointFile {
    CheckpointFile::open(fixture(name)).unwrap_or_else(|e| panic!("{e}"))
}

/// A tensor as `expected.txt` writes it.
fn line(t: &NamedTensor) -> String {
    let shape = t.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    let hex = t.data.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect::<String>();
    let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
    format!("{} {} {} {}", t.name, t.dtype, or(shape, "scalar"), or(hex, "-"))
}

#[test]
fn every_file_holds_what_pytorch_says() {
    let text = fs::read_to_string(fixture("expected.txt")).unwrap();
    let mut files = 0;
    for part in text.split("file ").skip(1) {
        let mut lines = part.lines();
        let (name, key) = lines.next().map(|first| first.split_once(' ').unwrap_or((first, ""))).unwrap();
        let file = open(name);
        let tensors = if key.is_empty() { file.state_dict() } else { file.state_dict_at(key) };
        let found = tensors.unwrap_or_else(|e| panic!("{name}: {e}")).iter().map(line).collect::<Vec<_>>();
        assert_eq!(found, lines.collect::<Vec<_>>(), "{name}");
        files += 1;
    }
    assert_eq!(files, 19, "a fixture is missing");
}

#[test]
fn bytes_in_memory_read_as_the_file_does() {
    let bytes = fs::read(fixture("views.pt")).unwrap();
    let file = CheckpointFile::from_bytes(bytes).unwrap();
    assert_eq!(file.state_dict().unwrap(), open("views.pt").state_dict().unwrap());
}

#[test]
fn tensors_become_f32() {
    let tensors = open("dtypes.pt").state_dict().unwrap();
    let of = |name: &str| tensors.iter().find(|t| t.name == name).unwrap();
    assert_eq!(of("float64").to_f32().unwrap(), [1.5, -0.1, f32::INFINITY, 1e-7]);
    assert_eq!(of("float32").to_f32().unwrap(), [1.5, -0.1, f32::INFINITY, 1e-7]);
    // as numpy rounds them: 1e-7 is two of the smallest steps of f16
    assert_eq!(of("float16").to_f32().unwrap(), [1.5, -0.099_975_586, f32::INFINITY, 1.192_092_9e-7]);
    assert_eq!(of("bfloat16").to_f32().unwrap()[..2], [1.5, -0.100_097_656]);
    assert_eq!(of("bool").to_f32().unwrap(), [1.0, 0.0, 1.0]);
    assert_eq!(of("int8").to_f32().unwrap(), [-1.0, 2.0, -128.0, 127.0]);
    assert!(of("complex64").to_f32().is_err());
    assert_eq!(of("bfloat16").dtype, Dtype::Bf16);
}

#[test]
fn what_stands_beside_the_state_dict_is_read() {
    let file = open("wrapped.pth");
    assert_eq!(file.entry("acc"), Some(&Value::Float(93.25)));
    assert_eq!(file.entry("loss"), Some(&Value::Float(0.5)));
    assert_eq!(file.entry("epoch").and_then(Value::as_i64), Some(199));
    assert_eq!(file.entry("none"), None);
    let file = open("training.pt");
    let is = |key: &str, value: &Value| assert_eq!(file.entry(key), Some(value), "{key}");
    is("none", &Value::None);
    is("yes", &Value::Bool(true));
    is("bytes", &Value::Bytes(vec![0, 1, 0xfe]));
    is("nothing", &Value::Bytes(vec![]));
    is("long", &Value::Int(1 << 40));
    is("minus", &Value::Int(-7));
    is("i", &Value::Int(-9));
    is("half", &Value::Float(1.5));
    is("ok", &Value::Bool(true));
    for (key, count) in [("size", 3), ("history", 2), ("set", 1)] {
        let Some(Value::Tuple(parts) | Value::List(parts) | Value::Set(parts)) = file.entry(key) else {
            panic!("{key}: {:?}", file.entry(key))
        };
        assert_eq!(parts.len(), count);
    }
    let Some(Value::Object(args)) = file.entry("args") else { panic!() };
    let Some(Value::Dict(state)) = args.state.map(|id| file.value(id)) else { panic!() };
    let state = state.iter().map(|(k, v)| (file.value(*k).as_str().unwrap(), file.value(*v))).collect::<Vec<_>>();
    let device = Value::Device("cuda:0".to_owned());
    assert_eq!(state, [("lr", &Value::Float(0.1)), ("device", &device), ("dtype", &Value::Dtype(Dtype::F16))]);
    assert!(matches!(file.entry("array"), Some(Value::Object(_))), "arrays of numpy are not read");
    assert!(matches!(file.entry("default"), Some(Value::Global(_))), "a class is a name");
    for protocol in 3..=5 {
        let file = open(&format!("protocol{protocol}.pt"));
        assert_eq!(file.entry("b"), Some(&Value::Bytes(vec![0, 0xff])));
        assert_eq!(file.entry("big"), Some(&Value::BigInt(vec![0, 0, 0, 0, 0, 0, 0, 0, 64])));
        assert_eq!(file.entry("neg"), Some(&Value::Int(-(1 << 40))));
        assert!(matches!(file.entry("s"), Some(Value::Set(s)) if s.len() == 2));
        assert!(matches!(file.entry("f"), Some(Value::Set(s)) if s.len() == 1));
    }
}

#[test]
fn one_of_several_state_dicts_must_be_named() {
    let file = open("two.pt");
    assert_eq!(file.candidates(), ["model"], "one dict under two keys is one state dict");
    assert_eq!(file.state_dict_at("ema.module").unwrap(), file.state_dict().unwrap(), "the other key serves too");
    let distinct = open("two_models.pt");
    let error = distinct.state_dict().unwrap_err();
    assert!(matches!(&error, PytorchFileError::Ambiguous { candidates, .. } if candidates == &["model", "ema.module"]));
    assert!(error.to_string().contains("name one of them: model, ema.module"), "{error}");
    assert_eq!(distinct.state_dict_at("ema.module").unwrap()[0].to_f32().unwrap(), [0.0, 0.0]);
    let error = distinct.state_dict_at("ema").unwrap_err().to_string();
    assert!(error.contains("no state dict under \"ema\"; there is model, ema.module"), "{error}");
}

#[test]
fn files_without_state_dict_say_what_they_hold() {
    for name in ["whole_module.pt", "whole_inside.pt", "legacy_module.t7"] {
        let error = open(name).state_dict().unwrap_err();
        assert!(matches!(&error, PytorchFileError::WholeObject { class, .. } if class == "__main__.Net"), "{error}");
        assert!(error.to_string().contains("model.state_dict()"));
    }
    let error = open("no_tensors.pt").state_dict().unwrap_err().to_string();
    assert!(error.contains("the file holds a dict with 'a', 'b'"), "{error}");
    assert!(open("extra_state.pt").state_dict().is_ok(), "extra state is no tensor and is left out");
    let error = open("opaque_entry.pt").state_dict().unwrap_err().to_string();
    assert!(error.contains("\"c\" should be a tensor and is an object of argparse.Namespace"), "{error}");
}

#[test]
fn other_files_are_recognised() {
    let kind = |name: &str| match CheckpointFile::open(fixture(name)) {
        Err(PytorchFileError::Mistaken { kind, .. }) => kind,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(kind("torchscript.pt"), Mistaken::TorchScript);
    assert_eq!(kind("arrays.npz"), Mistaken::OtherZip { first: "a.npy".to_owned() });
    assert_eq!(kind("plain.pkl"), Mistaken::PlainPickle);
    assert!(kind("make.py").to_string().contains("begins with"));
    for (bytes, words) in [
        (
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"[..],
            "this is a Git LFS pointer: fetch",
        ),
        (b"<!doctype html><title>Sign in</title>", "this is a web page"),
        (b"\x02\0\0\0\0\0\0\0{}", "this is a safetensors file"),
        (b"", "the file is empty"),
        (b"PK\x03\x04 and no more", "it was cut short at 16 bytes"),
    ] {
        let error = CheckpointFile::from_bytes(bytes.to_vec()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let missing = CheckpointFile::open(fixture("missing.pt"));
    assert!(matches!(missing, Err(PytorchFileError::Io { .. })));
    assert!(CheckpointFile::open(fixture("")).unwrap_err().to_string().contains("is a folder"));
}

#[test]
fn a_changed_byte_of_a_weight_is_noticed() {
    let mut bytes = fs::read(fixture("plain.pt")).unwrap();
    let weight = open("plain.pt").state_dict().unwrap()[0].data.clone();
    let at = bytes.windows(weight.len()).position(|w| w == weight).unwrap();
    bytes[at] ^= 1;
    let error = CheckpointFile::from_bytes(bytes).unwrap().state_dict().unwrap_err().to_string();
    assert!(error.contains("\"conv.weight\" is damaged: the checksum"), "{error}");
}

#[test]
fn files_cut_anywhere_are_refused() {
    for name in ["plain.pt", "legacy_wrapped.pth.tar"] {
        let bytes = fs::read(fixture(name)).unwrap();
        for cut in 0..bytes.len() {
            assert!(CheckpointFile::from_bytes(bytes[..cut].to_vec()).is_err(), "{name} cut at {cut}");
        }
    }
}
