//! A learning rate found by itself.

use hybridrepair_tests::{TINY, World};
use serde_json::Value;

fn recipe(w: &World, name: &str, optimizer: &str) {
    let top = "model = \"mobilenet\"\nwidth = 0.1\nepochs = 2\nbatch_size = 32\nthreads = 2\n";
    w.write(name, format!("{top}optimizer = {optimizer}\n{TINY}"));
}

const SGD: &str = "{ name = \"sgd\", momentum = 0.9, weight_decay = 5e-4, nesterov = true }";

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
