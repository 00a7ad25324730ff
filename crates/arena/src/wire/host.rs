//! The side of the referee.

use super::{
    message::Message,
    remote::{batch_of, word_of},
};
use crate::{Norm, Outcome, Referee, Stop, Task};
use std::{
    io::{self, Read, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// Questions after the end that are still answered (with the stop, again) before the pipe is closed.
const LATE_QUESTIONS: u64 = 100;

/// Answers an entry until it returns, dies or does not stop. Says how it ended, and what is to be told.
pub(crate) fn answer(
    referee: &mut Referee<'_>,
    seed: u64,
    from: &mut dyn Read,
    to: &mut dyn Write,
    over: &AtomicBool,
) -> (Outcome, Option<String>) {
    match talk(referee, seed, from, to, over) {
        Ok(()) => (Outcome::Returned, None),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => (Outcome::Invalid, Some(format!("told nonsense: {e}"))),
        Err(_) => (Outcome::Died, None),
    }
}

fn talk(
    referee: &mut Referee<'_>,
    seed: u64,
    from: &mut dyn Read,
    to: &mut dyn Write,
    over: &AtomicBool,
) -> io::Result<()> {
    let layout = referee.spec().layout.clone();
    let ready = Message::read(from, Some(&layout))?;
    if ready.op() != "ready" {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{:?} instead of \"ready\"", ready.op())));
    }
    let spec = referee.spec();
    let task = Message::new("task")
        .with("name", &spec.name)
        .with("examples", spec.examples)
        .with("target_examples", spec.target_examples)
        .with("default_batch", spec.default_batch)
        .with("target", spec.target)
        .with("work", spec.limits.work)
        .with("seconds", spec.limits.seconds)
        .with("memory", spec.limits.memory)
        .with("seed", seed)
        .carrying(Some(referee.params()));
    referee.start_clock();
    task.write(to)?;
    loop {
        let mut question = Message::read(from, Some(&layout))?;
        if question.op() == "return" {
            return Ok(());
        }
        let answer = match reply(referee, &mut question)? {
            Ok(answer) => answer,
            Err(stop) => Message::new("stop").with("why", word_of(stop)),
        };
        over.store(referee.over().is_some(), Ordering::Relaxed);
        if referee.late_questions() > LATE_QUESTIONS {
            return Ok(());
        }
        answer.write(to)?;
    }
}

fn reply(referee: &mut Referee<'_>, question: &mut Message) -> io::Result<Result<Message, Stop>> {
    if let Some(params) = question.params.take()
        && let Err(stop) = referee.set_params(&params)
    {
        return Ok(Err(stop));
    }
    let loss = |loss: f64| Message::new("loss").with("loss", loss);
    Ok(match question.op() {
        "set" => Ok(Message::new("set")),
        "epoch" => referee.epoch(question.get("shuffle")?).map(|()| Message::new("epoch")),
        "batch" => referee
            .batch(question.get("size")?)
            .map(|id| Message::new("batch").with("epoch", id.epoch).with("start", id.start).with("len", id.len)),
        "loss" => {
            let running = question.get::<String>("norm")? == "running";
            referee.loss(batch_of(question)?, if running { Norm::Running } else { Norm::Batch }).map(loss)
        }
        "grad" => referee
            .grad(batch_of(question)?)
            .map(|(loss, grad)| Message::new("grad").with("loss", loss).carrying(Some(grad))),
        "probe" => referee.probe().map(loss),
        other => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{other:?} is no question"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Assignment, Design, Entries, Family, entry, play, wire::run_entry};
    use std::io::pipe;

    #[test]
    fn a_run_through_pipes_is_the_run_in_this_process() {
        let task = Assignment::designed("blob", &Design::sample(Family::Blob), 0.5).unwrap();
        for name in ["adam-0.01", "adgd", "random-lr", "schedule-free"] {
            let mut problem = task.problem().unwrap();
            let here =
                play(&mut *entry(name).unwrap(), Referee::new(&task.name, &mut *problem, task.target, task.limits, 7));
            let ((mut from_entry, to_host), (from_host, mut to_entry)) = (pipe().unwrap(), pipe().unwrap());
            let mut problem = task.problem().unwrap();
            let mut referee = Referee::new(&task.name, &mut *problem, task.target, task.limits, 7);
            let (ended, through) = std::thread::scope(|scope| {
                let entry = scope.spawn(|| run_entry(&Entries::built_in(), name, from_host, to_host));
                let ended = answer(&mut referee, 7, &mut from_entry, &mut to_entry, &AtomicBool::new(false));
                drop(to_entry);
                entry.join().unwrap().unwrap();
                (ended.0, referee.verdict(ended.0))
            });
            assert_eq!(ended, Outcome::Returned);
            assert_eq!(
                (here.outcome, here.work, here.probes),
                (through.outcome, through.work, through.probes),
                "{name}"
            );
            assert_eq!(here.loss.to_bits(), through.loss.to_bits(), "{name}");
        }
    }
}
