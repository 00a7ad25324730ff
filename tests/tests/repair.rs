//! The main job, on tiny data: what it writes, that it repeats, resumes and refuses.

use hybridrepair_tests::World;
use std::{
    fs, thread,
    time::{Duration, Instant},
};

#[test]
fn the_main_job_writes_a_run_that_repeats_to_the_bit() {
    let w = World::with_model();
    for run in ["a", "b"] {
        // separate parents have separate caches: nothing is shared
        w.run(&["repair", "-c", "repair.toml", "--seed", "3", "--output-dir", &format!("{run}/run"), "--quiet"]).ok();
    }
    let s = w.read_json("a/run/summary.json");
    assert_eq!(s["format_version"], 1);
    assert_eq!(
        (&s["method"], &s["strategy"], &s["trainer"]),
        (&"hybrid".into(), &"hybrid".into(), &"published".into())
    );
    assert_eq!(s["budget"]["count"], 16);
    assert_eq!(s["labels_bought"], 16);
    assert_eq!(s["holdout"]["n"], 400);
    assert_eq!(s["holdout_inputs_used"], false);
    let (before, after) = (s["holdout"]["before"].as_f64().unwrap(), s["holdout"]["after"].as_f64().unwrap());
    let net = s["holdout"]["repaired"].as_i64().unwrap() - s["holdout"]["broken"].as_i64().unwrap();
    assert!(((after - before) * 400.0 - net as f64).abs() < 1e-6, "the counts are the difference");
    for file in ["selection.jsonl", "labels.jsonl", "propagated.jsonl", "checkpoints/best.safetensors"] {
        assert_eq!(w.read(&format!("a/run/{file}")), w.read(&format!("b/run/{file}")), "{file} differs between runs");
    }
    // every label that was bought stands in the ledger, and the holdout was read once
    let ledger = String::from_utf8(w.read("a/run/ledger.jsonl")).unwrap();
    assert_eq!(ledger.lines().filter(|l| l.contains("\"annotate\"") && l.contains("\"count\":1,")).count(), 16);
    assert_eq!(ledger.lines().filter(|l| l.contains("\"evaluate\"")).count(), 1);
    // the kept checkpoint gives the same accuracy through `evaluate`, on the same pictures
    let config = fs::read_to_string(w.path("a/run/config.toml")).unwrap();
    assert!(config.contains("[data.signs]") && config.contains("seed = 3"));
}

#[test]
fn views_logits_and_selection_are_equal_on_one_and_two_threads() {
    let w = World::with_model();
    let checkpoint = "model/checkpoints/best.safetensors";
    for threads in ["1", "2"] {
        let args = ["embed", "--checkpoint", checkpoint, "--views", "--cut-field", "500", "--threads", threads];
        w.run(&[&args[..], &["--output-dir", &format!("e{threads}")]].concat()).ok();
        let common = ["repair", "-c", "repair.toml", "--seed", "1", "--epochs", "0", "--replay-epochs", "0", "--quiet"];
        let out = format!("t{threads}/run");
        w.run(&[&common[..], &["--threads", threads, "--output-dir", &out]].concat()).ok();
    }
    for file in ["logits.npy", "features.npy", "views.npy", "view_variance.npy"] {
        assert_eq!(w.read(&format!("e1/{file}")), w.read(&format!("e2/{file}")), "{file}");
    }
    for file in ["selection.jsonl", "regions.json", "labels.jsonl", "propagated.jsonl"] {
        assert_eq!(w.read(&format!("t1/run/{file}")), w.read(&format!("t2/run/{file}")), "{file}");
    }
}

#[test]
fn a_run_that_was_killed_ends_equal_to_one_that_was_not() {
    let w = World::with_model();
    let args = ["repair", "-c", "repair.toml", "--seed", "5", "--epochs", "4", "--quiet", "--output-dir"];
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
    // the worker notices that its parent is gone and gives the run free
    let began = Instant::now();
    loop {
        let ran = w.run(&["resume", "cut/run", "--quiet"]);
        if ran.code == 0 {
            break;
        }
        assert!(ran.err.contains("pid") && began.elapsed() < Duration::from_secs(60), "{}", ran.err);
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(w.read("cut/run/checkpoints/best.safetensors"), w.read("whole/run/checkpoints/best.safetensors"));
    let (cut, whole) = (w.read_json("cut/run/summary.json"), w.read_json("whole/run/summary.json"));
    for key in ["holdout", "labels_bought", "images_trained", "images_forward"] {
        assert_eq!(cut[key], whole[key], "{key}");
    }
}

#[test]
fn compare_makes_a_table_and_goes_on_where_it_stopped() {
    let w = World::with_model();
    let methods = "no-repair,random,gini,mcp,coreset,badge,hybrid";
    let args =
        ["compare", "-c", "repair.toml", "--methods", methods, "--seeds", "1,2", "--epochs", "1", "--output-dir", "c"];
    w.run(&args).ok();
    let table = w.read_json("c/comparison.json");
    assert_eq!(table["rows"].as_array().unwrap().len(), 7);
    let markdown = fs::read_to_string(w.path("c/comparison.md")).unwrap();
    assert!(methods.split(',').all(|m| markdown.contains(m)), "{markdown}");
    // all methods of a seed begin from one and the same model
    for row in table["rows"].as_array().unwrap() {
        for (cell, first) in row["seeds"].as_array().unwrap().iter().zip(table["rows"][0]["seeds"].as_array().unwrap())
        {
            assert_eq!(cell["before"], first["before"]);
        }
    }
    // one cell is lost: only that one is computed again, and the table comes out the same
    let lost = w.path("c/random-default-0.02-seed2");
    fs::remove_dir_all(&lost).unwrap();
    let again = w.run(&args).ok();
    assert_eq!(again.err.matches("] c/").count(), 1, "{}", again.err);
    for seed in 0..2 {
        let again = &w.read_json("c/comparison.json")["rows"][1]["seeds"][seed];
        let first = &table["rows"][1]["seeds"][seed];
        for key in ["seed", "after", "repaired", "broken", "images_trained"] {
            assert_eq!(again[key], first[key], "{key}");
        }
    }
    w.run(&["compare", "-c", "repair.toml", "--methods", "random", "--baseline", "gini"])
        .fails(2, &["gini", "--methods"]);
}

#[test]
fn a_mistyped_path_does_not_cost_the_run_that_stands_there() {
    let w = World::with_model();
    let args = ["repair", "-c", "repair.toml", "--epochs", "1", "--quiet", "--output-dir", "good/run"];
    w.run(&args).ok();
    let summary = w.read("good/run/summary.json");
    w.run(&[&args[..], &["--overwrite", "--checkpoint", "typo.safetensors"]].concat()).fails(4, &["typo"]);
    assert_eq!(w.read("good/run/summary.json"), summary);
    let trained = w.read("model/checkpoints/best.safetensors");
    let train = ["train", "train.toml", "--output-dir", "model", "--overwrite", "--model", "alexnet"];
    w.run(&train).fails(2, &["alexnet", "mobilenet"]);
    w.run(&["train", "train.toml", "--epochs", "0", "--output-dir", "none"]).fails(2, &["0 epochs"]);
    assert_eq!(w.read("model/checkpoints/best.safetensors"), trained);

    // a finished run is told and not trained again, also from another folder
    let (ledger, run) = (w.read("good/run/ledger.jsonl"), w.path("good/run"));
    let resumed = w.command(&["resume", run.to_str().unwrap(), "--json"]).current_dir("/").output().unwrap();
    assert_eq!(resumed.status.code(), Some(0));
    assert_eq!(w.read("good/run/ledger.jsonl"), ledger, "the holdout is not read again");
    // the resolved configuration is a recipe, and says the same from elsewhere
    let again = w.path("again/run");
    let recipe = w.path("good/run/config.toml");
    let args = ["repair", "-c", recipe.to_str().unwrap(), "--quiet", "--output-dir", again.to_str().unwrap()];
    assert!(w.command(&args).current_dir("/").status().unwrap().success());
    assert_eq!(w.read("again/run/checkpoints/best.safetensors"), w.read("good/run/checkpoints/best.safetensors"));
}

#[test]
fn a_dry_run_tells_the_cost_and_writes_nothing() {
    let w = World::with_model();
    let before = fs::read_dir(w.path("")).unwrap().count();
    let ran = w.run(&["repair", "-c", "repair.toml", "--dry-run", "--json"]).ok();
    let plan = ran.json();
    assert_eq!((&plan["labels"], &plan["views"], &plan["epochs"]), (&16.into(), &8.into(), &2.into()));
    assert!(plan["minutes"].as_f64().unwrap() > 0.0);
    assert_eq!(fs::read_dir(w.path("")).unwrap().count(), before, "nothing was written");
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let w = World::with_model();
    let repair = |more: &[&str]| w.run(&[&["repair", "-c", "repair.toml", "--output-dir", "r/run"], more].concat());
    for bad in ["0", "-1", "0.0001", "801", "x"] {
        repair(&["--budget", bad]).fails(2, &["budget"]);
    }
    repair(&["--method", "magic"]).fails(2, &["unknown method", "hybrid"]);
    repair(&["--strategy", "magic"]).fails(2, &["unknown strategy"]);
    repair(&["--device", "cuda"]).fails(6, &["cuda"]);
    repair(&["--device", "gpu"]).fails(6, &["gpu"]);
    repair(&["--checkpoint", "none.safetensors"]).fails(4, &["none.safetensors", "help:"]);
    repair(&["--lr", "nan"]).fails(2, &["lr"]);
    repair(&["--threads", "0"]).fails(2, &["0 threads"]);
    repair(&["--extractor", "dino"]).fails(2, &["dino", "penultimate"]);
    repair(&["--extractor", "none.npy"]).fails(4, &["none.npy"]);
    repair(&["--batch-size", "801"]).fails(2, &["801"]);
    w.run(&["repair", "-c", "none.toml"]).fails(2, &["none.toml"]);
    repair(&["--dataset", "cifar10", "--data-dir", "nowhere"]).fails(4, &["nowhere"]);
    w.write("junk.safetensors", "not a checkpoint");
    repair(&["--checkpoint", "junk.safetensors"]).fails(4, &["junk.safetensors"]);
    let whole = w.read("model/checkpoints/best.safetensors");
    w.write("cut.safetensors", &whole[..whole.len() / 2]);
    repair(&["--checkpoint", "cut.safetensors"]).fails(4, &["cut.safetensors"]);
    w.write("typo.toml", "budgget = 3\n");
    w.run(&["repair", "-c", "typo.toml", "--output-dir", "r/run"]).fails(2, &["budgget", "budget"]);
    assert!(!w.path("r/run").exists(), "no folder is left behind");
    let wrong =
        ["evaluate", "--checkpoint", "model/checkpoints/best.safetensors", "--model", "mobilenet", "--width", "1"];
    w.run(&wrong).fails(4, &["width 0.1"]);
}

#[test]
fn a_folder_that_holds_something_is_not_overwritten() {
    let w = World::with_model();
    fs::create_dir(w.path("mine")).unwrap();
    w.write("mine/thesis.tex", "years");
    for more in [&[][..], &["--overwrite"]] {
        let args = [&["repair", "-c", "repair.toml", "--output-dir", "mine"], more].concat();
        w.run(&args).fails(2, &["mine", "--output-dir"]);
    }
    assert_eq!(w.read("mine/thesis.tex"), b"years");
    w.run(&["resume", "mine"]).fails(2, &["mine"]);
}

/// A disk of 300 kB: the run ends with a clear message, and goes on where there is room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    use std::process::Command;
    let w = World::with_model();
    let disk = w.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=300k", "none"]).arg(&disk).status();
    if !mounted.is_ok_and(|s| s.success()) {
        eprintln!("SKIPPED: only root can mount a small disk");
        return;
    }
    let ran = w.run(&["repair", "-c", "repair.toml", "--quiet", "--output-dir", "disk/run"]);
    let grown = Command::new("mount").args(["-o", "remount,size=100m", "none"]).arg(&disk).status();
    assert!(grown.is_ok_and(|s| s.success()));
    let again = w.run(&["resume", "disk/run", "--quiet"]);
    let unmount = Command::new("umount").arg(&disk).status();
    ran.fails(1, &["help:"]);
    again.ok();
    assert!(unmount.is_ok_and(|s| s.success()));
}
