use crate::{Fitness, Judged};

/// How far a score is above that of another model on the same samples, in standard errors of the difference (paired, by
/// sample): a standard normal number where both do equally well on samples of this kind. The first `negatives` of each list
/// are the wrong samples. None for [`Fitness::Ratio`], which is no sum over samples, and where a part that counts has one
/// sample only, of which nobody knows the spread.
pub(crate) fn standard_errors(fitness: Fitness, a: &[Judged], b: &[Judged], negatives: usize) -> Option<f64> {
    let soft = |j: &Judged| if j.right { 1.0 } else { 1.0 / (1.0 + j.loss) };
    let differences =
        |score: &dyn Fn(&Judged) -> f64| a.iter().zip(b).map(|(a, b)| score(a) - score(b)).collect::<Vec<_>>();
    let cut = negatives.min(a.len()).min(b.len());
    // each a weight and the samples whose mean it weighs
    let parts = match fitness {
        Fitness::Ratio => return None,
        Fitness::Likelihood => vec![(1.0, differences(&|j| -j.loss))],
        Fitness::Balanced { lambda } => {
            let all = differences(&soft);
            vec![(lambda, all[..cut].to_vec()), (1.0 - lambda, all[cut..].to_vec())]
        }
        Fitness::Soft { alpha } => {
            let all = differences(&soft);
            let weights = (alpha * cut as f64, (all.len() - cut) as f64);
            vec![(weights.0, all[..cut].to_vec()), (weights.1, all[cut..].to_vec())]
        }
    };
    if parts.iter().any(|(weight, values)| *weight > 0.0 && values.len() == 1) {
        return None;
    }
    let (mut mean, mut variance) = (0.0, 0.0);
    for (weight, values) in parts {
        let n = values.len().max(1) as f64;
        let m = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|v| (v - m) * (v - m)).sum::<f64>();
        mean += weight * m;
        variance += weight * weight * squares / (n * (n - 1.0).max(1.0));
    }
    Some(if mean == 0.0 { 0.0 } else { mean / variance.sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(list: &[(bool, f64)]) -> Vec<Judged> {
        list.iter().map(|&(right, loss)| Judged { right, loss }).collect()
    }

    #[test]
    fn by_hand() {
        let a = judged(&[(true, 0.2), (false, 1.0), (true, 0.5), (false, 3.0)]);
        let b = judged(&[(false, 1.0), (false, 1.0), (true, 0.1), (true, 0.7)]);
        // losses fall by .8, 0, -.4, -2.3: mean -.475, sum of squares 5.1875
        let want = -0.475 / (5.1875f64 / 12.0).sqrt();
        assert!((standard_errors(Fitness::Likelihood, &a, &b, 2).unwrap() - want).abs() < 1e-12);
        // .5, 0 of the wrong ones and 0, -.75 of the right ones
        let (mean, variance) = (0.5 * 0.25 - 0.5 * 0.375, 0.25 * 0.125 / 2.0 + 0.25 * 0.28125 / 2.0);
        let balanced = standard_errors(Fitness::Balanced { lambda: 0.5 }, &a, &b, 2).unwrap();
        assert!((balanced - mean / f64::sqrt(variance)).abs() < 1e-12);
        // weights do not matter where they are those of the sizes
        let soft = standard_errors(Fitness::Soft { alpha: 1.0 }, &a, &b, 2).unwrap();
        assert!((soft - balanced).abs() < 1e-12);
        assert_eq!(standard_errors(Fitness::Ratio, &a, &b, 2), None);
        let better = judged(&[(true, 0.1), (true, 0.1)]);
        let always = standard_errors(Fitness::Likelihood, &better, &judged(&[(true, 0.2), (true, 0.2)]), 1);
        assert_eq!(always, Some(f64::INFINITY));
        assert_eq!(standard_errors(Fitness::Balanced { lambda: 0.5 }, &better, &better, 1), None);
        assert_eq!(standard_errors(Fitness::Likelihood, &better, &better, 0), Some(0.0));
    }
}
