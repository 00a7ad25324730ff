//! What bad input gets: pictures, folders, label files, checkpoints. `docs/bad_input.md` is the table of it; run with
//! `HYBRIDREPAIR_WRITE_TABLE=1` to write it anew.

use hybridrepair_tests::{
    World,
    pictures::{own_pictures, ppm},
    root,
};
use std::{fmt::Write, fs};

struct Table {
    text: String,
    rows: usize,
}

impl Table {
    fn head(&mut self, title: &str, columns: [&str; 3]) {
        let [a, b, c] = columns;
        let _ = writeln!(self.text, "\n## {title}\n\n| {a} | {b} | {c} |\n|---|---|---|");
    }

    fn row(&mut self, what: &str, exit: &str, said: &str) {
        let said = said.replace('|', "\\|");
        let _ = writeln!(self.text, "| {what} | {exit} | {said} |");
        self.rows += 1;
    }
}

/// The first line of an error, the folder of the test taken out of it.
fn said(w: &World, err: &str) -> String {
    let line = err.lines().find(|l| l.contains("error:")).unwrap_or_default();
    let line = line.split_once("error: ").map_or(line, |(_, rest)| rest);
    line.replace(&format!("{}/", w.path("").display().to_string().trim_end_matches('/')), "")
}

/// Pictures that are not what they seem, beside one that is: each is told, and the good one is read.
fn pictures(w: &World, table: &mut Table) {
    table.head("Pictures in a folder", ["file", "is", "`data inspect` says"]);
    let whole_png = {
        w.run(&["data", "sheet", "--cut-train", "20", "--rows", "1", "--columns", "2", "--output", "sheet.png"]).ok();
        w.read("sheet.png")
    };
    let cut = |n: usize| whole_png[..n].to_vec();
    let mut flipped = whole_png.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let mut bomb = whole_png.clone();
    // width and height in the header of the PNG, and its checksum is wrong then
    bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("01-empty.png", "no byte", Vec::new()),
        ("02-text.png", "text", b"not a picture".to_vec()),
        ("03-html.jpg", "a page of an error", b"<!DOCTYPE html><html></html>".to_vec()),
        ("04-cut-header.png", "a PNG cut after 20 bytes", cut(20)),
        ("05-cut-half.png", "a PNG cut in the middle", cut(whole_png.len() / 2)),
        ("06-cut-end.png", "a PNG without its last 20 bytes", cut(whole_png.len() - 20)),
        ("07-flipped.png", "a PNG with a damaged byte", flipped),
        ("08-bomb.png", "a PNG whose header says 65,536 x 65,536", bomb),
        ("09-head.jpg", "a JPEG that ends after its header", jpeg.clone()),
        ("10-marker.jpg", "a JPEG of markers alone", [jpeg, b"\xff\xd9".to_vec()].concat()),
        ("11-huge.ppm", "a PPM that says 100,000 x 100,000", b"P6\n100000 100000\n255\nabc".to_vec()),
        ("12-none.ppm", "a PPM of 0 x 0", b"P6\n0 0\n255\n".to_vec()),
        ("13-short.ppm", "a PPM with fewer pixels than it says", b"P6\n4 4\n255\nabc".to_vec()),
        ("14-negative.ppm", "a PPM of negative width", b"P6\n-4 4\n255\nabc".to_vec()),
        ("15-head.gif", "the first bytes of a GIF", b"GIF89a\x01\x00".to_vec()),
        ("16-head.bmp", "the first bytes of a BMP", b"BM\x00\x00".to_vec()),
        ("17-head.webp", "the first bytes of a WebP", b"RIFF\x10\x00\x00\x00WEBPVP8 ".to_vec()),
        ("18-head.tif", "a TIFF whose directory lies outside", b"II*\x00\xff\xff\xff\x7f".to_vec()),
        ("19-zip.png", "an archive under a picture's name", b"PK\x03\x04\x14\x00".to_vec()),
    ];
    fs::create_dir(w.path("field")).unwrap();
    for (name, _, bytes) in &cases {
        w.write(&format!("field/{name}"), bytes);
    }
    w.write("field/good.ppm", ppm(9, 7, [200, 0, 0], 1));
    w.write("field/good, too \u{1F6A6}.png", &whole_png);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(w.path("field"), w.path("field/20-loop")).unwrap();
        std::os::unix::fs::symlink("nowhere.png", w.path("field/21-dangling.png")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(w.path("field/22-pipe.png")).status();
        assert!(made.is_ok_and(|s| s.success()), "mkfifo");
    }
    let survey = w.run(&["data", "inspect", "field", "--json"]).ok().json();
    assert_eq!(survey["survey"]["pictures"], 2, "the good ones are read");
    let lines: Vec<&str> =
        survey["survey"]["unusable"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    let more = [
        ("20-loop", "a link to the folder itself"),
        ("21-dangling.png", "a link to nothing"),
        ("22-pipe.png", "a pipe"),
    ];
    for (name, what) in cases.iter().map(|(n, w, _)| (*n, *w)).chain(more) {
        let line =
            lines.iter().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name} is not told: {lines:?}"));
        let why = line.strip_prefix(name).unwrap().trim().replace(&format!("{}/", w.path("").display()), "");
        table.row(&format!("`{name}`"), what, &why);
    }
    assert_eq!(lines.len(), cases.len() + more.len(), "and nothing else");
}

/// Folders that cannot be a data set.
fn folders(w: &World, table: &mut Table) {
    table.head("Folders and flags", ["given", "exit", "said"]);
    own_pictures(w, "own");
    fs::create_dir_all(w.path("empty")).unwrap();
    fs::create_dir_all(w.path("one/red")).unwrap();
    w.write("one/red/1.ppm", ppm(8, 8, [200, 0, 0], 1));
    fs::create_dir_all(w.path("mixed/red")).unwrap();
    fs::create_dir_all(w.path("mixed/purple")).unwrap();
    w.write("mixed/red/1.ppm", ppm(8, 8, [200, 0, 0], 1));
    w.write("mixed/purple/1.ppm", ppm(8, 8, [200, 0, 200], 1));
    fs::create_dir_all(w.path("loose/red")).unwrap();
    w.write("loose/red/1.ppm", ppm(8, 8, [200, 0, 0], 1));
    w.write("loose/2.ppm", ppm(8, 8, [200, 0, 0], 2));
    w.write("a-file", "x");
    w.write("twice.txt", "a\nb\na\n");
    let train = ["--train", "own/train"];
    let cases: Vec<(&str, Vec<&str>, i32)> = vec![
        ("a field pool that is not there", vec!["--field", "nowhere"], 4),
        ("a file as field pool", vec!["--field", "a-file"], 4),
        ("a field pool without pictures", vec!["--field", "empty"], 4),
        ("some folders of the field pool are classes", vec!["--field", "mixed"], 4),
        ("pictures beside folders that are classes", vec!["--field", "loose"], 4),
        ("a holdout with an unknown class", vec!["--field", "own/field", "--holdout", "mixed"], 4),
        ("a holdout without class folders", vec!["--field", "own/field", "--holdout", "own/field/cam 1"], 4),
        ("a field pool and a data set by name", vec!["--field", "own/field", "--dataset", "signs"], 2),
        ("an input of no size", vec!["--field", "own/field", "--img-size", "0"], 2),
        ("an unknown way to resize", vec!["--field", "own/field", "--img-size", "32", "--resize", "squash"], 2),
        ("classes named twice", vec!["--field", "own/field", "--classes", "twice.txt"], 4),
        ("a mean without deviation", vec!["--field", "own/field", "--mean", "0.5", "0.5", "0.5"], 2),
    ];
    for (what, more, exit) in cases {
        let ran = w.run(&[&["data", "sheet", "--part", "field", "--output", "out.png"][..], &train, &more].concat());
        assert_eq!(ran.code, exit, "{what}: {} {}", ran.out, ran.err);
        table.row(what, &exit.to_string(), &said(w, &ran.err));
        assert!(!w.path("out.png").exists());
    }
    let ran =
        w.run(&["data", "sheet", "--part", "field", "--output", "out.png", "--train", "one", "--field", "own/field"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    table.row("a training folder of one class", "4", &said(w, &ran.err));
}

/// Files of answers for a run that asks about pictures 100 to 103 with the classes cat, dog and 30.
fn labels(w: &World, table: &mut Table) {
    table.head("Files of answers", ["file", "exit", "said"]);
    fs::create_dir_all(w.path("run/tasks")).unwrap();
    w.write("run/config.toml", "");
    let image = |i: u32| {
        serde_json::json!({"id": 100 + i, "idx": i, "rank": i, "purpose": "annotate", "region": null, "reason": "",
            "file": format!("/pictures/{i}.png"), "predicted": 0, "confidence": 0.5})
    };
    let images: Vec<_> = (0..4).map(image).collect();
    let asked = serde_json::json!({"format_version": 1, "classes": ["cat", "dog", "30"], "answers": 1,
        "cannot_tell_costs": true, "images": images});
    w.write("run/tasks/asked.json", asked.to_string());
    let cases: Vec<(&str, &str, Vec<u8>, i32)> = vec![
        ("a name with another ending", "a.txt", b"id,label\n".to_vec(), 4),
        ("a spreadsheet", "a.xlsx", b"PK\x03\x04".to_vec(), 4),
        ("an empty CSV", "01.csv", Vec::new(), 4),
        ("no column of labels", "02.csv", b"id,note\n100,cat\n".to_vec(), 4),
        ("no column of pictures", "03.csv", b"label\ncat\n".to_vec(), 4),
        ("an id that is no number", "04.csv", b"id,label\nx,cat\n".to_vec(), 4),
        ("a negative id", "05.csv", b"id,label\n-1,cat\n".to_vec(), 4),
        ("an id above all numbers", "06.csv", b"id,label\n99999999999999999999,cat\n".to_vec(), 4),
        ("a row with too many fields", "07.csv", b"id,label\n100,cat,dog\n".to_vec(), 4),
        ("an unknown class", "08.csv", b"id,label\n100,cat\n101,cow\n".to_vec(), 4),
        ("a class number that is none", "09.csv", b"id,label\n100,3\n".to_vec(), 4),
        ("a negative class number", "10.csv", b"id,label\n100,-1\n".to_vec(), 4),
        ("impossible seconds", "11.csv", b"id,label,seconds\n100,cat,-3\n".to_vec(), 4),
        ("seconds in words", "12.csv", b"id,label,seconds\n100,cat,soon\n".to_vec(), 4),
        ("not UTF-8", "13.csv", b"id,label\n100,c\xe4t\n".to_vec(), 4),
        ("a quote that never ends", "14.csv", b"id,label\n100,\"cat\n".to_vec(), 4),
        ("a picture that was not asked about", "15.csv", b"id,label\n999,cat\n".to_vec(), 0),
        ("no answer yet", "16.csv", b"id,label\n100,\n101,\n".to_vec(), 0),
        (
            "semicolons, blanks, capitals, a byte order mark",
            "17.csv",
            b"\xef\xbb\xbfID; Label \n100; CAT\n".to_vec(),
            0,
        ),
        ("two people at odds", "18.csv", b"id,label,annotator\n101,cat,a\n101,dog,b\n".to_vec(), 0),
        ("\"cannot tell\"", "19.csv", b"id,label\n102,?\n".to_vec(), 0),
        ("a class called 30", "20.csv", b"id,label\n103,30\n".to_vec(), 0),
        ("JSON lines cut short", "21.jsonl", b"{\"id\":100,\"label\":\"cat\"}\n{\"id\":1".to_vec(), 4),
        ("a list as label", "22.jsonl", b"{\"id\":100,\"label\":[1]}\n".to_vec(), 4),
        ("no picture", "23.jsonl", b"{\"label\":1}\n".to_vec(), 4),
        ("JSON cut short", "24.json", b"[{\"id\": 1".to_vec(), 4),
        ("JSON of something else", "25.json", b"{\"hello\": 1}".to_vec(), 4),
        (
            "Label Studio: boxes instead of a class",
            "26.json",
            br#"[{"data":{"hr_id":100},"annotations":[{"result":[{"type":"rectanglelabels","value":{"x":1}}]}]}]"#
                .to_vec(),
            4,
        ),
        ("Label Studio: two classes", "27.json", br#"[{"hr_id":100,"choice":["cat","dog"]}]"#.to_vec(), 4),
        (
            "Label Studio: cancelled",
            "28.json",
            br#"[{"data":{"hr_id":100},"annotations":[{"was_cancelled":true,"result":[]}]}]"#.to_vec(),
            0,
        ),
        ("nested a thousand deep", "29.json", ["[".repeat(1000), "]".repeat(1000)].concat().into_bytes(), 4),
        (
            "CVAT: boxes instead of tags",
            "30.xml",
            b"<annotations><image name=\"100.png\"><box label=\"cat\"/></image></annotations>".to_vec(),
            4,
        ),
        (
            "CVAT: two tags",
            "31.xml",
            b"<a><image name=\"100.png\"><tag label=\"cat\"/><tag label=\"dog\"/></image></a>".to_vec(),
            4,
        ),
        ("CVAT: cut short", "32.xml", b"<annotations><image name=\"100.png\">".to_vec(), 4),
        (
            "CVAT: an entity of its own",
            "33.xml",
            b"<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a><image name=\"&e;\"/></a>".to_vec(),
            4,
        ),
        ("CVAT: no archive", "34.zip", b"PK\x03\x04 and no more".to_vec(), 4),
    ];
    for (what, name, bytes, exit) in cases {
        let before = fs::read(w.path("run/ledger.jsonl")).unwrap_or_default();
        w.write(name, bytes);
        let ran = w.run(&["label", "import", "run", name]);
        assert_eq!(ran.code, exit, "{what}: {} {}", ran.out, ran.err);
        let told = if exit == 0 { ran.out.lines().next().unwrap_or_default().to_owned() } else { said(w, &ran.err) };
        if exit != 0 {
            assert_eq!(fs::read(w.path("run/ledger.jsonl")).unwrap_or_default(), before, "{what}: nothing is taken");
            assert!(ran.err.contains("help:"), "{what}: {}", ran.err);
        }
        table.row(what, &exit.to_string(), &told);
    }
    let ran = w.run(&["label", "import", "run", "none.csv"]).fails(4, &["none.csv"]);
    table.row("a file that is not there", "4", &said(w, &ran.err));
    let ran = w.run(&["label", "import", "run", "run"]).fails(4, &["run"]);
    table.row("a folder", "4", &said(w, &ran.err));
    // the ledger itself: a torn last line is left out, damage in the middle is told
    let whole = w.read("run/ledger.jsonl");
    w.write("run/ledger.jsonl", [&whole[..], b"{\"v\":1,\"time\":\"20"].concat());
    let ran = w.run(&["label", "import", "run", "20.csv"]).ok();
    assert_eq!(w.read("run/ledger.jsonl"), whole, "the torn line is cut off");
    table.row("a ledger whose last line is torn", "0", ran.out.lines().next().unwrap());
    w.write("run/ledger.jsonl", [b"{\"v\":1,\"ti\n", &whole[..]].concat());
    let ran = w.run(&["label", "import", "run", "20.csv"]).fails(4, &["line 1", "ledger.jsonl"]);
    table.row("a ledger damaged in the middle", "4", &said(w, &ran.err));
    w.write("run/ledger.jsonl", &whole);
    w.write("run/tasks/asked.json", asked.to_string().replace("\"format_version\":1", "\"format_version\":9"));
    let ran = w.run(&["label", "import", "run", "20.csv"]).fails(4, &["format version 9"]);
    table.row("questions of a later release", "4", &said(w, &ran.err));
    fs::remove_file(w.path("run/tasks/asked.json")).unwrap();
    let ran = w.run(&["label", "import", "run", "20.csv"]).fails(2, &["asks nobody"]);
    table.row("a run that asks nobody", "2", &said(w, &ran.err));
    let ran = w.run(&["label", "import", "own", "20.csv"]).fails(2, &["no run here"]);
    table.row("a folder that is no run", "2", &said(w, &ran.err));
}

/// Models that cannot be.
fn models(w: &World, table: &mut Table) {
    table.head("Models", ["file", "exit", "said"]);
    let fixture = |name: &str| root().join("crates/torch/tests/fixtures").join(name);
    let script = fs::read(fixture("sixteen.pt")).unwrap();
    let header = |json: &str| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
    let cases: Vec<(&str, &str, &str, Vec<u8>)> = vec![
        ("an empty safetensors file", "--checkpoint", "1.safetensors", Vec::new()),
        ("a safetensors header longer than the file", "--checkpoint", "2.safetensors", u64::MAX.to_le_bytes().to_vec()),
        ("a safetensors header that is no JSON", "--checkpoint", "3.safetensors", header("{\"a\":")),
        (
            "a tensor outside its file",
            "--checkpoint",
            "4.safetensors",
            header(r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#),
        ),
        (
            "tensors of no known network",
            "--checkpoint",
            "5.safetensors",
            [header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#), vec![0; 4]].concat(),
        ),
        ("text as a state dict", "--checkpoint", "6.pth", b"weights".to_vec()),
        ("an archive cut in half as a state dict", "--checkpoint", "7.pth", script[..script.len() / 2].to_vec()),
        ("a TorchScript module as a state dict", "--checkpoint", "8.pth", script.clone()),
        ("text as a TorchScript module", "--torchscript", "9.pt", b"module".to_vec()),
        ("a TorchScript module cut in half", "--torchscript", "10.pt", script[..script.len() / 2].to_vec()),
    ];
    w.write("small.toml", hybridrepair_tests::TINY);
    for (what, flag, name, bytes) in cases {
        w.write(name, bytes);
        let ran = w.run(&["repair", "-c", "small.toml", flag, name, "--output-dir", "never"]);
        assert_eq!(ran.code, 4, "{what}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains("help:") && !w.path("never").exists(), "{what}: {}", ran.err);
        table.row(what, "4", &said(w, &ran.err));
    }
}

#[test]
fn everything_bad_is_told_and_harms_nothing() {
    let w = World::new();
    let mut table = Table { text: String::new(), rows: 0 };
    pictures(&w, &mut table);
    folders(&w, &mut table);
    labels(&w, &mut table);
    models(&w, &mut table);
    assert!(table.rows >= 60, "{} rows", table.rows);
    let head = format!(
        "# What bad input gets\n\n{} cases; `tests/tests/bad_input.rs` runs all of them and compares this page with what it sees \
         (`HYBRIDREPAIR_WRITE_TABLE=1` writes it anew). A picture that cannot be used is left out and told; everything else \
         is refused before anything is written, with what to do next, or taken as the table says. Exit codes: 0 done, 2 usage, \
         4 invalid input.\n",
        table.rows
    );
    let text = head + &table.text;
    let page = root().join("docs/bad_input.md");
    if std::env::var_os("HYBRIDREPAIR_WRITE_TABLE").is_some() {
        fs::write(&page, &text).unwrap();
    }
    let stands = fs::read_to_string(&page).unwrap_or_default();
    for (line, (is, should)) in stands.lines().zip(text.lines()).enumerate() {
        assert_eq!(is, should, "line {} of docs/bad_input.md", line + 1);
    }
    assert_eq!(stands.lines().count(), text.lines().count(), "docs/bad_input.md");
}
