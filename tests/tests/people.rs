//! Labels from people, on data of the tool's own and on folders: what is asked, what is taken, and that runs go on.

use hybridrepair_tests::{World, pictures::own_pictures};
use serde_json::Value;
use std::{collections::BTreeMap, fs};

/// Class of each sample, by an uninterrupted run of the same seed that reads the sealed labels.
fn truth(w: &World, run: &str) -> BTreeMap<u64, u64> {
    let line = |l: &str| serde_json::from_str::<Value>(l).unwrap();
    let text = String::from_utf8(w.read(&format!("{run}/labels.jsonl"))).unwrap();
    text.lines().map(line).map(|v| (v["id"].as_u64().unwrap(), v["class"].as_u64().unwrap())).collect()
}

fn answers(w: &World, run: &str) -> Vec<Value> {
    let text = String::from_utf8(w.read(&format!("{run}/ledger.jsonl"))).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    lines.filter(|v| v["idx"].is_u64()).collect()
}

#[test]
fn labels_in_pieces_with_contradictions_give_what_the_sealed_ones_give() {
    let w = World::with_model();
    let common = ["repair", "-c", "repair.toml", "--seed", "4", "--quiet", "--output-dir"];
    w.run(&[&common[..], &["o/run"]].concat()).ok();
    let truth = truth(&w, "o/run");
    let waits = w.run(&[&common[..], &["p/run", "--annotator", "people"]].concat());
    assert_eq!(waits.code, 3, "{}", waits.err);
    assert!(waits.out.contains("16 of 16 pictures") && waits.out.contains("label export p/run"), "{}", waits.out);
    assert_eq!(w.read("p/run/selection.jsonl"), w.read("o/run/selection.jsonl"));
    // again, and nothing moves: the questions stay
    let asked = w.read("p/run/tasks/asked.json");
    assert_eq!(w.run(&["resume", "p/run", "--quiet"]).code, 3);
    assert_eq!(w.read("p/run/tasks/asked.json"), asked);

    w.run(&["label", "export", "p/run", "--to", "csv", "--output", "ask.csv"]).ok();
    let table = String::from_utf8(w.read("ask.csv")).unwrap();
    let ids: Vec<u64> = table.lines().skip(1).map(|l| l.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(ids.len(), 16);
    assert!(ids.iter().all(|id| w.path(&format!("p/run/tasks/images/{id}.png")).is_file()), "pictures to look at");
    w.run(&["label", "export", "p/run", "--output", "ask.csv"]).fails(4, &["ask.csv exists", "--overwrite"]);

    // first batch: six answers by ann, three of them wrong, one doubtful; rows in another order, one unknown picture
    let wrong = |id: &u64| (truth[id] + 1) % 16;
    let mut first: String = "label,id,annotator,seconds\n".to_owned();
    for (i, id) in ids.iter().take(6).enumerate().collect::<Vec<_>>().into_iter().rev() {
        let label = if i < 3 { wrong(id).to_string() } else { truth[id].to_string() };
        first += &format!("{},{id},ann,2.5\n", if i == 5 { "?" } else { &label });
    }
    w.write("1.csv", first + "3,999999,ann,1\n");
    let told = w.run(&["label", "import", "p/run", "1.csv"]).ok();
    assert!(told.out.contains("took 6 answers") && told.out.contains("did not ask about"), "{}", told.out);
    assert_eq!(w.run(&["resume", "p/run", "--quiet"]).code, 3);

    // second: all sixteen by bob as JSON lines, right; on three pictures he and ann are at odds
    let lines: String =
        ids.iter().map(|id| format!("{{\"id\":{id},\"label\":{},\"annotator\":\"bob\"}}\n", truth[id])).collect();
    w.write("2.jsonl", &lines);
    let told = w.run(&["label", "import", "p/run", "2.jsonl", "--json"]).ok().json();
    assert_eq!((&told["files"][0]["taken"], told["status"]["ties"].as_array().unwrap().len()), (&16.into(), 3));
    let waits = w.run(&["resume", "p/run", "--quiet"]);
    assert!(waits.code == 3 && waits.out.contains("on 3 the answers are at odds"), "{}", waits.out);
    let open = w.run(&["label", "export", "p/run", "--open", "--output", "open.csv"]).ok();
    assert!(open.out.contains("3 pictures to label"), "{}", open.out);

    // third: ann corrects two herself, cleo decides the last
    let row = |id: u64, by: &str| format!("{id},{},{by}\n", truth[&id]);
    w.write(
        "3.csv",
        format!("id,label,annotator\n{}{}{}", row(ids[0], "ann"), row(ids[1], "ann"), row(ids[2], "cleo")),
    );
    let told = w.run(&["label", "import", "p/run", "3.csv", "--json"]).ok().json();
    assert_eq!((&told["files"][0]["corrections"], &told["status"]["done"]), (&2.into(), &16.into()));
    // every file once more, oldest last: nothing new
    let told = w.run(&["label", "import", "p/run", "3.csv", "2.jsonl", "1.csv", "--json"]).ok().json();
    assert!(told["files"].as_array().unwrap().iter().all(|f| f["taken"] == 0), "{told}");

    w.run(&["resume", "p/run", "--quiet"]).ok();
    assert_eq!(w.read("p/run/labels.jsonl"), w.read("o/run/labels.jsonl"));
    assert_eq!(w.read("p/run/checkpoints/best.safetensors"), w.read("o/run/checkpoints/best.safetensors"));
    assert_eq!(w.read_json("p/run/summary.json")["holdout"], w.read_json("o/run/summary.json")["holdout"]);
    let ledger = answers(&w, "p/run");
    assert_eq!(ledger.len(), 6 + 16 + 3, "every answer is a line, corrections too");
    assert_eq!(ledger[0]["by"], "ann");
    assert_eq!(ledger[0]["seconds"], 2.5);
    w.run(&["label", "import", "p/run", "3.csv"]).fails(2, &["complete"]);
    w.run(&["label", "export", "o/run"]).fails(2, &["asks nobody"]);
}

#[test]
fn own_folders_without_holdout_wait_for_people_and_judge_by_chance() {
    let w = World::new();
    own_pictures(&w, "cats & dogs");
    let data = ["--train", "cats & dogs/train", "--field", "cats & dogs/field"];
    let train =
        ["train", "--model", "mobilenet", "--width", "0.1", "--epochs", "2", "--batch-size", "16", "--threads", "1"];
    w.run(&[&train[..], &data, &["--output-dir", "model", "--quiet"]].concat()).ok();
    let model = ["--checkpoint", "model/checkpoints/best.safetensors"];
    let repair =
        ["repair", "--budget", "20", "--epochs", "1", "--replay-epochs", "1", "--batch-size", "8", "--threads", "1"];
    let run =
        |out: &str, data: &[&str]| w.run(&[&repair[..], &model, data, &["--output-dir", out, "--quiet"]].concat());
    let waits = run("r/run", &data);
    assert_eq!(waits.code, 3, "{}", waits.err);
    assert!(waits.out.contains("(4 of them are drawn at random"), "{}", waits.out);
    let asked = w.read_json("r/run/tasks/asked.json");
    let images = asked["images"].as_array().unwrap();
    assert_eq!(images.iter().filter(|i| i["purpose"] == "judge").count(), 4);
    // the pictures are the owner's own files, and say their class in their names here
    let row = |i: &Value| {
        let file = i["file"].as_str().unwrap().to_owned();
        let class = file.rsplit('/').next().unwrap().split('-').next().unwrap().to_owned();
        format!("\"{file}\",{class}\n")
    };
    w.write("labels.csv", "file,label\n".to_owned() + &images.iter().map(row).collect::<String>());

    // a picture that came since does not matter; one that is gone or changed is told
    let field = w.path("cats & dogs/field");
    fs::write(field.join("red-new.ppm"), w.read("cats & dogs/field/cam 1/red-0.ppm")).unwrap();
    w.run(&["label", "import", "r/run", "labels.csv", "--annotator", "ann"]).ok();
    let (there, away) = (field.join("cam 1/red-0.ppm"), w.path("away.ppm"));
    fs::rename(&there, &away).unwrap();
    w.run(&["resume", "r/run"]).fails(4, &["red-0.ppm", "is gone"]);
    fs::copy(field.join("cam 1/green-0.ppm"), &there).unwrap();
    w.run(&["resume", "r/run"]).fails(4, &["the pictures changed"]);
    fs::rename(&away, &there).unwrap();
    let told = w.run(&["resume", "r/run", "--no-progress"]).ok();
    assert!(told.out.contains("field accuracy by 4 random samples"), "{}", told.out);
    let s = w.read_json("r/run/summary.json");
    assert_eq!(
        (&s["labels_bought"], &s["random_share"]["instead_of_holdout"], &s["holdout"]["n"]),
        (&20.into(), &true.into(), &4.into())
    );
    let gain = &s["random_share"]["gain"];
    assert!(gain["low"].as_f64().unwrap() <= gain["value"].as_f64().unwrap());
    let ledger = answers(&w, "r/run");
    assert_eq!(ledger.iter().filter(|l| l["purpose"] == "judge").count(), 4);
    assert!(ledger.iter().all(|l| l["by"] == "ann"));

    // the model knows its classes and its input: the field alone will do
    let alone = run("alone/run", &["--field", "cats & dogs/field"]);
    assert!(alone.code == 3 && alone.err.contains("stand in"), "{} {}", alone.code, alone.err);
    // labelled folders are sealed, and the oracle answers
    let sealed = ["--train", "cats & dogs/train", "--field", "cats & dogs/holdout", "--holdout", "cats & dogs/holdout"];
    run("sealed/run", &sealed).ok();
    assert_eq!(w.read_json("sealed/run/summary.json")["labels_bought"], 20);
}

#[test]
fn exports_are_what_the_tools_read_and_their_answers_come_back() {
    let w = World::with_model();
    let repair = ["repair", "-c", "repair.toml", "--annotator", "people", "--budget", "5", "--replay-epochs", "0"];
    assert_eq!(w.run(&[&repair[..], &["--answers", "1", "--quiet", "--output-dir", "r/run"]].concat()).code, 3);
    let told = w.run(&["label", "export", "r/run", "--to", "label-studio"]).ok();
    assert!(told.out.contains("LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"), "{}", told.out);
    let tasks = w.read_json("r/run/tasks/label-studio/tasks.json");
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), 5);
    // annotated as Label Studio would
    let done = |t: &Value| {
        let mut t = t.clone();
        let result = serde_json::json!([{"type": "choices", "value": {"choices": ["stop"]}}]);
        t["annotations"] =
            serde_json::json!([{"completed_by": 1, "was_cancelled": false, "lead_time": 3.5, "result": result}]);
        t
    };
    w.write("ls.json", serde_json::to_string(&tasks[..2].iter().map(done).collect::<Vec<_>>()).unwrap());
    w.run(&["label", "import", "r/run", "ls.json"]).ok();
    w.run(&["label", "export", "r/run", "--to", "cvat"]).ok();
    assert!(w.read("r/run/tasks/cvat/images.zip").starts_with(b"PK"));
    let id = &tasks[2]["data"]["hr_id"];
    w.write(
        "annotations.xml",
        format!("<annotations><image id=\"0\" name=\"images/{id}.png\"><tag label=\"stop\"/></image></annotations>"),
    );
    w.run(&["label", "import", "r/run", "annotations.xml"]).ok();
    w.run(&["label", "export", "r/run", "--to", "sheet", "--open"]).ok();
    assert_eq!(w.read("r/run/tasks/sheet/sheet-1.png")[..4], *b"\x89PNG");
    let open = String::from_utf8(w.read("r/run/tasks/sheet/labels.csv")).unwrap();
    assert_eq!(open.lines().count(), 3, "{open}");
    let status = w.run(&["label", "status", "r/run", "--json"]).ok().json();
    assert_eq!((&status["status"]["done"], &status["status"]["seconds"]), (&3.into(), &7.0.into()));
    // go on with what is there
    w.run(&["resume", "r/run", "--partial", "--quiet"]).ok();
    assert_eq!(w.read_json("r/run/summary.json")["labels_bought"], 3);
}

#[test]
fn noise_is_bought_and_noted_as_said() {
    let w = World::with_model();
    let common = ["repair", "-c", "repair.toml", "--method", "random", "--budget", "60", "--epochs", "1", "--quiet"];
    let run = |out: &str, more: &[&str]| w.run(&[&common[..], more, &["--output-dir", out]].concat());
    run("clean/run", &[]).ok();
    run("noisy/run", &["--error-rate", "0.5"]).ok();
    run("three/run", &["--error-rate", "0.5", "--answers", "3"]).ok();
    let (clean, noisy) = (truth(&w, "clean/run"), truth(&w, "noisy/run"));
    let wrong = noisy.iter().filter(|(id, class)| clean[id] != **class).count();
    assert!((15..46).contains(&wrong), "{wrong} of 60");
    assert_eq!(w.read_json("three/run/summary.json")["labels_bought"], 60);
    assert_eq!(answers(&w, "three/run").len(), 60);
    assert!(truth(&w, "three/run").len() <= 20);
    run("bad/run", &["--error-rate", "1.5"]).fails(2, &["error_rate"]);
    run("bad/run", &["--answers", "0"]).fails(2, &["answers"]);
    run("bad/run", &["--answers", "61"]).fails(2, &["61 answers"]);
    run("bad/run", &["--random-share", "1"]).fails(2, &["random_share"]);
}

#[test]
fn a_gain_is_foretold_before_labels_are_bought() {
    let w = World::with_model();
    let common = ["repair", "-c", "default.toml", "--quiet", "--seed"];
    let run = |seed: &str, more: &[&str]| w.run(&[&common[..], &[seed], more].concat());
    // nothing is known of this field yet
    let plan = |more: &[&str]| run("1", &[&["--dry-run", "--json"], more].concat()).ok().json()["advice"].clone();
    let none = plan(&["--output-dir", "r/next"]);
    assert_eq!((&none["earlier"], &none["forecasts"][0]["labels"]), (&serde_json::json!([]), &16.into()), "{none}");
    assert!(["source_confidence", "field_confidence"].iter().all(|of| none[of].as_f64().is_some()), "{none}");
    let waits = run("1", &["--annotator", "people", "--output-dir", "p/run"]);
    assert_eq!(waits.code, 3, "{}", waits.err);
    for part in ["predicted gain of    16 labels: ", "the next 16 labels", "on no label of this one"] {
        assert!(waits.out.contains(part), "{part:?} is not in {}", waits.out);
    }
    let told = w.run(&["label", "status", "p/run", "--json"]).ok().json()["advice"].clone();
    assert_eq!(told, w.read_json("p/run/advice.json"));
    assert_eq!(told["forecasts"].as_array().unwrap().len(), 3);
    // a finished run beside it moves the prediction and makes it narrower
    run("1", &["--output-dir", "r/first"]).ok();
    let s = w.read_json("r/first/summary.json");
    let gain = s["holdout"]["after"].as_f64().unwrap() - s["holdout"]["raw"].as_f64().unwrap();
    let one = plan(&["--output-dir", "r/next"]);
    assert_eq!((one["earlier"].as_array().unwrap().len(), &one["earlier"][0]["run"]), (1, &"first".into()), "{one}");
    let of = |advice: &Value, end: &str| advice["forecasts"][0]["gain"][end].as_f64().unwrap();
    let width = |advice: &Value| of(advice, "high") - of(advice, "low");
    assert!(width(&one) < width(&none), "{one} {none}");
    assert!((of(&one, "value") - gain).abs() < (of(&none, "value") - gain).abs() + 1e-9, "{one} {none}");
    // of another kind of repair nothing was recorded, and nothing is made up
    assert_eq!(plan(&["--method", "gini", "--output-dir", "r/next"])["forecasts"], serde_json::json!([]));
    let quiet = w.run(&["repair", "-c", "repair.toml", "--annotator", "people", "--output-dir", "h/run", "--quiet"]);
    assert!(quiet.code == 3 && quiet.out.contains("no gain is predicted"), "{}", quiet.out);
}
