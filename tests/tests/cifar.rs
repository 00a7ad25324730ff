//! The same pipeline on real pictures.

use hybridrepair_tests::{World, real_data};
use std::fs;

#[test]
fn cifar10_is_read_trained_on_and_repaired() {
    let Some(dir) = real_data("cifar10") else { return };
    let w = World::new();
    let dir = dir.to_str().unwrap();
    let data = ["--dataset", "cifar10", "--data-dir", dir, "--cut-train", "2000", "--cut-holdout", "1000"];
    let train = ["train", "--width", "0.1", "--epochs", "2", "--output-dir", "model", "--quiet", "--json"];
    let trained = w.run(&[&train[..], &data].concat()).ok().json();
    assert!(trained["val"].as_f64().unwrap() > 0.15, "better than chance: {trained}");
    let repair =
        ["repair", "--checkpoint", "model/checkpoints/best.safetensors", "--budget", "1%", "--cut-field", "2000"];
    let short = ["--epochs", "1", "--replay-epochs", "1", "--preset", "published", "--json", "--output-dir", "run"];
    let summary = w.run(&[&repair[..], &short, &data].concat()).ok().json();
    assert_eq!(summary["labels_bought"], 20);
    assert_eq!(summary["holdout"]["n"], 1000);
    assert_eq!(summary["holdout_inputs_used"], true, "the published threshold looks at the holdout's inputs");
}

#[test]
fn damaged_files_are_named() {
    let Some(dir) = real_data("cifar10") else { return };
    let w = World::new();
    fs::create_dir(w.path("c")).unwrap();
    let sheet = || w.run(&["data", "sheet", "--dataset", "cifar10", "--data-dir", "c"]);
    sheet().fails(4, &["data_batch_1.bin"]);
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, w.path("c").join(path.file_name().unwrap())).unwrap();
    }
    let file = w.path("c/data_batch_3.bin");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    sheet().fails(4, &["data_batch_3.bin"]);
    let mut wrong = whole;
    wrong[0] = 10;
    fs::write(&file, wrong).unwrap();
    sheet().fails(4, &["data_batch_3.bin", "10"]);
}
