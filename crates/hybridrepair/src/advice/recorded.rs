use hybridrepair_core::forecast::Recorded;

/// Repairs by method `coverage` in the tier that trains all layers: `docs/numbers/advice.md` has the commands.
///
/// A repair that its guards refused gained nothing.
pub(super) const RECORDED: &[Recorded] = &[
    Recorded { what: "signs", labels: 80, classes: 16, fall: 0.114, gains: &[0.119, 0.122, 0.117] },
    Recorded { what: "signs", labels: 80, classes: 16, fall: 0.119, gains: &[0.0570, 0.0625] },
    Recorded { what: "signs", labels: 26, classes: 16, fall: 0.119, gains: &[0.0485, 0.0595] },
    Recorded { what: "CIFAR-10", labels: 300, classes: 10, fall: 0.010, gains: &[0.0176] },
    Recorded { what: "CIFAR-10", labels: 80, classes: 10, fall: 0.010, gains: &[0.0095] },
    Recorded { what: "CIFAR-10", labels: 20, classes: 10, fall: 0.010, gains: &[0.0065] },
    Recorded { what: "CIFAR-10, fog", labels: 80, classes: 10, fall: 0.124, gains: &[0.215] },
    Recorded { what: "CIFAR-10, fog", labels: 20, classes: 10, fall: 0.124, gains: &[0.173] },
    Recorded { what: "CIFAR-10, blur", labels: 20, classes: 10, fall: 0.138, gains: &[0.2025] },
    Recorded { what: "CIFAR-10, noise", labels: 20, classes: 10, fall: 0.169, gains: &[0.0] },
];

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::forecast::{Forecaster, Round};

    /// Each field foretold from the others, and from one of its own runs with them: how many of the runs fall into the interval.
    /// `cargo test --release -p hybridrepair --features torch recorded -- --nocapture` prints them.
    #[test]
    #[expect(clippy::print_stdout, reason = "the table of docs/numbers/advice.md")]
    fn fields_that_are_left_out_fall_into_their_intervals() {
        let (mut held, mut held_after, mut of, mut of_after) = (0, 0, 0, 0);
        for field in RECORDED {
            let others = RECORDED.iter().filter(|r| r.what != field.what).copied().collect::<Vec<_>>();
            let f = Forecaster::fit(&others).expect("enough fields without one");
            let before = f.gain(field.fall, field.labels, field.classes, &[]);
            let runs = RECORDED.iter().filter(|r| r.what == field.what && r.fall == field.fall);
            let runs = runs.flat_map(|r| r.gains.iter().map(|&gain| (r.labels, gain))).collect::<Vec<_>>();
            for &gain in field.gains {
                let inside = before.low <= gain && gain <= before.high;
                // a run of the field with another budget or seed
                let other = runs.iter().find(|run| **run != (field.labels, gain));
                let after = other.map(|&(labels, gain)| {
                    f.gain(field.fall, field.labels, field.classes, &[Round { labels, gain, variance: 0.0 }])
                });
                let inside_after = after.is_some_and(|i| i.low <= gain && gain <= i.high);
                let told = |i: hybridrepair_core::intervals::Interval| {
                    format!("{:+.1} [{:+.1}, {:+.1}]", 100.0 * i.value, 100.0 * i.low, 100.0 * i.high)
                };
                println!(
                    "| {} | {} | {:.1} | {:+.1} | {} | {} |",
                    field.what,
                    field.labels,
                    100.0 * field.fall,
                    100.0 * gain,
                    told(before),
                    after.map_or_else(|| "-".to_owned(), told)
                );
                (held, of) = (held + usize::from(inside), of + 1);
                (held_after, of_after) =
                    (held_after + usize::from(inside_after), of_after + usize::from(after.is_some()));
            }
        }
        println!("{held} of {of} in the interval without a run of the field, {held_after} of {of_after} after one");
        assert!(10 * held >= 8 * of && 10 * held_after >= 8 * of_after, "{held} of {of}, {held_after} of {of_after}");
    }
}
