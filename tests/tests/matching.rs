//! The default method, on tiny data: what it writes, that it repeats and resumes, takes any selection, and is refused when it
//! does harm.

use hybridrepair_tests::World;
use std::{
    thread,
    time::{Duration, Instant},
};

const REPAIR: [&str; 6] = ["repair", "-c", "default.toml", "--seed", "3", "--quiet"];

#[test]
fn the_default_repeats_to_the_bit_and_learns() {
    let w = World::with_model();
    for run in ["a/run", "b/run"] {
        w.run(&[&REPAIR[..], &["--epochs", "3", "--output-dir", run]].concat()).ok();
    }
    let s = w.read_json("a/run/summary.json");
    assert_eq!((&s["method"], &s["trainer"]), (&"coverage".into(), &"softmatch".into()));
    assert_eq!((&s["labels_bought"], &s["holdout_inputs_used"]), (&16.into(), &false.into()));
    // 12 steps of 64 + 32 + 64 pictures an epoch, after the replay
    assert!(s["images_trained"].as_u64().unwrap() >= 3 * 12 * 160);
    for file in ["selection.jsonl", "labels.jsonl", "checkpoints/best.safetensors"] {
        assert_eq!(w.read(&format!("a/run/{file}")), w.read(&format!("b/run/{file}")), "{file} differs between runs");
    }
    assert!(!w.path("a/run/propagated.jsonl").exists(), "nothing is spread");
    let metrics = String::from_utf8(w.read("a/run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().filter(|l| l.contains("\"stage\":\"guard\"")).count(), 3, "every epoch is judged");
}

#[test]
fn a_killed_run_ends_equal_to_one_that_was_not() {
    let w = World::with_model();
    let args = [&REPAIR[..], &["--epochs", "3", "--output-dir"]].concat();
    w.run(&[&args[..], &["whole/run"]].concat()).ok();
    let mut child = w.command(&[&args[..], &["cut/run"]].concat()).spawn().unwrap();
    let state = w.path("cut/run/checkpoints/state.safetensors");
    let began = Instant::now();
    while !state.exists() && began.elapsed() < Duration::from_secs(120) {
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!w.path("cut/run/summary.json").exists(), "it was killed before its end");
    let began = Instant::now();
    while w.run(&["resume", "cut/run", "--quiet"]).code != 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "the killed run is not given free");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(w.read("cut/run/checkpoints/best.safetensors"), w.read("whole/run/checkpoints/best.safetensors"));
}

#[test]
fn methods_and_trainers_are_crossed() {
    let w = World::with_model();
    let grid = ["compare", "-c", "default.toml", "--methods", "no-repair,zero-label,random,hybrid", "--seeds", "1"];
    let short = ["--epochs", "1", "--trainers", "supervised,fixmatch,freematch", "--baseline", "random+supervised"];
    w.run(&[&grid[..], &short, &["--output-dir", "c"]].concat()).ok();
    let table = w.read_json("c/comparison.json");
    assert_eq!(table["rows"].as_array().unwrap().len(), 2 + 2 * 3);
    let s = w.read_json("c/hybrid+fixmatch-default-0.02-seed1/summary.json");
    assert_eq!((&s["strategy"], &s["trainer"]), (&"hybrid".into(), &"fixmatch".into()));
    let s = w.read_json("c/zero-label-default-0.02-seed1/summary.json");
    assert_eq!((&s["labels_bought"], &s["trainer"]), (&0.into(), &"zero-label".into()));
    w.run(&[&REPAIR[..], &["--trainer", "magic"]].concat()).fails(2, &["unknown trainer", "softmatch"]);
    w.run(&[&REPAIR[..], &["--method", "no-repair", "--trainer", "softmatch"]].concat()).fails(2, &["takes no labels"]);
}

#[test]
fn a_recipe_may_name_another_optimiser() {
    let w = World::with_model();
    let recipe = String::from_utf8(w.read("default.toml")).unwrap();
    let nadam = "[matching]\noptimizer = { name = \"nadam\" }\nlr = 0.002\n";
    w.write("nadam.toml", recipe.replace("[matching]\n", nadam));
    let repair = |recipe: &str, run: &str| {
        w.run(&["repair", "-c", recipe, "--seed", "3", "--epochs", "1", "--quiet", "--output-dir", run]).ok();
        w.read(&format!("{run}/checkpoints/best.safetensors"))
    };
    assert_ne!(repair("default.toml", "sgd/run"), repair("nadam.toml", "nadam/run"));
    let kept = String::from_utf8(w.read("nadam/run/config.toml")).unwrap();
    assert!(kept.contains("name = \"nadam\""), "{kept}");
    w.write("typo.toml", recipe.replace("[matching]\n", &nadam.replace("\"nadam", "\"adamant")));
    w.run(&["repair", "-c", "typo.toml", "--output-dir", "typo/run"]).fails(2, &["adamant", "nadam"]);
}

#[test]
fn a_repair_that_does_harm_is_refused_and_says_why() {
    let w = World::with_model();
    let harm = ["--lr", "30", "--output-dir", "harm/run"];
    let ran = w.run(&[&REPAIR[..], &harm].concat());
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(["no epoch is safe", "not finite"].iter().any(|why| ran.err.contains(why)), "{}", ran.err);
    assert!(!w.path("harm/run/checkpoints/best.safetensors").exists());

    // beside others it does not take their table away
    let compare =
        ["compare", "-c", "default.toml", "--methods", "no-repair,coverage", "--baseline", "no-repair", "--seeds", "3"];
    w.run(&[&compare[..], &["--lr", "30", "--quiet", "--output-dir", "grid"]].concat())
        .fails(5, &["coverage-default-", "the table and its means are without them"]);
    let table = w.read_json("grid/comparison.json");
    let count = |key: &str| table[key].as_array().unwrap().len();
    assert_eq!((count("rows"), count("refused")), (1, 1));
    let text = String::from_utf8(w.read("grid/comparison.md")).unwrap();
    assert!(text.contains("left out of all means: coverage-default-"), "{text}");
}
