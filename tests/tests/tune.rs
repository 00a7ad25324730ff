//! A learning rate found by itself.

use hybridrepair_tests::{TINY, World};
use serde_json::Value;
use std::fs;

fn recipe(w: &World, name: &str, optimizer: &str) {
    let top = "model = \"mobilenet\"\nwidth = 0.1\nepochs = 2\nbatch_size = 32\nthreads = 2\n";
    w.write(name, format!("{top}optimizer = {optimizer}\n{TINY}"));
}

const SGD: &str = "{ name = \"sgd\", momentum = 0.9, weight_decay = 5e-4, nesterov = true }";
const ADAM: &str = "{ name = \"adam\", weight_decay = 0.0 }";

fn numbers(curve: &Value, key: &str) -> Vec<f64> {
    let first = curve.as_array().unwrap().iter().filter(|p| p["seed"] == 0);
    first.map(|p| p[key].as_f64().unwrap_or(f64::NAN)).collect()
}

#[test]
fn the_knee_is_found_written_down_and_found_again() {
    let w = World::new();
    recipe(&w, "sgd.toml", SGD);
    recipe(&w, "adam.toml", ADAM);
    let few = ["--probe-epochs", "3", "--lr-range", "1e-4:2", "--json"];
    let tune = |recipe: &str, dir: &str, more: &[&str]| {
        let all = [&["tune", "lr", recipe, "--output-dir", dir][..], &few, more].concat();
        w.run(&all).ok().json()
    };
    let sgd = tune("sgd.toml", "sgd", &["--write", "tuned.toml"]);
    let adam = tune("adam.toml", "adam", &[]);
    let lr = |said: &Value| said["choice"]["lr"].as_f64().unwrap();
    // the knee moves with the optimiser
    let ratio = lr(&sgd) / lr(&adam);
    assert!((4.0..80.0).contains(&ratio), "{ratio}: {sgd:#} {adam:#}");
    for said in [&sgd, &adam] {
        let z = numbers(&said["curve"], "z");
        assert!(z[0] > 0.99 && z.iter().copied().fold(1.0, f64::min) < 0.6, "{z:?}");
        assert!(z.windows(2).all(|p| p[1] < p[0] + 0.1), "falling but for noise: {z:?}");
        assert!(said["choice"]["cost"]["probes"].as_u64().unwrap() <= 25);
    }
    // files
    let choice = String::from_utf8(w.read("sgd/tune/choice.toml")).unwrap();
    assert!(choice.contains("method = \"knee\"") && choice.contains("reason"), "{choice}");
    let lines = String::from_utf8(w.read("sgd/tune/probes.jsonl")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    for key in ["v", "lr", "epoch", "z", "s", "loss", "acc", "finite", "val_acc"] {
        assert!(!first[key].is_null(), "{key} in {first}");
    }
    let tables = fs::read_dir(w.path("sgd/tune/auto-lr")).unwrap().count();
    assert_eq!(tables * 3, lines.lines().count());
    let table = fs::read_dir(w.path("sgd/tune/auto-lr")).unwrap().next().unwrap().unwrap().path();
    let table = fs::read_to_string(table).unwrap();
    let header = table.lines().next().unwrap();
    for column in ["layer", "train_acc1_epoch_0", "in_S_epoch_2", "out_rank_epoch_1", "out_condition_epoch_2"] {
        assert!(header.split(',').any(|c| c == column), "{column} in {header}");
    }
    // 27 convolutions and a dense layer
    assert_eq!(table.lines().count(), 1 + 28);
    // the recipe trains
    let tuned = String::from_utf8(w.read("tuned.toml")).unwrap();
    assert!(tuned.contains(&format!("lr = {}", lr(&sgd))), "{tuned}");
    w.run(&["train", "tuned.toml", "--output-dir", "trained", "--quiet"]).ok();
    // interrupted: half of the probes and the choice are gone, one thread instead of two
    let half =
        lines.lines().take(lines.lines().count() / 2).map(|l| format!("{l}\n")).collect::<String>() + "{\"v\":1,";
    w.write("sgd/tune/probes.jsonl", half);
    fs::remove_file(w.path("sgd/tune/choice.toml")).unwrap();
    let config = String::from_utf8(w.read("sgd/config.toml")).unwrap();
    w.write("sgd/config.toml", config.replace("threads = 2", "threads = 1"));
    let again = w.run(&["tune", "lr", "--resume", "--output-dir", "sgd", "--json"]).ok().json();
    for key in ["lr", "reason", "ended", "runner_up"] {
        assert_eq!(again["choice"][key], sgd["choice"][key], "{key}");
    }
}

#[test]
fn a_fine_tune_goes_by_the_loss_and_traps_are_refused() {
    let w = World::with_model();
    recipe(&w, "sgd.toml", SGD);
    let model = "model/checkpoints/best.safetensors";
    let tune =
        |more: &[&str]| w.run(&[&["tune", "lr", "sgd.toml", "--probe-epochs", "1", "--json"][..], more].concat());
    let said = tune(&["--checkpoint", model, "--lr-range", "1e-4:1", "--output-dir", "fine"]).ok().json();
    assert_eq!(said["choice"]["method"], "range");
    assert!(said["curve"].as_array().unwrap().iter().all(|p| p["z"].is_null()));
    // Z would say nothing of a trained network
    tune(&["--checkpoint", model, "--method", "knee", "--output-dir", "x"])
        .fails(2, &["knee", "range, ramp or random"]);
    tune(&["--method", "prayer", "--output-dir", "x"]).fails(2, &["prayer", "trust2021"]);
    tune(&["--lr-range", "1:0.1", "--output-dir", "x"]).fails(2, &["1:0.1"]);
    // nothing trains at such rates
    tune(&["--lr-range", "1e-9:1e-8", "--output-dir", "dead"]).fails(5, &["nothing trains", "help:"]);
    assert!(!w.path("dead/tune/choice.toml").exists());
    // the published searches take what they take, and the guard says what it thinks
    let published = tune(&["--method", "trust2021", "--budget", "9", "--output-dir", "trust"]).ok().json();
    assert!(published["choice"]["objection"].as_str().unwrap().contains("does not learn"), "{published:#}");
    let grid =
        tune(&["--method", "grid2020", "--budget", "4", "--evbmf", "upstream", "--output-dir", "grid"]).ok().json();
    assert_eq!(grid["choice"]["method"], "grid2020");
    assert!(String::from_utf8(w.read("grid/tune/lrrt.csv")).unwrap().starts_with("lr,rank,msg\n"));
    // any scripted network, as it lies in the file
    w.run(&["export", "--checkpoint", model, "--to", "torchscript", "--output", "net.pt"]).ok();
    let script = tune(&["--torchscript", "net.pt", "--method", "range", "--budget", "2", "--output-dir", "script"]);
    assert_eq!(script.ok().json()["choice"]["cost"]["trained"], 2);
    let random =
        tune(&["--method", "random", "--budget", "3", "--with", "weight-decay", "--output-dir", "r"]).ok().json();
    assert!(random["choice"]["weight_decay"].as_f64().unwrap() > 0.0);
}

#[test]
fn train_and_repair_take_auto() {
    let w = World::with_model();
    recipe(&w, "sgd.toml", SGD);
    let auto = ["--lr", "auto", "--probe-epochs", "2", "--lr-range", "1e-2:1", "--budget", "9"];
    let said = w
        .run(&[&["train", "sgd.toml", "--trials", "2", "--output-dir", "t", "--json"][..], &auto].concat())
        .ok()
        .json();
    let choice: toml::Table = String::from_utf8(w.read("t/tune/choice.toml")).unwrap().parse().unwrap();
    assert_eq!(said["lr"].as_f64(), choice["lr"].as_float());
    assert_eq!(said["trials"].as_array().unwrap().len(), 2);
    assert!(w.path("t/trials/seed-11/checkpoints/best.safetensors").is_file());
    let config: toml::Table = String::from_utf8(w.read("t/trials/seed-10/config.toml")).unwrap().parse().unwrap();
    assert_eq!(config["schedule"]["lr"].as_float(), choice["lr"].as_float());

    w.run(&["repair", "-c", "default.toml", "--lr", "auto", "--output-dir", "r", "--json"]).ok();
    let choice: toml::Table = String::from_utf8(w.read("r/tune/choice.toml")).unwrap().parse().unwrap();
    assert_eq!(choice["method"].as_str(), Some("range"));
    let metrics = String::from_utf8(w.read("r/metrics.jsonl")).unwrap();
    let first = metrics.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).find(|m| m["stage"] == "finetune");
    let (trained, found) = (first.unwrap()["lr"].as_f64().unwrap(), choice["lr"].as_float().unwrap());
    assert!(trained < found && trained > 0.2 * found, "half a cosine of {found}: {trained}");
}
