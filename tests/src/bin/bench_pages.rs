//! How fast the label page and the report are with a pool of 50,000 pictures, in Chromium: `scripts/bench-pages`.
#![expect(clippy::print_stdout, reason = "it prints its numbers")]

use hybridrepair_tests::{World, browser::Browser, browser::keys, pages::Served};
use std::time::{Duration, Instant};

/// Pictures of the field pool.
const FIELD: usize = 50_000;
/// Keys that are pressed.
const KEYS: usize = 100;

fn main() {
    let Some(b) = Browser::start() else { return };
    let w = World::new();
    let data = format!("[data.signs]\ntrain = 2000\nval = 400\nfield = {FIELD}\nholdout = 10000\n");
    let model = hybridrepair_tests::root().join("checkpoints/signs-mobilenet-w025.safetensors");
    let top = format!("checkpoint = {:?}\nbudget = \"500\"\nthreads = 2\n", model.display().to_string());
    let short = "[finetune]\nepochs = 1\nreplay_epochs = 1\n[matching]\nepochs = 1\nunlabelled = 64\n";
    w.write("bench.toml", format!("method = \"gini\"\n{top}{short}{data}"));
    // a folder that is given keeps its runs, so that a quiet hour is needed for the pages alone
    let base = std::env::args().nth(1).map_or_else(|| w.path("runs"), |d| std::path::absolute(d).expect("a path"));
    let at = |name: &str| base.join(name).display().to_string();
    let (asks, whole) = (at("asks"), at("whole"));
    let repair = ["repair", "-c", "bench.toml", "--quiet", "--output-dir"];
    if !base.join("asks/tasks/asked.json").is_file() {
        assert_eq!(w.run(&[&repair[..], &[&asks, "--annotator", "people"]].concat()).code, 3);
    }
    if !base.join("whole/summary.json").is_file() {
        let began = Instant::now();
        w.run(&[&repair[..], &[&whole]].concat()).ok();
        println!("a run over {FIELD} field pictures: {:.0} s", began.elapsed().as_secs_f64());
    }
    if std::env::args().nth(2).as_deref() == Some("--prepare") {
        return;
    }
    label(&b, &w, &asks);
    report(&b, &w, &whole);
}

fn label(b: &Browser, w: &World, run: &str) {
    let served = Served::start(w, run);
    b.screen(1440, 900, false);
    b.open(&served.address);
    b.wait_for("!document.getElementById('start').hidden");
    b.press("bench");
    b.press(keys::ENTER);
    b.wait_for("ready && !busy");
    // from the key to the answer of the server (the line is on the disk), and to the next picture on the screen
    b.value(
        "(() => { window.times = []; let began = 0; const usual = window.fetch;
          document.addEventListener('keydown', () => { began = performance.now(); }, true);
          window.fetch = async (...all) => { const r = await usual(...all); window.saved = performance.now() - began; return r; };
          document.getElementById('image').addEventListener('load', () => times.push([window.saved, performance.now() - began]));
        })()",
    );
    for n in 0..KEYS {
        b.press(["1", "2", "3"][n % 3]);
        // to ask is to take the page's time: not while it works
        std::thread::sleep(Duration::from_millis(150));
        b.wait_for(&format!("times.length > {n} && ready && !busy"));
    }
    for (at, what) in [(0, "key to line on the disk"), (1, "key to next picture")] {
        let mut all: Vec<f64> = (0..KEYS).filter_map(|n| b.value(&format!("times[{n}][{at}]")).as_f64()).collect();
        all.sort_by(f64::total_cmp);
        let (middle, most) = (all[all.len() / 2], all[all.len() - 1]);
        println!(
            "{what}: median {middle:.1} ms, 95 % below {:.1} ms, longest {most:.1} ms ({} keys)",
            all[all.len() * 95 / 100],
            all.len()
        );
    }
}

fn report(b: &Browser, w: &World, run: &str) {
    let began = Instant::now();
    w.run(&["report", run, "--output", "report.html"]).ok();
    let path = w.path("report.html");
    let size = std::fs::metadata(&path).expect("the report").len();
    println!(
        "report of {FIELD} field pictures: {:.2} MB, written in {:.2} s",
        size as f64 / 1e6,
        began.elapsed().as_secs_f64()
    );
    for n in 1..=3 {
        b.open("about:blank");
        b.open(&format!("file://{}", path.display()));
        // two frames later everything is on the screen
        b.wait_for("document.readyState === 'complete'");
        b.value("(() => { requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = performance.now(); })); })()");
        b.wait_for("window.drawn");
        let loaded = b.value("performance.getEntriesByType('navigation')[0].loadEventEnd");
        println!(
            "opened ({n}): loaded after {:.0} ms, drawn before {:.0} ms",
            loaded.as_f64().unwrap_or(f64::NAN),
            b.value("drawn").as_f64().unwrap_or(f64::NAN)
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}
