use hybridrepair_core::Stream;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// A difference with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// On the samples as they are.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Paired bootstrap (percentile interval) of a difference in quality, `alpha` times that on the class and `1 - alpha` times
/// that on all samples: `difference` has one number per sample, how much oftener the first of two models is right about it,
/// in [-1, 1]; `member` says which samples belong to the class. The samples are drawn anew `resamples` times.
///
/// Without samples all three numbers are 0.
pub fn paired_bootstrap(
    difference: &[f32],
    member: &[bool],
    alpha: f64,
    resamples: usize,
    rng: &mut Stream,
) -> Interval {
    let n = difference.len().min(member.len());
    if n == 0 {
        return Interval { value: 0.0, low: 0.0, high: 0.0 };
    }
    let quality = |rows: &mut dyn Iterator<Item = usize>| {
        let (mut all, mut class, mut members) = (0.0, 0.0, 0usize);
        for i in rows {
            let d = f64::from(difference[i]);
            all += d;
            if member[i] {
                class += d;
                members += 1;
            }
        }
        alpha * class / members.max(1) as f64 + (1.0 - alpha) * all / n as f64
    };
    let value = quality(&mut (0..n));
    let mut drawn =
        (0..resamples.max(1)).map(|_| quality(&mut (0..n).map(|_| rng.gen_range(0..n)))).collect::<Vec<_>>();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn[((drawn.len() - 1) as f64 * share).round() as usize];
    Interval { value, low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn the_interval_is_that_of_the_normal_distribution_for_many_samples() {
        // of 1,000 samples 100 are won and 50 lost, all of the class among the won: 0.05 on all, sd sqrt(.15 - .0025)
        let difference = (0..1000)
            .map(|i| {
                if i < 100 {
                    1.0
                } else if i < 150 {
                    -1.0
                } else {
                    0.0
                }
            })
            .collect::<Vec<f32>>();
        let member = (0..1000).map(|i| i < 80).collect::<Vec<_>>();
        let mut rng = Streams::new(5).named("bootstrap");
        let all = paired_bootstrap(&difference, &member, 0.0, 4000, &mut rng);
        let half = 1.96 * ((0.15f64 - 0.0025) / 1000.0).sqrt();
        assert!((all.value - 0.05).abs() < 1e-9);
        assert!((all.low - (0.05 - half)).abs() < 0.002 && (all.high - (0.05 + half)).abs() < 0.002, "{all:?}");
        let class = paired_bootstrap(&difference, &member, 1.0, 100, &mut rng);
        assert_eq!((class.value, class.low, class.high), (1.0, 1.0, 1.0));
        let half_and_half = paired_bootstrap(&difference, &member, 0.5, 500, &mut rng);
        assert!((half_and_half.value - 0.525).abs() < 1e-9 && half_and_half.low > 0.5);
        assert_eq!(paired_bootstrap(&[], &[], 0.5, 10, &mut rng).high, 0.0);
    }
}
