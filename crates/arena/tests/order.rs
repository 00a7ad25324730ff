//! The order of the usual optimisers on suite `tiny`, by work.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use hybridrepair_arena::{Clock, Referee, Scores, Trial, entry, play, tiny};
use rayon::prelude::*;

#[test]
fn the_usual_order_on_the_work_clock() {
    let names = ["adam", "adam-0.01", "sgd", "sgd-0.01", "sgd-momentum"];
    // the five kinds of task that the order was first seen on
    let mut tasks: Vec<_> = tiny().unwrap().into_iter().take(5).collect();
    // the slowest are known for slow long before they have used up what a contest gives them
    for task in &mut tasks {
        task.limits.work /= 2.0;
    }
    let jobs: Vec<_> = tasks.iter().flat_map(|t| names.map(|n| (t, n))).collect();
    let trials: Vec<Trial> = jobs
        .par_iter()
        .map(|(task, name)| {
            let mut problem = task.problem().unwrap();
            let referee = Referee::new(&task.name, &mut *problem, task.target, task.limits, 0);
            let verdict = play(&mut *entry(name).unwrap(), referee);
            Trial::new(&task.name, name, 0, &verdict, None)
        })
        .collect();
    let limits = tasks.iter().map(|t| (t.name.clone(), t.limits)).collect();
    let scores = Scores::new(&trials, &limits, "adam", Clock::Work).unwrap();
    let order: Vec<&str> = scores.entries.iter().map(|s| s.entry.as_str()).collect();
    assert_eq!(order, ["adam-0.01", "sgd-momentum", "adam", "sgd", "sgd-0.01"], "{scores:#?}");
}
