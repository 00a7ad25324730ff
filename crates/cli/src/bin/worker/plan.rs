//! `--dry-run`: what would be done, what it would cost, and how long it would take on this machine.

use crate::{failure::failure, show};
use hybridrepair::{Estimate, Method, Plan, Session, Tier, runs::Advice};
use hybridrepair_cli::Failure;
use hybridrepair_cli::say;
use serde::Serialize;
use std::{path::Path, process::ExitCode};

#[derive(Serialize)]
struct Told {
    method: String,
    device: String,
    threads: usize,
    train_images: usize,
    field_images: usize,
    holdout_images: usize,
    labels: usize,
    #[serde(flatten)]
    plan: Plan,
    advice: Option<Advice>,
}

/// Prints the plan of a session, of which the run would be `planned`.
pub(crate) fn run(mut session: Session, planned: &Path, json: bool) -> Result<ExitCode, Failure> {
    let plan = session.plan().map_err(failure)?;
    session.config.tier = if plan.chosen.tier == Tier::Cheap.name() { Tier::Cheap } else { Tier::Full };
    let c = &session.config;
    let method = Method::named(&c.method).map_err(failure)?;
    let buys = c.strategy.as_deref().or(method.strategy).is_some();
    let s = &session.splits;
    let speed = plan.images_per_second.forward;
    let advice = buys.then(|| session.glance(planned, speed)).transpose().map_err(failure)?;
    let told = Told {
        method: method.name.to_owned(),
        device: session.runtime.device_name(),
        threads: session.runtime.threads,
        train_images: s.train.images.len(),
        field_images: s.field.images.len(),
        holdout_images: s.holdout.images.len(),
        labels: if buys { session.budget } else { 0 },
        plan,
        advice,
    };
    if json {
        show::json(&told)?;
    } else {
        print(&told);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(t: &Told) {
    let Plan { chosen, other, why, images_per_second: speed } = &t.plan;
    say!("method        {} on {} with {} threads", t.method, t.device, t.threads);
    say!("data          {} source, {} field, {} holdout images", t.train_images, t.field_images, t.holdout_images);
    say!("labels        {} to buy", t.labels);
    say!("views         {} per field image", chosen.views);
    let kept = if chosen.tier == "cheap" { " (kept outputs of the frozen trunk)" } else { "" };
    let Estimate { epochs, steps, images_trained, .. } = chosen;
    say!("training      {epochs} epochs, at most {steps} steps, {images_trained} images{kept}");
    say!("prediction    {} images", chosen.images_forward);
    say!(
        "speed here    {:.0} images/s training, {:.0} images/s prediction (measured just now)",
        speed.training,
        speed.forward
    );
    say!("tier          {}: {} trained ({why})", chosen.tier, is(chosen));
    say!("estimate      {:.1} minutes, {:.0} MiB of memory", chosen.minutes, chosen.memory_mib);
    if let Some(other) = other {
        let Estimate { tier, minutes, memory_mib, .. } = other;
        say!("otherwise     --tier {tier}: {} trained; {minutes:.1} minutes, {memory_mib:.0} MiB", is(other));
    }
    for (i, line) in t.advice.iter().flat_map(Advice::words).enumerate() {
        say!("{:<13} {line}", if i == 0 { "gain" } else { "" });
    }
    say!("nothing was done; leave out --dry-run to begin");
}

fn is(e: &Estimate) -> String {
    let plural = e.trains.starts_with("all") || e.trains.contains(" and ");
    format!("{} {}", e.trains, if plural { "are" } else { "is" })
}
