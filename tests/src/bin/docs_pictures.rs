//! The pictures of README.md and docs/labelling.md, of runs that are there: `scripts/docs-pictures`.

use hybridrepair_tests::{World, browser::Browser, browser::keys, pages::Served, root};
use std::{fs, path::Path};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(b), [whole, asks]) = (Browser::start(), &arguments[..]) else { return };
    let absolute = |run: &str| std::path::absolute(run).expect("a path").display().to_string();
    let w = World::new();
    w.run(&["report", &absolute(whole), "--output", "report.html"]).ok();
    b.screen(1120, 800, false);
    b.open(&format!("file://{}", w.path("report.html").display()));
    b.wait_for("document.querySelector('#map canvas').width > 0");
    write("report-map.png", &b.picture_of("#map"));
    write("report.png", &b.picture_of("#gain"));
    let served = Served::start(&w, &absolute(asks));
    b.screen(1200, 760, false);
    b.open(&served.address);
    b.wait_for("!document.getElementById('start').hidden");
    b.press("Ada");
    b.press(keys::ENTER);
    b.wait_for("ready && !busy && [...document.images].every((i) => i.complete)");
    write("label-page.png", &b.picture_of("body"));
}

fn write(name: &str, bytes: &[u8]) {
    fs::write(root().join(Path::new("docs").join(name)), bytes).expect("docs/ can be written");
}
