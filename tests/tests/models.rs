//! Models that come from elsewhere and go elsewhere: PyTorch's files in, exports out, every architecture and method.

use hybridrepair_tests::{World, root};
use std::path::PathBuf;

const MODEL: &str = "model/checkpoints/best.safetensors";

/// A TorchScript file that `make.py` in its folder has made.
fn script(name: &str) -> String {
    let file: PathBuf = root().join("crates/torch/tests/fixtures").join(format!("{name}.pt"));
    file.to_string_lossy().into_owned()
}

fn accuracy(w: &World, args: &[&str]) -> f64 {
    w.run(&[&["evaluate", "--json"], args].concat()).ok().json()["accuracy"].as_f64().unwrap()
}

#[test]
fn an_export_says_the_same_and_is_taken_back() {
    let w = World::with_model();
    let here = accuracy(&w, &["--checkpoint", MODEL]);
    for (to, file, flag) in [
        ("state-dict", "m.pth", "--checkpoint"),
        ("safetensors", "m.safetensors", "--checkpoint"),
        ("torchscript", "m.pt", "--torchscript"),
    ] {
        let args = ["export", "--checkpoint", MODEL, "--to", to, "--output", file];
        let told = w.run(&args).ok();
        assert!(told.out.contains("mean"), "the pictures' normalisation is told: {}", told.out);
        assert!((accuracy(&w, &[flag, file]) - here).abs() < 1e-9, "{to}");
        w.run(&args).fails(4, &["exists", "--overwrite"]);
        w.run(&[&args[..], &["--overwrite"]].concat()).ok();
    }
    w.run(&["export", "--checkpoint", "m.pth", "--to", "safetensors", "--output", "n.safetensors"])
        .fails(4, &["m.pth", "--dataset"]);
    w.run(&["export", "--checkpoint", MODEL, "--to", "torchscript", "--half", "--output", "h.pt"])
        .fails(2, &["--half"]);
}

#[test]
fn a_torchscript_model_is_repaired_and_comes_back_as_one() {
    let w = World::with_model();
    let repair = |file: &str, out: &str| {
        w.run(&["repair", "-c", "repair.toml", "--torchscript", file, "--output-dir", out, "--quiet"])
    };
    for run in ["a/run", "b/run"] {
        repair(&script("sixteen"), run).ok();
    }
    assert_eq!(w.read("a/run/checkpoints/best.safetensors"), w.read("b/run/checkpoints/best.safetensors"));
    let after = w.read_json("a/run/summary.json")["holdout"]["after"].as_f64().unwrap();
    assert!(after > 0.0);
    let script_says = accuracy(&w, &["--torchscript", "a/run/checkpoints/best.pt"]);
    assert!((script_says - accuracy(&w, &["--checkpoint", "a/run/checkpoints/best.safetensors"])).abs() < 1e-9);
    // what cannot be trained is told before anything is written, and a wrong file by its name
    w.run(&["export", "--checkpoint", MODEL, "--to", "torchscript", "--output", "traced.pt"]).ok();
    repair("traced.pt", "c/run").fails(4, &["traced.pt", "torch.jit.script"]);
    repair(&script("both"), "c/run").fails(4, &["4 classes, the data has 16"]);
    repair("repair.toml", "c/run").fails(4, &["no TorchScript module"]);
    assert!(!w.path("c/run").exists());
    w.run(&["repair", "--torchscript", "traced.pt", "--checkpoint", MODEL]).fails(2, &["cannot be used with"]);
}

#[test]
fn every_architecture_trains_and_is_repaired() {
    let w = World::with_model();
    for arch in ["resnet18", "shufflenetg2"] {
        let out = format!("model-{arch}");
        w.run(&["train", "train.toml", "--model", arch, "--epochs", "1", "--output-dir", &out, "--quiet"]).ok();
        let checkpoint = format!("{out}/checkpoints/best.safetensors");
        let run = format!("{arch}/run");
        let args = ["repair", "-c", "repair.toml", "--method", "gini", "--checkpoint", &checkpoint, "--quiet"];
        w.run(&[&args[..], &["--output-dir", &run]].concat()).ok();
        assert_eq!(w.read_json(&format!("{run}/summary.json"))["labels_bought"], 16);
    }
    w.run(&["train", "train.toml", "--model", "torchscript", "--output-dir", "x"]).fails(2, &["resnet18"]);
}

#[test]
fn the_semi_supervised_baselines_run_and_cost_what_they_say() {
    let w = World::with_model();
    for method in ["ssl-random", "ssl-consistency", "ssl-consistency-imp"] {
        for preset in ["published", "corrected"] {
            let run = format!("{method}-{preset}/run");
            let args = ["repair", "-c", "repair.toml", "--method", method, "--preset", preset, "--epochs", "1"];
            w.run(&[&args[..], &["--output-dir", &run, "--quiet"]].concat()).ok();
            let s = w.read_json(&format!("{run}/summary.json"));
            assert_eq!((&s["trainer"], &s["labels_bought"]), (&"published".into(), &16.into()), "{method}");
            assert_eq!(s["holdout_inputs_used"], false, "there is no threshold to find");
            // at least one step of 64 + 9 x 64 pictures per 64 of the 784 or 800 unlabelled ones
            assert!(s["images_trained"].as_u64().unwrap() >= 12 * 640, "{method}");
        }
    }
}
