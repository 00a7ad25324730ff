//! The label page and the report in a real browser, as people use them.

use hybridrepair_tests::{
    World,
    browser::{Browser, keys},
    pages::{EVIL, Served, complete_run, waiting_run},
};
use serde_json::Value;
use std::collections::BTreeSet;

fn ledger(w: &World, run: &str) -> Vec<Value> {
    let path = w.path(&format!("{run}/ledger.jsonl"));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|l| serde_json::from_str(l).expect("a whole line")).collect()
}

/// The picture that is shown, once it is.
fn shown(b: &Browser) -> String {
    b.wait_for("!document.getElementById('work').hidden && ready && !busy");
    b.value("String(turn.card.id)").as_str().expect("a number").to_owned()
}

fn begin(b: &Browser, address: &str, name: &str) {
    b.open(address);
    b.wait_for("!document.getElementById('start').hidden");
    b.press(name);
    b.press(keys::ENTER);
    shown(b);
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| if i == 1 { EVIL.to_owned() } else { format!("sign number {i}") }).collect()
}

#[test]
fn fifty_labels_by_keys_with_everything_that_goes_wrong() {
    let Some(b) = Browser::start() else { return };
    let w = World::new();
    waiting_run(&w.path("run"), 60, &names(16));
    let served = Served::start(&w, "run");
    b.screen(1440, 900, false);
    begin(&b, &served.address, "Zoë");
    b.shot("label-1440-light", false);
    assert_eq!(
        b.value("document.querySelectorAll('#classes button')[1].textContent.slice(1)"),
        EVIL,
        "a name is a text"
    );
    assert_eq!(b.value("document.images.length > 1 && [...document.images].every((i) => i.alt)"), true);
    let mut seen = BTreeSet::new();
    for n in 0..20 {
        let id = shown(&b);
        assert!(seen.insert(id.clone()), "{id} came twice");
        b.press(["1", "2", "q", "?"][n % 4]);
        b.wait_for(&format!("turn.card.id !== {id}"));
        // on the disk before the next one shows
        assert_eq!(ledger(&w, "run").len(), n + 1);
    }
    // a reload in the middle: the same picture, and nothing is forgotten
    let before = shown(&b);
    b.reload();
    assert_eq!(shown(&b), before);
    // undo: the earlier picture with its answer; a correction is a new line
    b.press(keys::LEFT);
    b.wait_for(&format!("turn.card.id !== {before}"));
    shown(&b);
    assert!(b.text("said").contains("cannot tell"), "{}", b.text("said"));
    b.press("3");
    b.wait_for(&format!("turn.card.id === {before}"));
    assert_eq!(ledger(&w, "run").last().map(|l| (l["class"].clone(), l["cost"].clone())), Some((2.into(), 0.0.into())));
    // a second page of the same person works beside the first, on other pictures
    let (first, second) = b.second_page();
    b.open(&served.address);
    let other = shown(&b);
    assert_ne!(other, before);
    for _ in 0..5 {
        let id = shown(&b);
        assert!(seen.insert(id.clone()));
        b.press("4");
        b.wait_for(&format!("turn.card.id !== {id}"));
    }
    b.switch(&first);
    assert_eq!(shown(&b), before);
    // the server is killed: the answer waits, and nobody has to do anything when it is back
    let address = served.address.clone();
    served.kill();
    b.press("5");
    b.wait_for("!document.getElementById('trouble').hidden");
    b.press("6");
    let served = Served::start(&w, "run");
    assert_eq!(served.address, address, "the page finds it again");
    b.wait_for("document.getElementById('trouble').hidden");
    seen.insert(before.clone());
    b.wait_for(&format!("turn.card.id !== {before}"));
    let of_before: Vec<_> =
        ledger(&w, "run").into_iter().filter(|l| l["idx"].as_u64() == before.parse().ok()).collect();
    assert_eq!(
        of_before.iter().map(|l| l["class"].clone()).collect::<Vec<_>>(),
        [Value::from(4)],
        "once, and not the key after it"
    );
    // a slow network, and somebody who hammers on the keys: one answer per picture that was seen
    b.network(300.0, 60_000.0);
    for _ in 0..4 {
        let id = shown(&b);
        let lines = ledger(&w, "run").len();
        b.press("777");
        b.wait_for(&format!("!busy && turn.card.id !== {id}"));
        assert_eq!(ledger(&w, "run").len(), lines + 1);
        seen.insert(id);
    }
    b.network(0.0, -1.0);
    // by mouse alone: skip, a class, the whole region
    b.switch(&second);
    b.screen(1440, 900, false);
    b.reload();
    let skipped = shown(&b);
    b.click("#skip");
    b.wait_for(&format!("turn.card.id !== {skipped}"));
    let id = shown(&b);
    b.click("#classes button:nth-child(8)");
    b.wait_for(&format!("turn.card.id !== {id}"));
    shown(&b);
    let (lines, open) =
        (ledger(&w, "run").len(), b.value("turn.card.region_open").as_u64().expect("a number") as usize);
    if open > 0 {
        b.click("#whole");
    }
    b.click("#classes button:nth-child(9)");
    b.wait_for("!busy && turn.taken > 0");
    assert_eq!(ledger(&w, "run").len(), lines + 1 + open);
    // to the end by keys
    for _ in 0..60 {
        b.wait_for("!busy && (ready || !turn.card)");
        if b.value("turn.card === null") == true {
            break;
        }
        let id = shown(&b);
        b.press("1");
        b.wait_for(&format!("!busy && turn.card?.id !== {id}"));
    }
    b.switch(&first);
    b.wait_for("!busy && ready");
    for _ in 0..5 {
        if b.value("turn.card === null") == true {
            break;
        }
        let id = shown(&b);
        b.press("1");
        b.wait_for(&format!("!busy && turn.card?.id !== {id}"));
    }
    b.wait_for("turn.card === null && turn.done === 60");
    assert_eq!(b.text("end-title"), "All pictures are labelled");
    assert_eq!(b.text("end-command"), "hybridrepair resume run");
    assert_eq!(b.value("document.title"), "Label · run", "no name has run as a script");
    let all = ledger(&w, "run");
    let answered: BTreeSet<_> = all.iter().map(|l| l["idx"].to_string()).collect();
    assert_eq!((answered.len(), all.len()), (60, 61), "one answer each, and one correction");
    assert!(all.iter().all(|l| l["by"] == "Zoë" && l["seconds"].as_f64().is_some_and(|s| s >= 0.0)));
    assert_eq!(b.complaints(), Vec::<String>::new());
    served.kill();
    let told = w.run(&["label", "status", "run"]).ok();
    assert!(told.out.contains("60 of 60 pictures are done"), "{}", told.out);
}

#[test]
fn a_thousand_classes_by_typing_and_the_phone() {
    let Some(b) = Browser::start() else { return };
    let w = World::new();
    waiting_run(&w.path("run"), 12, &names(1000));
    let served = Served::start(&w, "run");
    b.screen(390, 844, true);
    begin(&b, &served.address, "ann");
    b.shot("label-390-dark-1000", true);
    assert_eq!(b.value("document.documentElement.scrollWidth <= 390"), true, "nothing sticks out");
    b.press("number 73");
    b.press(keys::ENTER);
    b.wait_for("turn.mine === 1");
    assert_eq!(ledger(&w, "run")[0]["class"], 73, "the exact word comes before longer ones");
    shown(&b);
    // the last class again is one key
    b.press(keys::ENTER);
    b.wait_for("turn.mine === 2");
    assert_eq!(ledger(&w, "run")[1]["class"], 73);
    shown(&b);
    b.press("no such thing");
    b.press(keys::ENTER);
    assert_eq!(b.text("found"), "no such class");
    assert_eq!(ledger(&w, "run").len(), 2);
    assert_eq!(b.complaints(), Vec::<String>::new());
}

#[test]
fn two_classes_in_all_lights() {
    let Some(b) = Browser::start() else { return };
    let w = World::new();
    waiting_run(&w.path("run"), 8, &names(2));
    let served = Served::start(&w, "run");
    begin(&b, &served.address, "ann");
    for (width, height, dark) in [(390, 844, false), (390, 844, true), (1440, 900, false), (1440, 900, true)] {
        b.screen(width, height, dark);
        shown(&b);
        b.shot(&format!("label-{width}-{}-2", if dark { "dark" } else { "light" }), width < 600);
        assert_eq!(b.value(&format!("document.documentElement.scrollWidth <= {width}")), true);
    }
    // another person, named by hand
    b.click("#who");
    b.wait_for("!document.getElementById('start').hidden");
    b.shot("label-1440-dark-start", false);
}

#[test]
fn reports_of_few_and_of_many_classes() {
    let w = World::new();
    complete_run(&w.path("two"), 2, 3000, 600);
    complete_run(&w.path("many"), 1000, 50_000, 50_000);
    for run in ["two", "many"] {
        w.run(&["report", run]).ok();
        let html = String::from_utf8(w.read(&format!("{run}/report.html"))).expect("text");
        assert!(html.len() < 10_000_000, "{run}: {} bytes", html.len());
        assert!(!html.contains("<img src=x") && !html.contains("http://") && !html.contains("https://"), "{run}");
        for part in ["gain", "warnings", "map", "classes", "confusion", "training", "cost"] {
            assert!(html.contains(&format!("<section id=\"{part}\">")), "{run}: {part}");
        }
    }
    let Some(b) = Browser::start() else { return };
    for run in ["two", "many"] {
        b.open(&format!("file://{}", w.path(&format!("{run}/report.html")).display()));
        for (width, height, dark) in [(390, 844, false), (1440, 900, true), (1440, 900, false)] {
            b.screen(width, height, dark);
            b.wait_for("document.querySelector('#map canvas').width > 0");
            assert_eq!(
                b.value(&format!("document.documentElement.scrollWidth <= {width}")),
                true,
                "nothing sticks out"
            );
            b.shot(&format!("report-{run}-{width}-{}", if dark { "dark" } else { "light" }), true);
        }
        // the map is drawn: other colours than its ground's
        let drawn = "new Set(new Uint32Array(document.querySelector('#map canvas').getContext('2d').getImageData(100, 100, 200, 200).data.buffer)).size > 3";
        assert_eq!(b.value(drawn), true, "{run}");
        b.click("#map input[value=region]");
        assert!(b.value("document.querySelector('.key').textContent").as_str().is_some_and(|t| t.contains("region")));
        assert_ne!(b.value("document.title"), "hacked");
        assert_eq!(b.complaints(), Vec::<String>::new());
    }
}

#[test]
fn several_runs_and_numbers_for_other_programs() {
    let w = World::new();
    complete_run(&w.path("a"), 4, 100, 300);
    complete_run(&w.path("b"), 4, 100, 300);
    let mut summary = w.read_json("b/summary.json");
    (summary["method"], summary["seed"]) = ("no-repair".into(), 10.into());
    w.write("b/summary.json", summary.to_string());
    w.run(&["report", "a", "b", "--output", "both.html"]).ok();
    let html = String::from_utf8(w.read("both.html")).expect("text");
    assert!(html.contains("minus no-repair [95 %]") && html.contains("<section id=\"differences\">"));
    w.run(&["report", "a", "b", "--baseline", "gini"]).fails(2, &["no run of the baseline `gini`"]);
    w.run(&["report", "nothing"]).fails(2, &["config.toml is missing"]);
    w.run(&["report"]).fails(2, &["RUN"]);
    w.run(&["export", "tensorboard", "a", "b", "--output", "tb"]).ok();
    assert!(w.read("tb/a/events.out.tfevents.0.hybridrepair").len() > 500);
    w.run(&["export", "csv", "a", "b", "--output", "csv"]).ok();
    let metrics = String::from_utf8(w.read("csv/metrics.csv")).expect("text");
    assert!(
        metrics.starts_with("run,stage,epoch,step,split,measure,value\na,finetune,1,,train,loss,2.0\n"),
        "{metrics}"
    );
    let runs = String::from_utf8(w.read("csv/runs.csv")).expect("text");
    assert_eq!(runs.lines().count(), 3);
    // an evil class name is one field of one line
    assert_eq!(String::from_utf8(w.read("csv/classes.csv")).expect("text").lines().count(), 9);
}
