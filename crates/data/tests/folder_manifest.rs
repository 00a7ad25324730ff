//! Data set `manifest`.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Ledger, Purpose, SampleId};
use hybridrepair_data::folder::{FileSplits, InputSize, read_manifest};
use hybridrepair_data::{LoadOptions, load};
use proptest::prelude::*;
use std::path::Path;

const SMALL: InputSize = InputSize::square(2);

fn picture(dir: &Path, name: &str, v: u8) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, [b"P5 1 1 255\n".as_slice(), &[v]].concat()).unwrap();
}

/// Reads a manifest with this name and text, beside the pictures p/0.pgm to p/9.pgm, whose grey is their number.
fn read(name: &str, text: &[u8]) -> Result<FileSplits, String> {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10 {
        picture(dir.path(), &format!("p/{i}.pgm"), i);
    }
    std::fs::write(dir.path().join(name), text).unwrap();
    read_manifest(&dir.path().join(name), &SMALL, 0).map_err(|e| e.to_string())
}

const ROWS: [(&str, &str, &str); 8] = [
    ("p/0.pgm", "dog", "train"),
    ("p/1.pgm", "cat", "train"),
    ("p/2.pgm", "dog", "val"),
    ("p/3.pgm", "dog", "field"),
    ("./p//4.pgm", "cat", "field"),
    ("p/5.pgm", "dog", "holdout"),
    ("p/gone.pgm", "cat", "holdout"),
    ("p/6.pgm", "cat", "holdout"),
];

fn csv() -> String {
    let rows = ROWS.map(|(p, l, s)| format!("{s},\"a, b\",{p},{l}\n"));
    format!("split,note,path,label\n{}", rows.concat())
}

fn jsonl() -> String {
    ROWS.map(|(p, l, s)| format!("{{\"path\": {p:?}, \"label\": {l:?}, \"split\": {s:?}, \"more\": [1]}}\n")).concat()
}

#[test]
fn both_forms_give_the_same() {
    for (name, text) in [
        ("m.csv", csv()),
        ("m.CSV", format!("\u{feff}{}", csv().replace('\n', "\r\n"))),
        ("m.jsonl", jsonl()),
        ("m.ndjson", format!("\u{feff}\n{}\n\n", jsonl().replace('\n', "\r\n"))),
    ] {
        let read = read(name, text.as_bytes()).unwrap();
        let s = &read.splits;
        assert_eq!(s.class_names, ["cat", "dog"], "{name}");
        assert_eq!(s.train.labels, [ClassId(1), ClassId(0)]);
        assert_eq!(
            (s.val.ids.as_slice(), s.field.ids.as_slice()),
            (&[SampleId(2)][..], &[SampleId(3), SampleId(4)][..])
        );
        assert_eq!((s.holdout.ids.as_slice(), s.holdout.images.get(1)[0]), (&[SampleId(5), SampleId(7)][..], 6));
        assert_eq!(Ledger::new(0).reveal(&s.holdout.labels, Purpose::Evaluate, "test"), [ClassId(1), ClassId(0)]);
        assert_eq!(read.report.skipped.len(), 1);
        assert!(read.report.lines()[1].contains("gone.pgm cannot be read"), "{:?}", read.report.lines());
        assert!(read.files[7].ends_with("p/6.pgm"));
    }
}

#[test]
fn a_folder_with_a_manifest_does_as_well() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10 {
        picture(dir.path(), &format!("p/{i}.pgm"), i);
    }
    let e = load("manifest", Some(dir.path()), &LoadOptions::default()).unwrap_err().to_string();
    assert!(e.contains("manifest.csv or manifest.jsonl not found"), "{e}");
    std::fs::write(dir.path().join("manifest.jsonl"), jsonl()).unwrap();
    for path in [dir.path().to_owned(), dir.path().join("manifest.jsonl")] {
        let s = load("manifest", Some(&path), &LoadOptions::default()).unwrap();
        assert_eq!((s.holdout.images.len(), s.holdout.images.height()), (2, 32));
    }
    std::fs::write(dir.path().join("manifest.csv"), csv()).unwrap();
    let e = load("manifest", Some(dir.path()), &LoadOptions::default()).unwrap_err().to_string();
    assert!(e.contains("both manifest.csv and manifest.jsonl"), "{e}");
}

#[test]
fn numbers_are_names_and_without_val_some_of_train_is_taken() {
    let rows = (0..6).map(|i| format!("{{\"path\":\"p/{i}.pgm\",\"label\":{},\"split\":\"train\"}}", i % 2 + 9));
    let more =
        ["field", "holdout"].map(|s| format!("{{\"path\":\"p/{}.pgm\",\"label\":10,\"split\":\"{s}\"}}", s.len()));
    let text = rows
        .chain(more)
        .collect::<Vec<_>>()
        .join("\n")
        .replace("p/5.pgm\",\"label\":10,\"split\":\"field", "p/8.pgm\",\"label\":10,\"split\":\"field");
    let s = read("m.jsonl", text.as_bytes()).unwrap().splits;
    assert_eq!(s.class_names, ["10", "9"]);
    assert_eq!((s.train.images.len(), s.val.images.len()), (4, 2));
}

/// The error of the good list with one piece replaced.
fn broken(form: &str, from: &str, to: &str) -> String {
    let text = if form == "m.csv" { csv() } else { jsonl() };
    assert!(text.contains(from), "{from}");
    read(form, text.replacen(from, to, 1).as_bytes()).unwrap_err()
}

#[test]
fn errors_name_the_lines() {
    for (form, from, to, said) in [
        ("m.csv", "p/1.pgm,cat", "p/0.pgm,dog", "line 3: p/0.pgm stands in line 2 already"),
        ("m.csv", "p/1.pgm,cat", "./p/./0.pgm,cat", "line 3: ./p/./0.pgm is \"cat\", but \"dog\" in line 2"),
        ("m.csv", "p/2.pgm,dog", "p/0.pgm,dog", "line 4: p/0.pgm is in val, but in train in line 2: keep one"),
        ("m.csv", "p/3.pgm,dog", "p/3.pgm,zebra", "line 5: label \"zebra\" is not among the 2 labels of train"),
        ("m.csv", "p/3.pgm,dog", "p/3.pgm, ", "line 5: no label"),
        ("m.csv", "p/3.pgm,dog", ",dog", "line 5: no path"),
        ("m.csv", "p/3.pgm,dog", "p/3.pgm,dog,more", "line 5: 5 columns, but 4 names"),
        ("m.csv", "field,", "test,", "line 5: unknown split \"test\"; known are train, val, field, holdout"),
        ("m.csv", "split,note", "part,note", "line 1: no column \"split\" among"),
        ("m.csv", "split,note", "split,label", "line 1: two columns \"label\""),
        ("m.csv", "split,note,path,label", "split;note;path;label", "line 1: the columns must be separated by commas"),
        ("m.jsonl", "\"split\": \"field\"", "\"split\": \"feld\"", "line 4: unknown split \"feld\""),
        ("m.jsonl", "\"label\": \"cat\"", "\"label\": null", "line 2: "),
        ("m.jsonl", "\"label\": \"cat\"", "\"label\": 1.5", "line 2: "),
        ("m.jsonl", "\"label\": \"cat\", ", "", "line 2: missing field `label`"),
        ("m.jsonl", "[1]}", "[1]", "line 1: EOF while parsing an object, column"),
        ("m.jsonl", "p/1.pgm", "p/0.pgm", "line 2: p/0.pgm is \"cat\", but \"dog\" in line 1"),
    ] {
        let e = broken(form, from, to);
        assert!(e.contains(said), "{said}\n{e}");
    }
    let e = read("m.csv", csv().replace("holdout", "field").as_bytes()).unwrap_err();
    assert!(e.contains("no row whose split is holdout"), "{e}");
    let e = read("m.csv", csv().replace("cat", "dog").as_bytes()).unwrap_err();
    assert!(e.contains("all rows of train have the label \"dog\""), "{e}");
    let e = read("m.csv", &csv().replace("cat", "c\u{e4}t").chars().map(|c| c as u8).collect::<Vec<_>>()).unwrap_err();
    assert!(e.contains("line 3: is no UTF-8"), "{e}");
    assert!(read("m.txt", b"").unwrap_err().contains("is neither .csv nor .jsonl"));
    assert!(read("m.csv", b"").unwrap_err().contains("line 1: no column"));
    assert!(read("m.jsonl", b"").unwrap_err().contains("no row whose split is train"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_lists_give_an_error_or_a_data_set(
        json: bool,
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut text = if json { jsonl() } else { csv() }.into_bytes();
        for (at, value) in hits {
            let at = at.index(text.len());
            text[at] = value;
        }
        if let Some(cut) = cut {
            text.truncate(cut.index(text.len()));
        }
        let _ = read(if json { "m.jsonl" } else { "m.csv" }, &text);
    }
}
