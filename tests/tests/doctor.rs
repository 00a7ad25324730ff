//! Trainings that go wrong, as a user meets them: watched, stopped, repaired, and examined afterwards.

use hybridrepair_tests::World;
use ndarray::{Array1, Array2};
use ndarray_npy::write_npy;
use std::fs;

#[test]
fn a_vanishing_gradient_is_told_stopped_and_examined_without_training_again() {
    let w = World::new();
    let said = w.run(&["train", "--demo", "vanish", "--monitor", "stop", "--output-dir", "run"]);
    said.fails(5, &[]);
    let found = w.run(&["train", "--demo", "vanish", "--monitor", "stop", "--json", "--output-dir", "again"]);
    let json = found.fails(5, &[]).json();
    assert_eq!(json["before"]["problems"][0]["problem"], "vanishing-gradient");
    assert_eq!(json["before"]["epochs"], 94);
    let events = String::from_utf8(w.read("run/events.jsonl")).unwrap();
    assert!(
        events.contains(r#""kind":"problem","training":"before","name":"vanishing-gradient","epoch":94"#),
        "{events}"
    );
    // the light program judges the same readings again, by these rules and by others
    let told = w.run(&["examine", "run"]).ok();
    assert!(told.out.contains("vanishing-gradient, reported after epoch 94"), "{}", told.out);
    assert!(told.out.contains("first layer's gradient is"), "{}", told.out);
    let json = w.run(&["examine", "run", "--profile", "icse21", "--json"]).ok().json();
    let problem = &json["trainings"][0]["problems"][0];
    assert_eq!((problem["problem"].as_str(), problem["epoch"].as_u64()), (Some("vanishing-gradient"), Some(90)));
    // thresholds are tried without training
    fs::write(w.path("t.toml"), "[monitor.thresholds]\nvanish_norm = 1e-12\n").unwrap();
    let told = w.run(&["examine", "run", "--thresholds", "t.toml"]).ok();
    // it was stopped before slowness by itself is judged
    assert!(told.out.contains("no problem by the rules"), "{}", told.out);
    fs::write(w.path("t.toml"), "[monitor.thresholds]\nvanish_norm = 1e-12\nhouse.late = 0.3\n").unwrap();
    let told = w.run(&["examine", "run", "--thresholds", "t.toml"]).ok();
    assert!(told.out.contains("slow-convergence"), "{}", told.out);
    w.run(&["examine", "nowhere"]).fails(2, &["is no run", "help:"]);
    w.run(&["examine", "run", "--profile", "best"]).fails(2, &["icse21, extended23, house"]);
    w.run(&["examine", "run", "--attempt", "9-selu-0"]).fails(2, &["attempts.jsonl"]);
}

#[test]
fn slowness_is_repaired_and_an_interrupted_repair_goes_on() {
    let w = World::new();
    let args = ["train", "--demo", "slow", "--epochs", "40", "--json", "--output-dir"];
    let json = w.run(&[&args[..], &["run"]].concat()).ok().json();
    assert_eq!(json["before"]["problems"][0]["problem"], "slow-convergence");
    assert_eq!(json["after"]["ending"], "Solved");
    let number = |v: &serde_json::Value| v.as_f64().unwrap();
    assert!(number(&json["after"]["val_acc"]) >= 0.72, "{json}");
    assert!(number(&json["control"]["val_acc"]) > 0.0);
    let (before, after) = (w.read("run/plan.before.toml"), w.read("run/plan.after.toml"));
    assert_ne!(before, after);
    assert!(w.path("run/checkpoints/best.safetensors").is_file());
    // what was trained is not trained again: only the last attempt of the journal is missing
    let journal = String::from_utf8(w.read("run/attempts.jsonl")).unwrap();
    let lines = journal.lines().collect::<Vec<_>>();
    fs::write(w.path("run/attempts.jsonl"), lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    let again = w.run(&["train", "--resume", "--json", "--output-dir", "run"]).ok().json();
    assert_eq!(again["after"]["training"], json["after"]["training"]);
    assert_eq!(again["after"]["val_acc"], json["after"]["val_acc"]);
    let resumed = String::from_utf8(w.read("run/attempts.jsonl")).unwrap();
    assert_eq!(resumed.lines().count(), lines.len());
    assert_eq!(w.read("run/plan.after.toml"), after);
    let attempt = json["attempts"][0]["trial"]["name"].as_str().unwrap();
    w.run(&["examine", "run", "--attempt", attempt]).ok();
    w.run(&["train", "--demo", "sleepy"]).fails(2, &["vanish, explode, dying, oscillate, slow, activation"]);
    w.run(&["train", "--demo", "slow", "--budget-time", "soon"]).fails(2, &["10m"]);
}

#[test]
fn own_arrays_are_trained_by_a_recipe_and_a_healthy_run_says_so() {
    let w = World::new();
    // three well separated groups
    let n = 300;
    let x = Array2::from_shape_fn((n, 2), |(i, j)| {
        let centre = [[0.0, 4.0], [4.0, 0.0], [-4.0, -4.0]][i % 3][j];
        centre + ((i * 7 + j * 13) as f32 * 1.7).sin()
    });
    write_npy(w.path("x.npy"), &x).unwrap();
    write_npy(w.path("y.npy"), &Array1::from_shape_fn(n, |i| (i % 3) as i64)).unwrap();
    let recipe = fs::read_to_string(hybridrepair_tests::root().join("recipes/own-arrays-mlp.toml")).unwrap();
    fs::write(w.path("r.toml"), &recipe).unwrap();
    let told = w.run(&["train", "r.toml", "--output-dir", "run"]).ok();
    assert!(told.out.contains("no problem by the rules house"), "{}", told.out);
    let told = w.run(&["examine", "run"]).ok();
    assert!(told.out.contains("100 epochs, 34 with gradients") && told.out.contains("no problem"), "{}", told.out);
    for (from, to, words) in [
        ("input = [2]", "input = [3]", vec!["rows of 2 numbers"]),
        ("units = 3 }", "units = 2 }", vec!["2 classes"]),
        ("interval", "interval", vec![]),
        ("softmax", "softmaxx", vec!["softmaxx"]),
        ("batch_size", "batchsize", vec!["batchsize"]),
        ("val = 0.3", "val = 1.5", vec!["1.5"]),
    ] {
        if words.is_empty() {
            continue;
        }
        fs::write(w.path("bad.toml"), recipe.replace(from, to)).unwrap();
        let ran = w.run(&["train", "bad.toml", "--output-dir", "bad", "--overwrite"]);
        assert!(ran.code == 2 || ran.code == 4, "{to}: {} {}", ran.code, ran.err);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{to}: {}", ran.err);
    }
    w.run(&["train", "r.toml", "--width", "0.5"]).fails(2, &["--width", "[plan.net]"]);
}

#[test]
fn a_built_in_network_keeps_its_layers_and_gets_another_rate() {
    let w = World::new();
    let args = [
        "train",
        "--model",
        "mobilenet",
        "--width",
        "0.1",
        "--epochs",
        "4",
        "--cut-train",
        "300",
        "--lr",
        "1e6",
        "--batch-size",
        "64",
        "--threads",
        "1",
        "--json",
    ];
    let stopped = w.run(&[&args[..], &["--monitor", "stop", "--output-dir", "stop"]].concat());
    stopped.fails(5, &[]);
    let words = &args[..args.len() - 1];
    let ran = w.run(&[words, &["--monitor", "repair", "--budget-models", "3", "--output-dir", "run"]].concat());
    assert!(ran.code == 0 || ran.code == 5, "{} {}", ran.code, ran.err);
    assert!(ran.err.contains("the network is fixed") || ran.code == 0, "{}", ran.err);
    let journal = String::from_utf8(w.read("run/attempts.jsonl")).unwrap();
    assert!(journal.contains("lr-lower") && !journal.contains("\"remedy\":\"selu\""), "{journal}");
}

#[test]
fn a_repair_that_goes_wrong_is_refused_and_says_why() {
    let w = World::new();
    let model = hybridrepair_tests::root().join("checkpoints/signs-mobilenet-w025.safetensors");
    let args = ["repair", "--checkpoint", model.to_str().unwrap(), "--cut-train", "300", "--cut-field", "300"];
    let more = ["--cut-holdout", "200", "--budget", "20", "--threads", "1", "--output-dir", "run"];
    fs::write(w.path("r.toml"), "[matching]\nlr = 1e5\nepochs = 2\n").unwrap();
    let ran = w.run(&[&args[..], &more, &["--config", "r.toml"]].concat());
    ran.fails(5, &["error:", "help:"]);
    assert!(!w.path("run/checkpoints/best.safetensors").exists());
}
