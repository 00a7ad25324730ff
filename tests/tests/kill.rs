//! Kills a run again and again, at any moment, with everything that belongs to it. It must end equal to one that was left
//! alone, with every answer that was ever acknowledged. `scripts/kill-test` does this a hundred times.

#![cfg(unix)]

use hybridrepair_tests::World;
use std::{
    collections::BTreeSet,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Numbers that need not be good.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }
}

fn answers(w: &World, run: &str) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(w.path(&format!("{run}/ledger.jsonl"))) else { return Vec::new() };
    let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n') && l.contains("\"by\":\"ann\""));
    whole.map(|l| l.split("\"what\"").nth(1).unwrap_or(l).to_owned()).collect()
}

/// Runs a command; kills its whole group after some milliseconds if it still runs. Whether it was killed, and its code.
fn run(w: &World, args: &[&str], kill_after: Option<u64>) -> (bool, i32) {
    let mut command = w.command(args);
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    if let Some(ms) = kill_after {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(ms) {
            if let Some(status) = child.try_wait().unwrap() {
                return (false, status.code().unwrap_or(-1));
            }
            thread::sleep(Duration::from_millis(1));
        }
        let group = format!("-{}", child.id());
        Command::new("kill").args(["-9", "--", &group]).status().unwrap();
        child.wait().unwrap();
        return (true, -1);
    }
    (false, child.wait().unwrap().code().unwrap_or(-1))
}

#[test]
fn killed_at_any_moment_it_ends_as_if_nothing_had_happened() {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let wanted = number("HYBRIDREPAIR_KILLS").unwrap_or(10);
    let seed = number("HYBRIDREPAIR_KILL_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |t| t.as_nanos() as u64));
    println!("HYBRIDREPAIR_KILLS={wanted} HYBRIDREPAIR_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let w = World::with_model();
    let repair = |out: &str| {
        [
            "repair",
            "-c",
            "repair.toml",
            "--annotator",
            "people",
            "--seed",
            "6",
            "--epochs",
            "3",
            "--random-share",
            "0.25",
            // short: the pictures that are killed over need not be many
            "--cut-train",
            "256",
            "--cut-field",
            "256",
            "--cut-holdout",
            "128",
            "--budget",
            "16",
            "--quiet",
            "--output-dir",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([out.to_owned()])
        .collect::<Vec<_>>()
    };
    // left alone, and timed
    let began = Instant::now();
    let args = repair("whole/run");
    assert_eq!(run(&w, &args.iter().map(String::as_str).collect::<Vec<_>>(), None), (false, 3));
    let asked = w.read_json("whole/run/tasks/asked.json");
    let rows: String =
        asked["images"].as_array().unwrap().iter().map(|i| format!("{},{},ann\n", i["id"], i["predicted"])).collect();
    w.write("labels.csv", format!("id,label,annotator\n{rows}"));
    assert_eq!(run(&w, &["label", "import", "whole/run", "labels.csv"], None), (false, 0));
    assert_eq!(run(&w, &["resume", "whole/run", "--quiet"], None), (false, 0));
    let whole_ms = began.elapsed().as_millis() as u64;
    println!("left alone: {whole_ms} ms");

    let (mut kills, mut runs, mut at_import) = (0, 0, 0);
    while kills < wanted {
        runs += 1;
        let run_dir = format!("cut{runs}/run");
        let mut acknowledged = BTreeSet::new();
        let mut imported = false;
        let mut steps = 0;
        while !w.path(&format!("{run_dir}/summary.json")).exists() {
            steps += 1;
            assert!(steps < 400, "it never ends");
            let begun = w.path(&format!("{run_dir}/config.toml")).exists();
            let asks = w.path(&format!("{run_dir}/tasks/asked.json")).exists();
            let mut args = match (begun, asks && !imported) {
                (false, _) => repair(&run_dir),
                (true, true) => ["label", "import", &run_dir, "labels.csv"].map(str::to_owned).to_vec(),
                (true, false) => ["resume", &run_dir, "--quiet"].map(str::to_owned).to_vec(),
            };
            if !begun && w.path(&run_dir).exists() {
                args.push("--overwrite".to_owned());
            }
            let importing = args[0] == "label";
            // an import takes milliseconds; a stage up to seconds
            let most = if importing { 12 } else { whole_ms * 2 / 3 };
            let after = (kills < wanted && dice.below(4) > 0).then(|| dice.below(most));
            let (killed, code) = run(&w, &args.iter().map(String::as_str).collect::<Vec<_>>(), after);
            kills += u64::from(killed);
            at_import += u64::from(killed && importing);
            imported |= importing && code == 0;
            let now: BTreeSet<String> = answers(&w, &run_dir).into_iter().collect();
            assert!(acknowledged.is_subset(&now), "an answer is lost");
            acknowledged = now;
            // a worker that was killed may hold the lock for a moment longer
            if !killed {
                assert!(
                    [0, 3].contains(&code),
                    "{args:?} gave {code}: {}",
                    w.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).err
                );
            }
        }
        for file in [
            "selection.jsonl",
            "random_share.jsonl",
            "labels.jsonl",
            "propagated.jsonl",
            "checkpoints/best.safetensors",
        ] {
            assert_eq!(
                w.read(&format!("{run_dir}/{file}")),
                w.read(&format!("whole/run/{file}")),
                "{file} of run {runs}"
            );
        }
        let (cut, whole) = (w.read_json(&format!("{run_dir}/summary.json")), w.read_json("whole/run/summary.json"));
        for key in ["holdout", "random_share", "labels_bought", "images_trained", "images_forward"] {
            assert_eq!(cut[key], whole[key], "{key} of run {runs}");
        }
        assert_eq!(answers(&w, &run_dir), answers(&w, "whole/run"), "every answer once, in the same order");
        std::fs::remove_dir_all(w.path(&format!("cut{runs}"))).unwrap();
    }
    println!(
        "{kills} kills ({at_import} while answers were taken) in {runs} runs: {runs} of {runs} ended equal, 0 labels lost"
    );
}
