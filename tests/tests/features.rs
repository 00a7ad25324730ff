//! Extractors: made here, brought along, judged, and used.

use hybridrepair_tests::{TINY, World, pictures::own_pictures, root};
use ndarray::Array2;
use ndarray_npy::read_npy;

/// A World with the tiny model and an extractor that has seen it for two epochs.
fn with_extractor() -> World {
    let w = World::with_model();
    w.write("pretrain.toml", format!("width = 0.1\nepochs = 2\nbatch_size = 128\nthreads = 1\nhalf = true\n{TINY}"));
    w.run(&["pretrain", "pretrain.toml", "--output-dir", "ssl", "--quiet"]).ok();
    w
}

const EXTRACTOR: &str = "ssl/checkpoints/extractor.safetensors";

#[test]
fn preset_published_takes_the_shipped_extractor_on_the_built_in_data_alone() {
    let w = World::with_model();
    let features = |more: &[&str], run: &str| {
        let published = ["repair", "-c", "repair.toml", "--epochs", "1", "--quiet", "--output-dir", run];
        w.run(&[&published[..], more].concat()).ok();
        w.read_json(&format!("{run}/summary.json"))["features"].clone()
    };
    assert_eq!(features(&["--preset", "published"], "published/run"), "signs-extractor-w025.safetensors");
    assert_eq!(features(&["--preset", "published", "--extractor", "penultimate"], "own/run"), "penultimate");
    assert_eq!(features(&["--preset", "corrected"], "corrected/run"), "penultimate");
}

#[test]
fn an_extractor_is_made_and_used_and_every_run_says_what_its_features_are_worth() {
    let w = with_extractor();
    let metrics = w.read_lines("ssl/metrics.jsonl");
    assert_eq!(metrics.len(), 2);
    assert!(metrics[1]["acc1"].as_f64().unwrap() > 0.0 && metrics[1]["more"]["effective_rank"].as_f64().unwrap() > 1.0);
    // the same again, bit for bit, and the finished run again does nothing
    w.run(&["pretrain", "pretrain.toml", "--output-dir", "again", "--quiet"]).ok();
    assert_eq!(w.read(EXTRACTOR), w.read("again/checkpoints/extractor.safetensors"));
    w.run(&["pretrain", "--resume", "--output-dir", "again", "--quiet"]).ok();
    for (name, extractor) in [("network", EXTRACTOR), ("penultimate-views", "penultimate-views")] {
        let out = format!("a/{name}");
        let ran = w.run(&["repair", "-c", "repair.toml", "--extractor", extractor, "--output-dir", &out]).ok();
        assert!(ran.err.contains("features ") && ran.err.contains("region purity"), "{}", ran.err);
        let summary = w.read_json(&format!("{out}/summary.json"));
        assert_eq!(summary["features"], if name == "network" { "extractor.safetensors" } else { name });
        let pretrained = summary["images_pretrain"].as_u64().unwrap();
        assert_eq!(pretrained, if name == "network" { 2 * 2 * 1408 } else { 0 });
        let lines = w.read_lines(&format!("{out}/metrics.jsonl"));
        let quality = lines.iter().find(|l| l["stage"] == "quality").unwrap();
        for key in ["spread", "knn_source", "knn_field", "knn_within", "region_purity", "region_nmi", "condition_nmi"] {
            let value = quality["more"][key].as_f64().unwrap();
            assert!((0.0..=1.5).contains(&value), "{key} {value}");
        }
    }
}

#[test]
fn embeddings_are_written_of_splits_and_folders_and_looked_at() {
    let w = with_extractor();
    own_pictures(&w, "own");
    let embed = |more: &[&str], out: &str| w.run(&[&["embed", "--output-dir", out][..], more].concat());
    // a folder, without a model; again from the cache; a picture more computes its shard anew
    let folder = ["--images", "own/field", "--extractor", EXTRACTOR];
    let first = embed(&folder, "e/1").ok();
    assert!(first.out.contains("0 of 1 shards"), "{}", first.out);
    let again = embed(&folder, "e/2").ok();
    assert!(again.out.contains("1 of 1 shards"), "{}", again.out);
    assert_eq!(w.read("e/1/embeddings.npy"), w.read("e/2/embeddings.npy"));
    let rows: Array2<f32> = read_npy(w.path("e/1/embeddings.npy")).unwrap();
    let files = w.read_json("e/1/files.json");
    assert_eq!(rows.nrows(), files["files"].as_array().unwrap().len());
    for row in rows.outer_iter() {
        assert!((row.dot(&row) - 1.0).abs() < 1e-4);
    }
    w.write("own/field/broken.png", b"\x89PNG\r\n\x1a\nnothing");
    let broken = embed(&folder, "e/3").ok();
    assert!(broken.out.contains("1 files do not decode"), "{}", broken.out);
    assert_eq!(w.read("e/1/embeddings.npy"), w.read("e/3/embeddings.npy"), "the others stay as they are");
    // looked at, without libtorch
    let told = w.run(&["data", "inspect", "--embeddings", "e/1/embeddings.npy", "--files", "e/1/files.json"]).ok();
    assert!(told.out.contains("near-duplicates") && told.out.contains("effective rank"), "{}", told.out);
    let json =
        w.run(&["data", "inspect", "--embeddings", "e/1/embeddings.npy", "--alike", "0.9999", "--json"]).ok().json();
    assert_eq!(json["rows"].as_u64().unwrap() as usize, rows.nrows());
    // what cannot be is refused
    embed(&["--extractor", "penultimate"], "e/4").fails(2, &["--checkpoint"]);
    embed(&["--extractor", "nothing"], "e/5").fails(2, &["unknown extractor"]);
    embed(&["--extractor", "e/1/embeddings.npy"], "e/6").fails(4, &["features already"]);
    w.run(&["data", "inspect", "--embeddings", "pretrain.toml"]).fails(4, &["pretrain.toml"]);
    w.run(&["data", "inspect", "--embeddings", "e/1/embeddings.npy", "--alike", "2"]).fails(2, &["alike"]);
}

#[test]
fn a_torchscript_extractor_must_say_or_be_told_what_it_is_shown() {
    let w = World::with_model();
    let script = root().join("crates/torch/tests/fixtures/sixteen.pt").to_string_lossy().into_owned();
    let repair = |more: &[&str], out: &str| {
        w.run(&[&["repair", "-c", "repair.toml", "--extractor", &script, "--output-dir", out][..], more].concat())
    };
    repair(&[], "a/1").fails(4, &["does not say its normalisation", "--extractor-mean"]);
    let said = ["--extractor-mean", "0.5", "0.5", "0.5", "--extractor-std", "0.25", "0.25", "0.25"];
    repair(&said, "a/2").fails(4, &["does not say its input size", "--extractor-size"]);
    repair(&[&said[..], &["--extractor-size", "32"]].concat(), "a/3").ok();
    assert_eq!(w.read_json("a/3/summary.json")["features"], "sixteen.pt");
    w.run(&["pretrain", "--epochs", "0"]).fails(2, &["0 epochs"]);
    w.run(&["pretrain", "--method", "mocov3", "--temperature", "0"]).fails(2, &["temperature"]);
}
