use crate::{
    RunsError, Summary, layout,
    report::{Figure, Html, Page, RunFolder, Tone, count, p_value, percent, points, signed_interval},
};
use hybridrepair_core::{
    intervals::{paired_difference, share},
    metrics::mcnemar,
};

/// What the repair has gained, with its interval.
pub(super) struct Gain;

impl Page for Gain {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn title(&self) -> &'static str {
        "What the repair did"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::SUMMARY]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let s = Summary::read(&run.layout().summary())?;
        let h = &s.holdout;
        let alone = s.random_share.as_ref().is_some_and(|r| r.instead_of_holdout);
        let judges = if alone { "random samples of the field" } else { "holdout images" };
        let gain = paired_difference(h.repaired, h.broken, h.n);
        let p = mcnemar(h.repaired, h.broken);
        let of = |accuracy: f64| {
            let i = share((accuracy * h.n as f64).round() as usize, h.n);
            format!("95 %: {} to {}", percent(i.low), percent(i.high))
        };
        html.paragraph(&format!(
            "Method {}, {} labels out of a budget of {} ({} of the field pool), seed {}. Judged on {} {judges} that no \
             choice was made on.",
            s.method,
            count(s.labels_bought as u64),
            count(s.budget.count as u64),
            percent(s.budget.fraction),
            s.seed,
            count(h.n as u64)
        ));
        html.figures(&[
            Figure::new("as deployed", percent(h.raw), of(h.raw)),
            Figure::new("before the repair", percent(h.before), "after a fine-tune on the old data alone"),
            Figure::new("repaired", percent(h.after), of(h.after)),
            Figure::new("gain in points", points(gain.value), format!("95 %: {}", interval(&gain))),
            Figure::new("repaired images", count(h.repaired as u64), "wrong before, right now"),
            Figure::new("broken images", count(h.broken as u64), "right before, wrong now"),
        ]);
        if s.checkpoint.is_none() {
            html.note(Tone::Plain, "This method changes nothing: it shows where the others begin.");
            return Ok(());
        }
        let (tone, words) = if gain.low > 0.0 {
            (Tone::Good, "The repaired model is better, beyond what chance explains")
        } else if gain.high < 0.0 {
            (Tone::Warning, "The repaired model is worse than before, beyond what chance explains")
        } else {
            (Tone::Warning, "Whether the repaired model is better cannot be told from these images")
        };
        html.note(
            tone,
            &format!(
                "{words}: {} points, paired on the same images; McNemar's exact test, {}.",
                signed_interval(&gain),
                p_value(p)
            ),
        );
        let deployed = paired_difference(h.repaired_vs_raw, h.broken_vs_raw, h.n);
        html.hint(&format!(
            "Against the model as it was deployed: {} points, {} images repaired, {} broken. Intervals of the gain: Bonett \
             and Price (2012); of an accuracy: Wilson.",
            signed_interval(&deployed),
            count(h.repaired_vs_raw as u64),
            count(h.broken_vs_raw as u64)
        ));
        if let Some(r) = s.random_share.as_ref().filter(|r| !r.instead_of_holdout) {
            html.paragraph(&format!(
                "By {} random samples of the field itself, which were never trained on: {} as deployed, {} repaired, gain {} \
                 points.",
                r.n,
                percent(r.raw.value),
                percent(r.after.value),
                signed_interval(&r.gain)
            ));
        }
        Ok(())
    }
}

fn interval(i: &hybridrepair_core::intervals::Interval) -> String {
    format!("{} to {}", points(i.low), points(i.high))
}
