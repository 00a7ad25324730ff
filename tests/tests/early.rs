//! Every checkpoint of a small training, repaired.

use hybridrepair_tests::{TINY, World};
use std::fs;

fn world() -> World {
    let w = World::new();
    let data = TINY.replace("[data.signs]", "[train.data.signs]");
    let top = "epochs = [1, 2, 4]\nrepair_seeds = 2\nworst_classes = 1\nbudget = \"400\"\npositives = 100\n";
    let search = "population = 10\niterations = 4\n[train]\nmodel = \"mobilenet\"\nwidth = 0.1\nthreads = 1\n";
    w.write("early.toml", format!("{top}{search}{data}"));
    w
}

#[test]
fn checkpoints_are_repaired_compared_and_not_repaired_twice() {
    let w = world();
    let said = w.run(&["early", "early.toml", "--output-dir", "e/run", "--json"]).ok().json();
    assert_eq!(said, w.read_json("e/run/early.json"));
    let classes = said["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 5, "a class, five methods");
    for c in classes {
        assert_eq!(c["rows"].as_array().unwrap().len(), 3);
        assert_eq!(c["readiness"].as_array().unwrap().len(), 3);
        let last = c["intervals"].as_array().unwrap().last().map_or(1.0, |v| v["to"].as_f64().unwrap());
        assert!((last - 1.0).abs() < 1e-12);
        assert_eq!(c["patterns"]["chosen"].as_array().unwrap().len(), 3);
    }
    let page = String::from_utf8(w.read("e/run/early.html")).unwrap();
    // counts by method, readiness of the class, accuracy and quality by method
    assert_eq!(page.matches("<svg").count(), 5 + 1 + 10);
    // 3 checkpoints x (2 methods once + 3 methods twice)
    let grid = String::from_utf8(w.read("e/run/grid.jsonl")).unwrap();
    assert_eq!(grid.lines().count(), 24);
    // killed in between: half of the repairs and the last checkpoint are there no more
    let half = grid.lines().take(12).map(|l| format!("{l}\n")).collect::<String>() + "{\"key\": \"torn";
    w.write("e/run/grid.jsonl", half);
    fs::remove_file(w.path("e/run/early.json")).unwrap();
    let again = w.run(&["early", "--resume", "--output-dir", "e/run", "--json"]).ok().json();
    assert_eq!(again["classes"], said["classes"], "the same, whatever was there");
    assert_eq!(String::from_utf8(w.read("e/run/grid.jsonl")).unwrap().lines().count(), 24);
    w.run(&["early", "early.toml", "--methods", "prayer", "--output-dir", "x"]).fails(2, &["prayer", "arachne"]);
    w.run(&["early", "early.toml", "--repair-class", "stopp", "--output-dir", "y"]).fails(2, &["stopp"]);
    w.run(&["early", "early.toml", "--epochs", "3,1", "--output-dir", "z"]).fails(2, &["rising"]);
}
