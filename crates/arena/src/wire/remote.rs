//! The side of the entry.

use super::message::Message;
use crate::{BatchId, Entries, Grads, Limits, Norm, Params, Stop, Task, TaskSpec, entry::ENTRY_STREAM};
use hybridrepair_core::Streams;
use std::io::{self, Read, Write};

/// Runs an entry whose task is at the other end of a pair of pipes. Returns whether the protocol was kept.
///
/// # Errors
/// When no entry has this name.
pub fn run_entry(entries: &Entries, name: &str, from: impl Read, to: impl Write) -> Result<bool, crate::ArenaError> {
    let mut entry = entries.make(name)?;
    let Ok((mut task, seed)) = RemoteTask::begin(from, to) else { return Ok(false) };
    // a stop is not told back: the referee said it
    let _ = entry.run(&mut task, &mut Streams::new(seed).named(ENTRY_STREAM));
    Ok(task.ask(Message::new("return")).is_err())
}

/// A task behind pipes.
struct RemoteTask<R, W> {
    from: R,
    to: W,
    spec: TaskSpec,
    params: Params,
    changed: bool,
}

impl<R: Read, W: Write> RemoteTask<R, W> {
    fn begin(mut from: R, mut to: W) -> io::Result<(Self, u64)> {
        Message::new("ready").write(&mut to)?;
        let told = Message::read(&mut from, None)?;
        let params = told.params.clone().ok_or(io::ErrorKind::InvalidData)?;
        let spec = TaskSpec {
            name: told.get("name")?,
            layout: params.layout().clone(),
            examples: told.get("examples")?,
            target_examples: told.get("target_examples")?,
            default_batch: told.get("default_batch")?,
            target: told.get("target")?,
            limits: Limits { work: told.get("work")?, seconds: told.get("seconds")?, memory: told.get("memory")? },
        };
        let seed = told.get("seed")?;
        Ok((Self { from, to, spec, params, changed: false }, seed))
    }

    /// Asks; parameters that have changed go with the question.
    fn ask(&mut self, question: Message) -> Result<Message, Stop> {
        let params = std::mem::take(&mut self.changed).then(|| self.params.clone());
        let answer = question
            .carrying(params)
            .write(&mut self.to)
            .and_then(|()| Message::read(&mut self.from, Some(&self.spec.layout)))
            .map_err(|_| Stop::Gone)?;
        if answer.op() == "stop" {
            let why: String = answer.get("why").map_err(|_| Stop::Gone)?;
            return Err(stop_of(&why));
        }
        Ok(answer)
    }

    fn number(answer: &Message) -> Result<f64, Stop> {
        answer.get("loss").map_err(|_| Stop::Gone)
    }
}

fn about(op: &str, batch: BatchId) -> Message {
    Message::new(op).with("epoch", batch.epoch).with("start", batch.start).with("len", batch.len)
}

/// A stop's word on the wire.
pub(crate) fn word_of(stop: Stop) -> &'static str {
    match stop {
        Stop::Reached => "reached",
        Stop::Limit => "limit",
        Stop::Diverged => "diverged",
        Stop::Invalid => "invalid",
        Stop::Gone => "gone",
    }
}

fn stop_of(word: &str) -> Stop {
    [Stop::Reached, Stop::Limit, Stop::Diverged, Stop::Invalid]
        .into_iter()
        .find(|s| word_of(*s) == word)
        .unwrap_or(Stop::Gone)
}

impl<R: Read, W: Write> Task for RemoteTask<R, W> {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn params(&self) -> Params {
        self.params.clone()
    }

    fn set_params(&mut self, params: &Params) -> Result<(), Stop> {
        if params.values().len() != self.params.values().len() {
            return Err(Stop::Invalid);
        }
        self.params.values_mut().copy_from_slice(params.values());
        self.changed = true;
        // goes with the next question; what ends the run is told at once, as in the referee's own process
        if params.finite() { Ok(()) } else { self.ask(Message::new("set")).map(|_| ()) }
    }

    fn epoch(&mut self, shuffle: bool) -> Result<(), Stop> {
        self.ask(Message::new("epoch").with("shuffle", shuffle)).map(|_| ())
    }

    fn batch(&mut self, size: usize) -> Result<BatchId, Stop> {
        let answer = self.ask(Message::new("batch").with("size", size))?;
        batch_of(&answer).map_err(|_| Stop::Gone)
    }

    fn loss(&mut self, batch: BatchId, norm: Norm) -> Result<f64, Stop> {
        let norm = if norm == Norm::Batch { "batch" } else { "running" };
        Self::number(&self.ask(about("loss", batch).with("norm", norm))?)
    }

    fn grad(&mut self, batch: BatchId) -> Result<(f64, Grads), Stop> {
        let answer = self.ask(about("grad", batch))?;
        let loss = Self::number(&answer)?;
        Ok((loss, answer.params.ok_or(Stop::Gone)?))
    }

    fn probe(&mut self) -> Result<f64, Stop> {
        Self::number(&self.ask(Message::new("probe"))?)
    }
}

/// The batch that a message names.
pub(crate) fn batch_of(message: &Message) -> io::Result<BatchId> {
    Ok(BatchId { epoch: message.get("epoch")?, start: message.get("start")?, len: message.get("len")? })
}
