//! Entries that misbehave, in processes of their own: contained, charged and named, and the others' scores do not move.
//!
//! No test harness: this program is also the entries.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use hybridrepair_arena::{
    Assignment, Clock, Contender, Contest, Design, Entries, Entry, Family, Outcome, Programs, Standings, Stop, Task,
    Trial, run_entry,
};
use hybridrepair_core::Stream;
use std::{
    fs,
    io::{Write, stdin, stdout},
    path::Path,
    time::{Duration, Instant},
};

struct Bad(&'static str);

impl Entry for Bad {
    fn name(&self) -> &str {
        self.0
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        match self.0 {
            "stubborn" => loop {
                let id = task.batch(64);
                let _ = id.map(|id| task.grad(id));
            },
            "greedy" => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    // touched, so that it is resident
                    all.push(vec![1; 1 << 22]);
                    std::hint::black_box(&all);
                }
            }
            "nan" => {
                let mut params = task.params();
                params.values_mut()[3] = f32::NAN;
                task.set_params(&params)?;
                task.probe().map(|_| ())
            }
            "sleeper" => {
                std::thread::sleep(Duration::from_secs(600));
                Ok(())
            }
            "vandal" => {
                fs::write("../../trials.jsonl", "{}").expect("it can");
                fs::write("../../curves/won.csv", "work,seconds,loss\n").expect("it can");
                Ok(())
            }
            "dead" => {
                let id = task.batch(64)?;
                task.grad(id)?;
                std::process::abort()
            }
            "babbler" => {
                let _ = stdout().write_all(&[0xff; 64]);
                let _ = stdout().flush();
                std::thread::sleep(Duration::from_secs(600));
                Ok(())
            }
            other => unreachable!("{other}"),
        }
    }
}

const BAD: [&str; 7] = ["stubborn", "greedy", "nan", "sleeper", "vandal", "dead", "babbler"];

fn entries() -> Entries {
    let mut entries = Entries::built_in();
    entries.register("stubborn", "ignores stop", || Box::new(Bad("stubborn")));
    entries.register("greedy", "allocates without end", || Box::new(Bad("greedy")));
    entries.register("nan", "sets NaN", || Box::new(Bad("nan")));
    entries.register("sleeper", "sleeps", || Box::new(Bad("sleeper")));
    entries.register("vandal", "writes into files that are not its own", || Box::new(Bad("vandal")));
    entries.register("dead", "dies", || Box::new(Bad("dead")));
    entries.register("babbler", "does not keep to the protocol", || Box::new(Bad("babbler")));
    entries
}

fn contest(folder: &Path, names: &[&str], memory: u64) -> Standings {
    let known = entries();
    let task = Assignment::designed("blob", &Design::sample(Family::Blob), 0.5).expect("a task");
    let contest = Contest {
        suite: "test".into(),
        suite_seed: None,
        tasks: vec![task.limited(6.0, memory)],
        contenders: names.iter().map(|n| Contender::named(n, &known).expect("known")).collect(),
        baseline: "adam".into(),
        clock: Clock::Work,
        repeats: 1,
        seed: 0,
        programs: Programs {
            built_in: vec![std::env::current_exe().expect("this program").into(), "entry".into()],
            python: "python3".into(),
        },
    };
    Contest::prepare(folder, true).expect("a folder");
    contest
        .run(folder, &mut |_: &str, trial: Option<&Trial>| {
            if let Some(trial) = trial {
                println!("{trial:?}");
            }
        })
        .expect("the arena holds")
}

fn trials(folder: &Path) -> Vec<Trial> {
    let text = fs::read_to_string(folder.join("trials.jsonl")).expect("trials");
    text.lines().map(|l| serde_json::from_str(l).expect("a trial")).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, name] = &arguments[..]
        && word == "entry"
    {
        run_entry(&entries(), name, stdin().lock(), stdout().lock()).expect("a known entry");
        return;
    }
    // `cargo test` asks for a list, or filters: there is one test
    if arguments.iter().any(|a| a == "--list") {
        println!("containment: test");
        return;
    }
    let began = Instant::now();
    let alone = tempfile::tempdir().expect("a folder");
    let good = contest(alone.path(), &["adam", "adam-0.01"], 1 << 30);
    let among = tempfile::tempdir().expect("a folder");
    let names: Vec<&str> = ["adam"].into_iter().chain(BAD).chain(["adam-0.01"]).collect();
    let all = contest(among.path(), &names, 300 << 20);

    let trials = trials(among.path());
    assert_eq!(trials.len(), names.len(), "a record of each, the vandal's included");
    let of = |name: &str| trials.iter().find(|t| t.entry == name).expect("its record");
    for (name, outcome, words) in [
        ("stubborn", Outcome::Limit, "after the end"),
        ("greedy", Outcome::Memory, "ended at"),
        ("nan", Outcome::Diverged, ""),
        ("sleeper", Outcome::Limit, "time"),
        ("vandal", Outcome::Tampered, "trials.jsonl"),
        ("dead", Outcome::Died, "signal 6"),
        ("babbler", Outcome::Invalid, "nonsense"),
    ] {
        let trial = of(name);
        assert_eq!(trial.outcome, outcome, "{trial:?}");
        assert!(trial.note.as_deref().unwrap_or("").contains(words), "{trial:?}");
        let score = all.work.of(name).expect("a score");
        assert_eq!((score.solved, score.failed_runs), (0, 1));
        assert!(score.score < 0.5, "charged: {score:?}");
    }
    assert!(of("vandal").note.as_deref().unwrap_or("").contains("won.csv"));
    assert!(!among.path().join("curves/won.csv").exists(), "taken away");
    for name in ["adam", "adam-0.01"] {
        assert_eq!(good.work.of(name).map(|s| (s.score, s.solved)), all.work.of(name).map(|s| (s.score, s.solved)));
    }
    // on the wall clock a sleeper is charged twice the limit
    assert_eq!(all.wall.of("sleeper").expect("a score").times["blob"], 12.0);
    assert!(began.elapsed() < Duration::from_secs(300), "nothing waits for a sleeper's own time");
    println!("test containment ... ok");
    println!("\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}
