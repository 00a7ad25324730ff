//! Runs for the label page and the report, written without training anything, and a label page that is served.

use crate::World;
use serde_json::{Value, json};
use std::{
    fmt::Write,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

/// A name that must stay a text.
pub const EVIL: &str = "<img src=x onerror=\"document.title='hacked'\"> & co";

/// A picture in colours that tell its number, as PPM, which browsers do not show by themselves.
pub fn ppm(number: usize, side: usize) -> Vec<u8> {
    let mut out = format!("P6 {side} {side} 255\n").into_bytes();
    for y in 0..side {
        for x in 0..side {
            let inside =
                (x as i64 - side as i64 / 2).pow(2) + (y as i64 - side as i64 / 2).pow(2) < (side as i64 / 3).pow(2);
            let shade = if inside { 220 } else { 60 };
            out.extend([(number * 67 % 200) as u8 + 20, shade, (number * 29 % 200) as u8]);
        }
    }
    out
}

/// Writes a run that waits for labels: `n` pictures, the class names given, four pictures per region.
pub fn waiting_run(run: &Path, n: usize, classes: &[String]) {
    fs::create_dir_all(run.join("tasks/images")).expect("a folder");
    fs::write(run.join("config.toml"), "").expect("a file");
    let mut images = Vec::new();
    let mut context = serde_json::Map::new();
    let mut files = serde_json::Map::new();
    for id in 0..n {
        let file = format!("tasks/images/{id} <b>&.ppm");
        fs::write(run.join(&file), ppm(id, 96)).expect("a picture");
        images.push(json!({
            "id": id, "idx": id, "rank": id, "purpose": "annotate", "region": id / 4, "reason": format!("far from all others {EVIL}"),
            "file": file, "predicted": 0, "confidence": 0.5,
        }));
        files.insert(id.to_string(), file.into());
        let near: Vec<usize> = (1..=8).map(|k| (id + k) % n).collect();
        context.insert(id.to_string(), json!({ "region_size": 37, "region": near[..4], "nearest": near }));
    }
    let asked =
        json!({ "format_version": 1, "classes": classes, "answers": 1, "cannot_tell_costs": true, "images": images });
    fs::write(run.join("tasks/asked.json"), asked.to_string()).expect("a file");
    let context = json!({ "format_version": 1, "images": context, "files": files });
    fs::write(run.join("tasks/context.json"), context.to_string()).expect("a file");
}

/// Writes a complete run with `classes` classes, `field` pictures on the map and `holdout` that judge.
pub fn complete_run(run: &Path, classes: usize, field: usize, holdout: usize) {
    fs::create_dir_all(run).expect("a folder");
    let write = |name: &str, text: String| fs::write(run.join(name), text).expect("a file");
    let name = |c: usize| if c == 1 { EVIL.to_owned() } else { format!("class number {c}") };
    write("config.toml", "seed = 10\n".to_owned());
    write("classes.json", json!((0..classes).map(name).collect::<Vec<_>>()).to_string());
    write(
        "env.json",
        json!({ "format_version": 1, "hybridrepair": "0.1.0", "started": "2026-11-27T12:00:00Z",
            "command": ["hybridrepair", "repair", "--field", "my 'dogs' <b>"], "os": "linux", "arch": "x86_64", "device": "cpu",
            "threads": 2, "libraries": { "libtorch": "2.11.0" } })
        .to_string(),
    );
    // a small generator, so that every run of the test sees the same
    let mut state = 9u64;
    let mut draw = move |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n.max(1)
    };
    let mut predictions = "id,truth,raw,before,after\n".to_owned();
    let mut counts = vec![[0usize; 5]; classes];
    for id in 0..holdout {
        let truth = id % classes;
        let (before, after) =
            (if draw(10) < 7 { truth } else { draw(classes) }, if draw(10) < 8 { truth } else { draw(classes) });
        let c = &mut counts[truth];
        let (was, is) = (before == truth, after == truth);
        for (slot, hit) in c.iter_mut().zip([true, was, is, !was && is, was && !is]) {
            *slot += usize::from(hit);
        }
        let _ = writeln!(predictions, "{id},{truth},{before},{before},{after}");
    }
    write("predictions.csv", predictions);
    let total: [usize; 5] = std::array::from_fn(|i| counts.iter().map(|c| c[i]).sum());
    let share = |right: usize, n: usize| right as f64 / n.max(1) as f64;
    let per_class: Vec<Value> = counts
        .iter()
        .enumerate()
        .filter(|(_, c)| c[0] > 0)
        .map(|(i, c)| json!({ "class": i, "n": c[0], "before": share(c[1], c[0]), "after": share(c[2], c[0]), "repaired": c[3], "broken": c[4] }))
        .collect();
    write(
        "summary.json",
        json!({ "format_version": 1, "method": "hybrid", "strategy": "hybrid", "trainer": "published", "preset": "default",
            "features": "penultimate", "seed": 10, "device": "cpu", "threads": 2, "budget": { "count": 80, "fraction": 0.01 },
            "labels_bought": 80, "holdout": { "n": holdout, "raw": share(total[1], holdout), "before": share(total[1], holdout),
                "after": share(total[2], holdout), "repaired": total[3], "broken": total[4], "repaired_vs_raw": total[3],
                "broken_vs_raw": total[4], "per_class": per_class },
            "holdout_inputs_used": false, "images_trained": 126_976, "images_forward": 219_472, "images_pretrain": 0,
            "seconds": { "finetune": 180.5, "embed": 12.0 }, "checkpoint": "checkpoints/best.safetensors" })
        .to_string(),
    );
    let mut map = "idx,id,x,y,raw,confidence,after,change\n".to_owned();
    let (mut regions, mut labels) = (Vec::new(), String::new());
    for idx in 0..field {
        let group = draw(40);
        let spread = |d: usize| d as f64 / 300.0 - 1.5;
        let (x, y) = ((group % 8) as f64 * 4.0 + spread(draw(900)), (group / 8) as f64 * 4.0 + spread(draw(900)));
        let change = ["right", "right", "right", "wrong", "repaired", "broken"][draw(12).min(5)];
        let _ = writeln!(map, "{idx},{idx},{x},{y},{},0.7,{},{change}", draw(classes), group % classes);
        regions.push(if draw(5) == 0 { Value::Null } else { group.into() });
        if idx % (field / 80).max(1) == 0 {
            let _ = writeln!(
                labels,
                "{}",
                json!({ "v": 1, "id": idx, "idx": idx, "class": group % classes, "provenance": "bought", "weight": 1.0 })
            );
        }
    }
    write("field.csv", map);
    write("labels.jsonl", labels);
    write(
        "regions.json",
        json!({ "format_version": 1, "labels": regions, "centers": (0..40).collect::<Vec<_>>(), "note": null })
            .to_string(),
    );
    let metrics = (1..=10).map(|e| json!({ "v": 1, "stage": "finetune", "epoch": e, "split": "train", "loss": 2.0 / f64::from(e), "lr": 0.01 * f64::from(11 - e) }).to_string() + "\n");
    write("metrics.jsonl", metrics.collect());
    let event = |event: Value| json!({ "v": 1, "time": "2026-11-27T12:00:01Z", "event": event }).to_string() + "\n";
    write(
        "events.jsonl",
        event(json!({ "kind": "stage-start", "stage": "finetune" }))
            + &event(json!({ "kind": "warning", "stage": "cluster", "message": format!("few regions {EVIL}") })),
    );
}

/// `label serve`, running.
pub struct Served {
    child: Child,
    /// The address that it printed.
    pub address: String,
}

impl Served {
    /// Serves the page of a run.
    pub fn start(world: &World, run: &str) -> Self {
        let mut child =
            world.command(&["label", "serve", run]).stdout(Stdio::piped()).spawn().expect("the tool starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut address = String::new();
        lines.read_line(&mut address).expect("an address");
        // the rest is read too, lest the program waits for a reader
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self { child, address: address.trim().to_owned() }
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
