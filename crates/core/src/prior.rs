//! Class frequencies of a pool without labels: label shift.

use crate::{ClassId, Probs};

/// Frequencies of `classes` classes among labels; an absent class gets 0.
pub fn class_frequencies(labels: &[ClassId], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for label in labels {
        counts[label.column()] += 1.0;
    }
    normalized(counts)
}

/// Class frequencies of the pool that `probs` (`n x C`) belong to, by expectation maximisation (Saerens et al. 2002, equation
/// 2.9): the predictions of a model trained at frequencies `source` are reweighted by the estimate until it agrees with their
/// mean. The predictions should be calibrated.
///
/// No class may become more than `limit` times as frequent as in the source, or as rare: where the source hardly has a class,
/// its predictions say next to nothing, and the estimate would run away.
///
/// # Panics
/// When `source` has not one number per class.
pub fn em_prior(probs: &Probs, source: &[f64], limit: f64, iterations: usize) -> Vec<f64> {
    assert_eq!(source.len(), probs.classes(), "one frequency per class");
    let mut prior = source.to_vec();
    for _ in 0..iterations {
        let mut sums = vec![0.0; prior.len()];
        for row in probs.view().outer_iter() {
            let weighted = (0..prior.len()).map(|c| f64::from(row[c]) * prior[c] / source[c].max(1e-12));
            let weighted = weighted.collect::<Vec<_>>();
            let total = weighted.iter().sum::<f64>().max(1e-300);
            sums.iter_mut().zip(weighted).for_each(|(s, w)| *s += w / total);
        }
        let within = normalized(sums).into_iter().zip(source).map(|(p, s)| p.clamp(s / limit, s * limit));
        let next = normalized(within.collect());
        let moved = next.iter().zip(&prior).map(|(a, b)| (a - b).abs()).sum::<f64>();
        prior = next;
        if moved < 1e-9 {
            break;
        }
    }
    prior
}

/// Class frequencies of the pool with predictions `field`, by black-box shift estimation (Lipton et al. 2018): solves
/// `C w = q` with `C[i][j]` the share of held-out source samples of class `j` predicted as `i` (of all) and `q` the share of
/// predictions `i` in the field; then `prior_j = w_j source_j`, cut off at 0.
///
/// `None` when the confusion matrix cannot be inverted.
pub fn bbse_prior(held_out: (&[ClassId], &[ClassId]), field: &[ClassId], classes: usize) -> Option<Vec<f64>> {
    let (predicted, truth) = held_out;
    let n = truth.len() as f64;
    // one extra column holds the right-hand side
    let mut system = vec![vec![0.0; classes + 1]; classes];
    for (p, t) in predicted.iter().zip(truth) {
        system[p.column()][t.column()] += 1.0 / n;
    }
    for (row, share) in class_frequencies(field, classes).into_iter().enumerate() {
        system[row][classes] = share;
    }
    let weights = solve(system)?;
    let source = class_frequencies(truth, classes);
    Some(normalized(weights.into_iter().zip(source).map(|(w, s)| (w * s).max(0.0)).collect()))
}

/// Gauss and Jordan with the largest pivot of a column; the last column is the right-hand side. `None` when singular.
pub(crate) fn solve(mut a: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = a.len();
    for col in 0..n {
        let pivot = (col..n).fold(col, |best, r| if a[r][col].abs() > a[best][col].abs() { r } else { best });
        if a[pivot][col].abs() < 1e-9 {
            return None;
        }
        a.swap(col, pivot);
        let head = a[col].clone();
        for (r, row) in a.iter_mut().enumerate() {
            let factor = row[col] / head[col];
            if r != col && factor != 0.0 {
                row.iter_mut().zip(&head).for_each(|(x, h)| *x -= factor * h);
            }
        }
    }
    Some((0..n).map(|r| a[r][n] / a[r][r]).collect())
}

fn normalized(mut values: Vec<f64>) -> Vec<f64> {
    let sum = values.iter().sum::<f64>();
    if sum > 0.0 {
        for value in &mut values {
            *value /= sum;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn ids(of: &[u32]) -> Vec<ClassId> {
        of.iter().map(|&c| ClassId(c)).collect()
    }

    #[test]
    fn bbse_undoes_a_known_confusion() {
        // class 0 is seen rightly in 3 of 4, class 1 always
        let (predicted, truth) = (ids(&[0, 0, 0, 1, 1, 1, 1, 1]), ids(&[0, 0, 0, 0, 1, 1, 1, 1]));
        // a field of 80 of class 0 and 20 of class 1 is seen as 60 and 40
        let field = ids(&[vec![0; 60], vec![1; 40]].concat());
        let prior = bbse_prior((&predicted, &truth), &field, 2).unwrap();
        assert!((prior[0] - 0.8).abs() < 1e-9, "{prior:?}");
        // a class that was never seen leaves no way back
        assert!(bbse_prior((&predicted, &truth), &field, 3).is_none());
    }

    #[test]
    fn em_finds_the_frequencies_behind_calibrated_predictions() {
        // two scores with likelihood ratios 9:1 and 1:9 under equal source frequencies; in the field 70 % are class 0
        let share = 0.7 * 0.9 + 0.3 * 0.1;
        let n = 1000;
        let rows = (0..n).map(|i| if f64::from(i) < share * f64::from(n) { [0.9, 0.1] } else { [0.1, 0.9] });
        let flat = rows.flatten().collect::<Vec<f32>>();
        let probs = Probs::new(Array2::from_shape_vec((n as usize, 2), flat).unwrap()).unwrap();
        let prior = em_prior(&probs, &[0.5, 0.5], 10.0, 200);
        assert!((prior[0] - 0.7).abs() < 1e-3, "{prior:?}");
        let held = em_prior(&probs, &[0.5, 0.5], 1.2, 200);
        // 0.6 and 0.5 / 1.2, made to sum to 1
        assert!((held[0] - 0.590_164).abs() < 1e-5, "{held:?}");
        assert_eq!(class_frequencies(&ids(&[1, 1, 0, 1]), 3), [0.25, 0.75, 0.0]);
    }
}
