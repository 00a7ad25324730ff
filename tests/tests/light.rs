//! Commands that need no libtorch, and what bad input gets.

use hybridrepair_tests::World;
use ndarray::{Array2, array};
use ndarray_npy::write_npy;

/// Logits of 20 samples, 3 classes.
fn logits(world: &World) {
    let z = Array2::from_shape_fn((20, 3), |(i, c)| ((i * 7 + c * 3) % 11) as f32);
    write_npy(world.path("z.npy"), &z).unwrap();
}

#[test]
fn help_and_version_answer() {
    let w = World::new();
    assert!(w.run(&["--help"]).ok().out.contains("repair"));
    assert!(w.run(&["--version"]).ok().out.starts_with("hybridrepair "));
    w.run(&[]).fails(2, &["Usage"]);
    w.run(&["mend"]).fails(2, &["mend"]);
}

#[test]
fn a_selection_comes_out_as_json_with_its_reasons() {
    let w = World::new();
    logits(&w);
    let ran = w.run(&["select", "--strategy", "gini", "--budget", "25%", "--logits", "z.npy", "--json"]).ok();
    let picks = ran.json()["picks"].as_array().unwrap().clone();
    assert_eq!(picks.len(), 5);
    for (rank, pick) in picks.iter().enumerate() {
        assert_eq!(pick["rank"], rank);
        assert!(pick["id"].is_u64() && pick["score"].is_f64() && pick.get("region").is_some());
        assert!(!pick["reason"].as_str().unwrap().is_empty());
    }
    let again =
        w.run(&["select", "--strategy", "gini", "--budget", "5", "--logits", "z.npy", "--json", "-j", "1"]).ok();
    assert_eq!(again.json(), ran.json());
}

#[test]
fn regions_are_clustered_when_none_are_given() {
    let w = World::new();
    logits(&w);
    let x = Array2::from_shape_fn((20, 4), |(i, j)| ((i / 5) * 10 + (i * j) % 3) as f32);
    write_npy(w.path("x.npy"), &x).unwrap();
    let p = Array2::from_elem((20, 3), 1.0f32 / 3.0);
    write_npy(w.path("v.npy"), &p).unwrap();
    let args =
        ["select", "--strategy", "hybrid", "--budget", "4", "--embeddings", "x.npy", "--views", "v.npy", "--json"];
    let picks = w.run(&args).ok().json()["picks"].as_array().unwrap().clone();
    assert_eq!(picks.len(), 4);
    assert!(picks.iter().all(|p| p["region"].is_u64()));
}

#[test]
fn bad_budgets_are_usage_errors() {
    let w = World::new();
    logits(&w);
    for bad in ["0", "-1", "-0.5", "1.5", "nan", "many", "0.001", "21"] {
        let ran = w.run(&["select", "--strategy", "random", "--budget", bad, "--logits", "z.npy"]);
        assert_eq!(ran.code, 2, "{bad}: {}", ran.err);
        assert!(ran.err.contains("budget"), "{bad}: {}", ran.err);
    }
}

#[test]
fn bad_arrays_are_input_errors_that_name_the_place() {
    let w = World::new();
    logits(&w);
    let select = |file: &str| w.run(&["select", "--strategy", "gini", "--budget", "2", "--logits", file]);
    write_npy(w.path("nan.npy"), &array![[0.0f32, 1.0], [f32::NAN, 2.0]]).unwrap();
    select("nan.npy").fails(4, &["nan.npy", "row 1", "column 0"]);
    select("missing.npy").fails(4, &["missing.npy"]);
    let whole = w.read("z.npy");
    for cut in [0, 5, 60, whole.len() - 1] {
        w.write("cut.npy", &whole[..cut]);
        select("cut.npy").fails(4, &["cut.npy"]);
    }
    w.write("text.npy", "id,label\n");
    select("text.npy").fails(4, &["text.npy"]);
    write_npy(w.path("flat.npy"), &array![0.0f32, 1.0]).unwrap();
    select("flat.npy").fails(4, &["flat.npy"]);
    // a header that promises more than any file holds must not be believed
    let header = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 4000), }";
    let mut huge = header.to_vec();
    huge.resize(127, b' ');
    huge.push(b'\n');
    w.write("huge.npy", huge);
    select("huge.npy").fails(4, &["huge.npy"]);
}

#[test]
fn missing_evidence_and_unknown_names_say_what_to_pass() {
    let w = World::new();
    logits(&w);
    let run = |strategy: &str| w.run(&["select", "--strategy", strategy, "--budget", "2", "--logits", "z.npy"]);
    run("badge").fails(2, &["--features"]);
    run("coreset").fails(2, &["--features"]);
    run("best").fails(2, &["unknown strategy", "coreset"]);
    w.run(&["select", "--strategy", "gini", "--budget", "2"]).fails(2, &["--logits"]);
    write_npy(w.path("short.npy"), &Array2::<f32>::zeros((19, 2))).unwrap();
    let both = ["select", "--strategy", "badge", "--budget", "2", "--logits", "z.npy", "--features", "short.npy"];
    w.run(&both).fails(4, &["19", "20"]);
}

#[test]
fn a_contact_sheet_is_drawn_and_never_overwritten() {
    let w = World::new();
    let args = ["data", "sheet", "--cut-train", "400", "--columns", "4", "--output", "s.png"];
    w.run(&args).ok();
    assert_eq!(w.read("s.png")[..8], *b"\x89PNG\r\n\x1a\n");
    let before = w.read("s.png");
    w.run(&args).fails(4, &["s.png"]);
    assert_eq!(w.read("s.png"), before);
    w.run(&["data", "sheet", "--dataset", "mnistt"]).fails(2, &["mnistt", "signs", "fashion-mnist"]);
    w.run(&["data", "sheet", "--dataset", "cifar10"]).fails(2, &["--data-dir"]);
    assert!(w.run(&["data", "list"]).ok().out.contains("signs"));
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    use std::process::Stdio;
    let w = World::new();
    let z = Array2::from_shape_fn((20_000, 2), |(i, c)| ((i * 7 + c) % 11) as f32);
    write_npy(w.path("big.npy"), &z).unwrap();
    let args = ["select", "--strategy", "gini", "--budget", "20000", "--logits", "big.npy"];
    let mut child = w.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn without_a_home_the_list_still_answers_and_json_is_json() {
    let w = World::new();
    let mut command = w.command(&["data", "list"]);
    command.env_remove("HOME").env_remove("XDG_DATA_HOME").env_remove("HYBRIDREPAIR_DATA_HOME");
    let ran = hybridrepair_tests::Ran::from(command.output().unwrap()).ok();
    assert!(ran.out.contains("cifar10") && ran.out.contains("--data-dir DIR"), "{}", ran.out);
    let told = w.run(&["data", "prepare", "signs", "--json"]).ok().json();
    assert_eq!((&told["name"], told["parts"].as_array().unwrap().len()), (&"signs".into(), 0));
}

#[test]
fn a_folder_is_inspected_and_shown_at_the_size_that_is_asked_for() {
    let w = World::new();
    hybridrepair_tests::pictures::own_pictures(&w, "own");
    std::fs::copy(w.path("own/train/red/red-0.ppm"), w.path("own/train/red/copy.ppm")).unwrap();
    let survey = w.run(&["data", "inspect", "own/train", "--json"]).ok().json()["survey"].clone();
    assert_eq!((&survey["pictures"], &survey["classes"]["red"]), (&73.into(), &25.into()));
    assert_eq!(survey["duplicates"][0], serde_json::json!(["red/copy.ppm", "red/red-0.ppm"]));
    assert_eq!((&survey["width"][0], &survey["width"][2]), (&20.into(), &36.into()));
    let told = w.run(&["data", "inspect", "own/field"]).ok().out;
    assert!(told.contains("60 pictures that decode") && told.contains("cam 1"), "{told}");
    let side = |file: &str| u32::from_be_bytes(w.read(file)[16..20].try_into().unwrap());
    let sheet = |size: &str, file: &str| {
        let own = ["--train", "own/train", "--field", "own/field", "--img-size", size, "--resize", "fit-pad"];
        let args =
            ["data", "sheet", "--part", "field", "--rows", "1", "--columns", "1", "--scale", "1", "--output", file];
        w.run(&[&args[..], &own].concat()).ok();
        side(file)
    };
    assert_eq!(sheet("48x64", "b.png") - sheet("48", "a.png"), 16);
}
