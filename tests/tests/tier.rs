//! The cheap tier: a frozen trunk, what lies behind it trained on outputs that are computed once; and limits on training.

use hybridrepair_tests::{World, root};
use serde_json::Value;
use std::fs;

const CHEAP: [&str; 9] = ["repair", "-c", "default.toml", "--seed", "3", "--tier", "cheap", "--quiet", "--output-dir"];

fn metrics(w: &World, run: &str, stage: &str) -> Vec<Value> {
    let text = String::from_utf8(w.read(&format!("{run}/metrics.jsonl"))).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    lines.filter(|v| v["stage"] == stage).collect()
}

/// Names of the tensors of two checkpoints that differ, by the safetensors headers.
fn changed(w: &World, a: &str, b: &str) -> Vec<String> {
    let read = |file: &str| {
        let bytes = w.read(file);
        let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..8 + n]).unwrap();
        (header, bytes[8 + n..].to_vec())
    };
    let ((ha, da), (hb, db)) = (read(a), read(b));
    let range = |h: &Value, name: &str| {
        let o = &h[name]["data_offsets"];
        o[0].as_u64().unwrap() as usize..o[1].as_u64().unwrap() as usize
    };
    let names = ha.as_object().unwrap().keys().filter(|k| *k != "__metadata__");
    names.filter(|n| da[range(&ha, n)] != db[range(&hb, n)]).cloned().collect()
}

#[test]
fn only_what_lies_behind_the_cut_moves_and_runs_repeat_to_the_bit() {
    let w = World::with_model();
    for (run, threads) in [("a/run", "1"), ("b/run", "1")] {
        w.run(&[&CHEAP[..], &[run, "--threads", threads]].concat()).ok();
    }
    let best = "checkpoints/best.safetensors";
    assert_eq!(w.read(&format!("a/run/{best}")), w.read(&format!("b/run/{best}")));
    let moved = changed(&w, "model/checkpoints/best.safetensors", &format!("a/run/{best}"));
    let behind = ["layers.12.", "linear."];
    assert!(
        moved.iter().any(|n| n == "linear.weight") && moved.iter().any(|n| n.starts_with("layers.12.")),
        "{moved:?}"
    );
    assert!(moved.iter().all(|n| behind.iter().any(|b| n.starts_with(b)) && !n.contains("running")), "{moved:?}");
    let s = w.read_json("a/run/summary.json");
    assert_eq!((&s["tier"], &s["labels_bought"]), (&"cheap".into(), &16.into()));
    assert_eq!(s["holdout"]["raw"], s["holdout"]["before"], "nothing is trained before");
    assert!(s["holdout"]["after"].as_f64() > s["holdout"]["raw"].as_f64(), "{}", s["holdout"]);
    assert!(!s["seconds"].as_object().unwrap().contains_key("replay"));
    // the head alone, and known labels alone
    let head = "[cheap]\nlayers = \"head\"\nepochs = 2\nsteps = 100\n";
    w.write("head.toml", String::from_utf8(w.read("default.toml")).unwrap() + head);
    let args = ["repair", "-c", "head.toml", "--tier", "cheap", "--trainer", "supervised", "--quiet"];
    w.run(&[&args[..], &["--output-dir", "h/run"]].concat()).ok();
    assert_eq!(
        changed(&w, "model/checkpoints/best.safetensors", &format!("h/run/{best}")),
        ["linear.bias", "linear.weight"]
    );
    // what trains all layers by its nature has no such tier
    w.run(&[&CHEAP[..], &["p/run", "--method", "hybrid"]].concat()).fails(2, &["published", "tier cheap"]);
}

#[test]
fn a_module_that_gives_logits_alone_is_repaired_at_its_head() {
    let w = World::with_model();
    let script = root().join("crates/torch/tests/fixtures/sixteen.pt").to_string_lossy().into_owned();
    let args = [&CHEAP[..], &["s/run", "--torchscript", &script, "--threads", "1"]].concat();
    let ran = w.run(&args);
    // a module of random weights may lose nothing and gain nothing; it must come back as a module
    ran.ok();
    let told = |file: &str| w.run(&["evaluate", "--torchscript", file, "--part", "val", "--json"]).ok().json();
    let best = told("s/run/checkpoints/best.pt");
    assert!(best["accuracy"].as_f64().unwrap() >= told(&script)["accuracy"].as_f64().unwrap() - 0.02);
    assert_eq!(metrics(&w, "s/run", "trunk")[0]["more"]["trained_tensors"], 2.0);
    w.write("junk.pt", fs::read(&script).unwrap());
}

#[test]
fn limits_stop_training_and_are_kept_when_a_run_is_resumed() {
    let w = World::with_model();
    let repair = ["repair", "-c", "default.toml", "--epochs", "3", "--quiet", "--output-dir"];
    // 12 steps an epoch
    w.run(&[&repair[..], &["steps/run", "--max-steps", "17"]].concat()).ok();
    let steps: Vec<u64> = metrics(&w, "steps/run", "finetune").iter().map(|m| m["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [12, 5]);
    // a setting that this method cannot follow is said, not left out without a word
    w.write("keep.toml", ["keep = \"min-entropy\"\n".as_bytes(), &w.read("default.toml")].concat());
    let args = ["repair", "-c", "keep.toml", "--epochs", "3", "--quiet", "--output-dir", "images/run"];
    w.run(&[&args[..], &["--max-images", "1000"]].concat()).ok();
    let events = String::from_utf8(w.read("images/run/events.jsonl")).unwrap();
    assert!(events.contains("min-entropy") && events.contains("has no effect"), "{events}");
    let images: u64 = metrics(&w, "images/run", "finetune").iter().map(|m| m["images"].as_u64().unwrap()).sum();
    assert!((840..=1000).contains(&images), "{images}");
    for (flag, value, word) in
        [("--max-steps", "0", "steps"), ("--minutes", "0", "minutes"), ("--minutes", "-3", "minutes")]
    {
        w.run(&[&repair[..], &["bad/run", flag, value]].concat()).fails(2, &[word]);
    }
}

#[test]
fn the_tier_follows_from_the_time_and_a_dry_run_says_so() {
    let w = World::with_model();
    let plan =
        |more: &[&str]| w.run(&[&["repair", "-c", "default.toml", "--dry-run", "--json"], more].concat()).ok().json();
    let full = plan(&[]);
    assert_eq!((&full["tier"], &full["other"]["tier"]), (&"full".into(), &"cheap".into()));
    assert!(full["other"]["trains"].as_str().unwrap().contains("head"));
    let cheap = plan(&["--minutes", "0.001"]);
    assert_eq!((&cheap["tier"], &cheap["views"]), (&"cheap".into(), &5.into()));
    assert!(cheap["why"].as_str().unwrap().contains("more than 0.001 minutes"), "{}", cheap["why"]);
    assert_eq!(plan(&["--minutes", "0.001", "--tier", "full"])["tier"], "full");
    assert_eq!(plan(&["--method", "hybrid"])["other"], Value::Null);
    // the probes of a search for the rate are counted: whole epochs of the lesson
    let trained = |plan: &Value| plan["images_trained"].as_u64().unwrap();
    assert!(trained(&plan(&["--lr", "auto"])) > trained(&full));
    let told = w.run(&["repair", "-c", "default.toml", "--dry-run", "--tier", "cheap"]).ok().out;
    assert!(told.contains("the last block and the head are trained") && told.contains("--tier full"), "{told}");
    // and it is done as it was said, in about no time: one step at least
    let args = ["repair", "-c", "default.toml", "--minutes", "0.001", "--no-progress", "--output-dir", "r/run"];
    let ran = w.run(&args).ok();
    assert!(ran.err.contains("tier cheap") && ran.err.contains("training stops after"), "{}", ran.err);
    assert_eq!(w.read_json("r/run/summary.json")["tier"], "cheap");
    let config = String::from_utf8(w.read("r/run/config.toml")).unwrap();
    assert!(config.contains("tier = \"cheap\""), "{config}");
}
