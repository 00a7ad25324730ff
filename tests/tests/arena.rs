//! Optimisers ranked, as a user does it.

use hybridrepair_tests::{Ran, World};
use serde_json::Value;
use std::{fs, io::Write, path::Path};

/// Gradient descent with momentum in plain Python, rounded to `f32` after every operation as Rust and NumPy do it.
const MOMENTUM: &str = r#"
import struct

def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]

def train(task):
    lr, momentum = f32(0.1), f32(0.9)
    print("entries may print")
    state = task.state
    velocity = [type(p)("f", [0.0] * len(p)) for p in state]
    product = [type(p)("f", p) for p in state]
    while True:
        for batch in task.train_iterator(task.default_batch_size, True):
            loss, gradient = task.batch_loss_and_gradient(batch)
            for p, v, g, t in zip(state, velocity, gradient, product):
                for i in range(len(p)):
                    t[i] = momentum * v[i]
                    v[i] = t[i] + g[i]
                    t[i] = lr * v[i]
                    p[i] = p[i] - t[i]
        try:
            task.test(state)
        except Exception:
            print("the end of a run is no Exception that an entry could swallow")
"#;

fn trials(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("trials.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// A small contest.
fn arena<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let run = ["arena", "run", "--tasks", "blob", "--repeats", "2", "--no-progress", "-o", "out"];
    [&run[..], more].concat()
}

#[test]
fn a_python_entry_scores_as_the_same_entry_in_rust() {
    let w = World::new();
    fs::create_dir(w.path("python-momentum")).unwrap();
    fs::write(w.path("python-momentum/train.py"), MOMENTUM).unwrap();
    let zip = fs::File::create(w.path("team.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(zip);
    for (name, text) in [("team/train.py", MOMENTUM), ("team/README.md", "the team")] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let entries = "sgd-momentum,python-momentum/train.py,team.zip";
    let arguments = arena(&["--entries", entries, "--no-baselines", "--json"]);
    // plain arrays, whatever is installed
    let ran: Ran = w.command(&arguments).env("ARENA_TENSORS", "array").output().unwrap().into();
    let ran = ran.ok();
    assert!(ran.err.contains("team.zip has no report.pdf"), "{}", ran.err);
    let scores = ran.json()["work"]["entries"].clone();
    let of = |name: &str| scores.as_array().unwrap().iter().find(|s| s["entry"] == name).unwrap().clone();
    for python in ["python-momentum", "team"] {
        for field in ["score", "solved", "failed_runs", "interval", "times"] {
            assert_eq!(of(python)[field], of("sgd-momentum")[field], "{python} {field}");
        }
    }
    // probes and losses of every run as well
    let all = trials(&w.path("out"));
    let of = |name: &str| -> Vec<_> {
        let own = all.iter().filter(|t| t["entry"] == name);
        own.map(|t| (t["seed"].clone(), t["probes"].clone(), t["loss"].clone(), t["holdout_loss"].clone())).collect()
    };
    assert_eq!(of("team"), of("sgd-momentum"));
    assert!(all.iter().all(|t| t["outcome"] == "reached" && t.get("note").is_none()), "{all:?}");
}

#[test]
fn files_of_a_contest_are_there_and_score_again() {
    let w = World::new();
    let ran = w.run(&arena(&["--entries", "adam-0.01", "--no-baselines"])).ok();
    assert!(ran.out.contains("adam-0.01") && ran.out.contains("1 of 1"), "{}", ran.out);
    for file in ["spec.toml", "trials.jsonl", "scores.json", "report.md", "curves/blob--adam--0.csv"] {
        assert!(w.path("out").join(file).is_file(), "{file}");
    }
    assert!(!w.path("out/work").exists());
    let stored: Value = serde_json::from_slice(&fs::read(w.path("out/scores.json")).unwrap()).unwrap();
    assert_eq!(w.run(&["arena", "score", "out", "--json"]).ok().json(), stored);
    let two = w.run(&["arena", "score", "out", "out", "--json"]).ok().json();
    assert_eq!(two["work"]["tasks"], 2);
    // a folder that holds a contest is replaced only when asked, another one never
    w.run(&arena(&["--entries", "adam-0.01", "--no-baselines"])).fails(2, &["is not empty", "--overwrite"]);
    fs::create_dir(w.path("mine")).unwrap();
    fs::write(w.path("mine/thesis.tex"), "years").unwrap();
    w.run(&["arena", "run", "-o", "mine", "--overwrite"]).fails(2, &["something else"]);
    w.run(&["arena", "score", "mine"]).fails(4, &["spec.toml"]);
}

#[test]
fn a_baseline_that_fails_is_refused() {
    let w = World::new();
    // the memory of a process that has hardly begun
    let ran = w.run(&arena(&["--entries", "adam-0.01", "--no-baselines", "--memory", "64k"]));
    ran.fails(5, &["baseline adam solves 0 of 1", "help:"]);
    assert!(trials(&w.path("out")).iter().all(|t| t["outcome"] == "memory"));
}

#[test]
fn a_broken_python_entry_is_named_with_its_error() {
    let w = World::new();
    fs::write(w.path("broken.py"), "def train(task):\n    raise ValueError('no idea')\n").unwrap();
    w.run(&arena(&["--entries", "broken.py", "--no-baselines"])).ok();
    let broken = trials(&w.path("out")).into_iter().find(|t| t["entry"] == "broken").unwrap();
    assert_eq!(broken["outcome"], "died");
    assert!(broken["note"].as_str().unwrap().contains("ValueError: no idea"), "{broken}");
}

#[test]
fn lists_templates_and_mistakes() {
    let w = World::new();
    let list = w.run(&["arena", "list", "--json"]).ok().json();
    assert_eq!(list["tasks"].as_array().unwrap().len(), 7);
    assert!(list["entries"].as_array().unwrap().iter().any(|e| e["name"] == "pilot"));
    assert!(w.run(&["arena", "list"]).ok().out.contains("chain-lm"));
    assert!(!w.run(&["arena", "--help"]).ok().out.contains("other end"), "the hidden command stays hidden");
    w.run(&["arena", "run", "--entries", "madam"]).fails(2, &["madam", "adamw", "help:"]);
    w.run(&["arena", "run", "--entries", "none/train.py"]).fails(4, &["none/train.py"]);
    w.run(&arena(&["--limit", "soon"])).fails(2, &["60s"]);
    w.run(&["arena", "run", "--tasks", "blub", "-o", "x"]).fails(2, &["blub", "circle"]);
    w.run(&["arena", "new-entry", "My Entry"]).fails(2, &["My Entry", "letters"]);
    w.run(&["arena", "new-entry", "my-entry"]).ok();
    let text = fs::read_to_string(w.path("my_entry.rs")).unwrap();
    assert!(text.contains("impl Entry for MyEntry") && text.contains("#[test]"));
    w.run(&["arena", "new-entry", "my-entry"]).fails(2, &["exists"]);
    w.run(&["arena", "new-entry", "my-entry", "--python"]).ok();
    assert!(fs::read_to_string(w.path("my-entry/train.py")).unwrap().contains("def train(task)"));
    w.run(&["arena", "entry", "adam"]).fails(2, &["referee"]);
}

#[test]
fn a_text_of_ones_own_is_a_task() {
    let w = World::new();
    let words = ["the", "cat", "sees", "a", "dog", "and", "runs", "home", "."];
    let text: String =
        (0..1700).map(|i| format!("{} {} {}\n", words[i % 9], words[(i * i) % 9], words[(i + 1) % 9])).collect();
    fs::write(w.path("text.txt"), &text).unwrap();
    let ran = w.run(&[
        "arena",
        "run",
        "--suite",
        "language",
        "--text",
        "text.txt",
        "--entries",
        "adam-0.01",
        "--no-baselines",
        "--repeats",
        "1",
        "-o",
        "out",
        "--no-progress",
    ]);
    assert!(ran.ok().out.contains("adam-0.01"));
    assert!(fs::read_to_string(w.path("out/spec.toml")).unwrap().contains("text.txt"));
    fs::write(w.path("short.txt"), "too short").unwrap();
    w.run(&["arena", "run", "--suite", "language", "--text", "short.txt"]).fails(4, &["short.txt", "2 words"]);
}

#[test]
fn the_shipped_model_is_a_task_and_entries_stay_light() {
    let w = World::new();
    let ran = w.run(&[
        "arena",
        "run",
        "--suite",
        "repair",
        "--tasks",
        "repair-s0",
        "--entries",
        "sgd-momentum",
        "--baseline",
        "sgd-momentum",
        "--no-baselines",
        "--repeats",
        "1",
        // the clock of a run begins when all is made
        "--limit",
        "2s",
        "--device",
        "cpu",
        "--no-progress",
        "-o",
        "out",
    ]);
    ran.fails(5, &["solves 0 of 1", "help:"]);
    let spec = fs::read_to_string(w.path("out/spec.toml")).unwrap();
    assert!(
        spec.contains("suite = \"repair\"") && spec.contains("unsmooth_coverage") && spec.contains("cpu"),
        "{spec}"
    );
    let trials = trials(&w.path("out"));
    assert_eq!((trials.len(), &trials[0]["outcome"]), (1, &Value::from("limit")), "{trials:?}");
    assert!(trials[0]["work"].as_f64().unwrap() >= 64.0 && trials[0]["holdout_loss"].is_f64(), "{trials:?}");
    w.run(&["arena", "run", "--suite", "repair", "--tasks", "repair-s9", "-o", "x"])
        .fails(2, &["repair-s9", "repair-s2"]);
    let elsewhere: Ran = w
        .command(&["arena", "calibrate", "repair-s0"])
        .env("HYBRIDREPAIR_HOME", w.path("nowhere"))
        .output()
        .unwrap()
        .into();
    elsewhere.fails(4, &["signs-mobilenet-w025", "HYBRIDREPAIR_HOME"]);
}

#[test]
fn the_task_of_the_competition_wants_its_data() {
    let w = World::new();
    w.run(&["arena", "run", "--suite", "cifar"]).fails(2, &["cifar10", "--data-dir", "help:"]);
    assert!(!w.path("runs").exists(), "no folder is made for a contest that cannot be held");
    w.run(&["arena", "calibrate", "cifar", "--data-dir", "."]).fails(4, &["data_batch_1.bin"]);
    w.run(&["arena", "run", "--suite", "cifar", "--data-dir", ".", "-o", "none"]).fails(4, &["data_batch_1.bin"]);
    assert!(!w.path("none").exists(), "a contest without tasks leaves no folder");
    let list = w.run(&["arena", "list"]).ok().out;
    assert!(list.contains("repair ") && list.contains("cifar ") && list.contains("repair-default"), "{list}");
}
