use super::{Eval, Evaluator, Judged, exp};
use crate::{Cases, Head, PatchError, Precision, Samples, WeightRef};
use hybridrepair_core::ClassId;
use rayon::prelude::*;

/// Samples that are worked on together.
const LANES: usize = 16;

/// Judges candidates for weights of the last layer from cached features.
///
/// A candidate with differences `delta_k` at the weights `(j_k, i_k)` gives the logits
/// `z'[n, j] = z[n, j] + sum over k with j_k = j of x[n, i_k] delta_k`: only the logits of changed classes are computed,
/// those of all others enter through their log-sum-exp and their largest, which are known beforehand.
#[derive(Debug)]
pub struct HeadEvaluator {
    current: Vec<f32>,
    precision: Precision,
    /// Weights by changed class: `(class, weights)`.
    changed: Vec<(usize, Vec<usize>)>,
    wrong: Group,
    right: Group,
}

/// Samples in blocks of [`LANES`], the last one filled up with idle lanes.
#[derive(Debug)]
struct Group {
    n: usize,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    /// Features of each weight.
    inputs: Vec<[f32; LANES]>,
    /// Logits of each changed class.
    logits: Vec<[f32; LANES]>,
    /// For each changed class: 1 where it is the true one.
    is_true: Vec<[f32; LANES]>,
    /// For each changed class: whether it stands after the true one, which then wins a tie.
    after_true: Vec<[bool; LANES]>,
    /// Logit of the true class where that does not change, else 0.
    true_logit: [f32; LANES],
    /// Log-sum-exp of all logits that do not change; very small if there are none.
    rest: [f32; LANES],
    /// Largest unchanged logit of the classes before and after the true one.
    before: [f32; LANES],
    after: [f32; LANES],
    /// Lanes that hold a sample.
    live: [bool; LANES],
    /// Samples of a protected class.
    protected: [bool; LANES],
}

/// Smaller than any logit, yet finite: differences of two of them are numbers.
const NONE: f32 = -1e30;

impl HeadEvaluator {
    /// For these weights of the layer, on the wrong and right samples of the cases.
    ///
    /// # Errors
    /// When a weight is not of this layer, or the features do not fit it.
    pub fn new(
        head: &Head,
        samples: &Samples,
        cases: &Cases,
        weights: &[WeightRef],
        precision: Precision,
        protected: &[ClassId],
    ) -> Result<Self, PatchError> {
        let places = weights.iter().map(|w| head.place(w)).collect::<Result<Vec<_>, _>>()?;
        let current = weights.iter().map(|w| head.value(w)).collect::<Result<Vec<_>, _>>()?;
        let mut changed: Vec<(usize, Vec<usize>)> = Vec::new();
        for (k, (class, _)) in places.iter().enumerate() {
            match changed.iter_mut().find(|(c, _)| c == class) {
                Some((_, list)) => list.push(k),
                None => changed.push((*class, vec![k])),
            }
        }
        let group = |rows: &[usize]| {
            let chosen = samples.select(rows);
            let logits = head.logits(chosen.features.view())?;
            let blocks = (0..rows.len()).step_by(LANES).map(|start| {
                let lanes = (rows.len() - start).min(LANES);
                Block::new(&chosen, &logits, start, lanes, &places, &changed, protected)
            });
            Ok::<_, PatchError>(Group { n: rows.len(), blocks: blocks.collect() })
        };
        let (wrong, right) = (group(&cases.negatives)?, group(&cases.positives)?);
        Ok(Self { current, precision, changed, wrong, right })
    }

    fn delta(&self, candidate: &[f32]) -> Vec<f32> {
        candidate.iter().zip(&self.current).map(|(&v, &w)| self.precision.round(v) - w).collect()
    }

    fn one(&self, candidate: &[f32]) -> Eval {
        let delta = self.delta(candidate);
        let wrong = self.group(&self.wrong, &delta);
        let right = self.group(&self.right, &delta);
        let mean = |sum: f64, n: usize| sum / n.max(1) as f64;
        Eval {
            right_neg: wrong.right,
            right_pos: right.right,
            soft_neg: wrong.soft,
            soft_pos: right.soft,
            loss_neg: mean(wrong.loss, self.wrong.n),
            loss_pos: mean(right.loss, self.right.n),
            broken_protected: right.broken_protected,
        }
    }

    fn group(&self, group: &Group, delta: &[f32]) -> Sums {
        let mut sums = Lanes::default();
        self.run(group, delta, |block, loss, right| block.add(loss, right, &mut sums));
        sums.total()
    }

    /// Losses and right answers of each block's lanes, in order.
    #[inline(always)]
    fn run(&self, group: &Group, delta: &[f32], mut take: impl FnMut(&Block, &[f32; LANES], &[bool; LANES])) {
        let mut logits = vec![[0f32; LANES]; self.changed.len()];
        for block in &group.blocks {
            for ((z, base), (_, weights)) in logits.iter_mut().zip(&block.logits).zip(&self.changed) {
                *z = *base;
                for &k in weights {
                    let (x, d) = (&block.inputs[k], delta[k]);
                    for l in 0..LANES {
                        z[l] += x[l] * d;
                    }
                }
            }
            let (loss, right) = block.judge(&logits);
            take(block, &loss, &right);
        }
    }
}

impl Evaluator for HeadEvaluator {
    fn dims(&self) -> usize {
        self.current.len()
    }

    fn negatives(&self) -> usize {
        self.wrong.n
    }

    fn positives(&self) -> usize {
        self.right.n
    }

    fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
        let k = self.dims();
        if k == 0 || !candidates.len().is_multiple_of(k) {
            return Err(PatchError::setting("candidates of", candidates.len(), format!("numbers for {k} weights")));
        }
        // a candidate per task: the same sums for any number of threads
        Ok(match candidates.len() / k {
            1 => vec![self.one(candidates)],
            _ => candidates.par_chunks_exact(k).map(|c| self.one(c)).collect(),
        })
    }

    fn each(&self, candidate: &[f32]) -> Result<Vec<Judged>, PatchError> {
        if candidate.len() != self.dims() {
            return Err(PatchError::setting("a candidate of", candidate.len(), format!("for {} weights", self.dims())));
        }
        let (delta, mut all) = (self.delta(candidate), Vec::with_capacity(self.wrong.n + self.right.n));
        for group in [&self.wrong, &self.right] {
            self.run(group, &delta, |block, loss, right| {
                let lanes = (0..LANES).filter(|&l| block.live[l]);
                all.extend(lanes.map(|l| Judged { right: right[l], loss: f64::from(loss[l]) }));
            });
        }
        Ok(all)
    }
}

impl Block {
    fn new(
        samples: &Samples,
        logits: &ndarray::Array2<f32>,
        start: usize,
        lanes: usize,
        places: &[(usize, Option<usize>)],
        changed: &[(usize, Vec<usize>)],
        protected: &[ClassId],
    ) -> Self {
        let moves = |c: usize| changed.iter().any(|(j, _)| *j == c);
        // idle lanes repeat the first sample and count for nothing
        let rows: [usize; LANES] = std::array::from_fn(|l| if l < lanes { start + l } else { start });
        let lane = |f: &dyn Fn(usize) -> f32| rows.map(f);
        let truth = |n: usize| samples.labels[n].column();
        let unchanged = |n: usize, from: usize, to: usize| {
            (from..to).filter(|&c| !moves(c)).map(|c| logits[[n, c]]).fold(NONE, f32::max)
        };
        let classes = logits.ncols();
        let rest = |n: usize| {
            let max = unchanged(n, 0, classes);
            let others = (0..classes).filter(|&c| !moves(c));
            let sum = others.map(|c| f64::from(logits[[n, c]] - max).exp()).sum::<f64>();
            if sum > 0.0 { (f64::from(max) + sum.ln()) as f32 } else { NONE }
        };
        Self {
            inputs: places.iter().map(|&(_, i)| lane(&|n| i.map_or(1.0, |i| samples.features[[n, i]]))).collect(),
            logits: changed.iter().map(|&(j, _)| lane(&|n| logits[[n, j]])).collect(),
            is_true: changed.iter().map(|&(j, _)| lane(&|n| if truth(n) == j { 1.0 } else { 0.0 })).collect(),
            after_true: changed.iter().map(|&(j, _)| rows.map(|n| j >= truth(n))).collect(),
            true_logit: lane(&|n| if moves(truth(n)) { 0.0 } else { logits[[n, truth(n)]] }),
            rest: lane(&rest),
            before: lane(&|n| unchanged(n, 0, truth(n))),
            after: lane(&|n| unchanged(n, truth(n) + 1, classes)),
            live: std::array::from_fn(|l| l < lanes),
            protected: rows.map(|n| protected.contains(&samples.labels[n])),
        }
    }

    /// Losses of the lanes under these logits of the changed classes, and whether they are right.
    #[expect(clippy::needless_bitwise_bool, reason = "no branches within a loop over lanes")]
    #[inline(always)]
    fn judge(&self, logits: &[[f32; LANES]]) -> ([f32; LANES], [bool; LANES]) {
        let (mut max, mut own) = (self.rest, self.true_logit);
        for (z, is_true) in logits.iter().zip(&self.is_true) {
            for l in 0..LANES {
                max[l] = max[l].max(z[l]);
                own[l] += z[l] * is_true[l];
            }
        }
        let mut sum = [0f32; LANES];
        let mut right = [true; LANES];
        for l in 0..LANES {
            sum[l] = exp::exp(self.rest[l] - max[l]);
            right[l] = (self.before[l] < own[l]) & (self.after[l] <= own[l]);
        }
        for (z, after_true) in logits.iter().zip(&self.after_true) {
            for l in 0..LANES {
                sum[l] += exp::exp(z[l] - max[l]);
                right[l] &= (z[l] < own[l]) | ((z[l] == own[l]) & after_true[l]);
            }
        }
        (std::array::from_fn(|l| (max[l] + exp::ln(sum[l]) - own[l]).max(0.0)), right)
    }

    /// Adds up what the lanes got.
    #[expect(clippy::needless_bitwise_bool, reason = "no branches within a loop over lanes")]
    #[inline(always)]
    fn add(&self, loss: &[f32; LANES], right: &[bool; LANES], sums: &mut Lanes) {
        for l in 0..LANES {
            let loss = f64::from(loss[l]);
            let (live, right) = (self.live[l], right[l]);
            let soft = if right { 1.0 } else { 1.0 / (1.0 + loss) };
            sums.loss[l] += if live { loss } else { 0.0 };
            sums.soft[l] += if live { soft } else { 0.0 };
            sums.right[l] += u32::from(live & right);
            sums.broken[l] += u32::from(live & !right & self.protected[l]);
        }
    }
}

/// Sums by lane, added up in a fixed order.
#[derive(Default)]
struct Lanes {
    loss: [f64; LANES],
    soft: [f64; LANES],
    right: [u32; LANES],
    broken: [u32; LANES],
}

struct Sums {
    loss: f64,
    soft: f64,
    right: u32,
    broken_protected: u32,
}

impl Lanes {
    fn total(&self) -> Sums {
        Sums {
            loss: self.loss.iter().sum(),
            soft: self.soft.iter().sum(),
            right: self.right.iter().sum(),
            broken_protected: self.broken.iter().sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, evaluate_whole, judge_whole};
    use hybridrepair_core::Streams;
    use ndarray::{Array1, Array2};
    use rand::Rng;

    #[test]
    fn as_the_whole_layer_has_it() {
        let mut rng = Streams::new(8).named("evaluator");
        for round in 0..60 {
            let (n, d, c) = (rng.gen_range(2..70), rng.gen_range(1..9), rng.gen_range(2..7));
            // whole numbers give ties, which the first class wins
            let whole = round % 2 == 0;
            let mut draw = || if whole { rng.gen_range(-2i32..3) as f32 } else { rng.gen_range(-2.0f32..2.0) };
            let head = Head::new(
                Array2::from_shape_simple_fn((c, d), &mut draw),
                Array1::from_shape_simple_fn(c, &mut draw),
                "fc",
            )
            .unwrap();
            let features = Array2::from_shape_simple_fn((n, d), &mut draw);
            let labels = (0..n).map(|_| ClassId(rng.gen_range(0..c as u32))).collect();
            let samples = Samples::new(features, labels, c).unwrap();
            let cut = rng.gen_range(1..n);
            let cases = Cases { negatives: (0..cut).collect(), positives: (cut..n).collect() };
            let mut weights = (0..rng.gen_range(1..6))
                .map(|_| head.weight_ref(rng.gen_range(0..c), Some(rng.gen_range(0..d))))
                .collect::<Vec<_>>();
            weights.push(head.weight_ref(rng.gen_range(0..c), None));
            weights.sort();
            weights.dedup();
            let evaluator =
                HeadEvaluator::new(&head, &samples, &cases, &weights, Precision::F32, &[ClassId(0)]).unwrap();
            let candidates = (0..3 * weights.len())
                .map(|_| if whole { rng.gen_range(-3i32..4) as f32 } else { rng.gen_range(-3.0..3.0) })
                .collect::<Vec<f32>>();
            for (got, values) in evaluator.evaluate(&candidates).unwrap().iter().zip(candidates.chunks(weights.len())) {
                let changes = weights
                    .iter()
                    .zip(values)
                    .map(|(w, &new)| Change { weight: w.clone(), old: head.value(w).unwrap(), new })
                    .collect::<Vec<_>>();
                let logits = head.patched(&changes).unwrap().logits(samples.features.view()).unwrap();
                let want = evaluate_whole(&logits, &samples.labels, &cases, &[ClassId(0)]);
                assert_eq!(
                    (got.right_neg, got.right_pos, got.broken_protected),
                    (want.right_neg, want.right_pos, want.broken_protected),
                    "round {round}"
                );
                let each = evaluator.each(values).unwrap();
                for (one, of_all) in each.iter().zip(judge_whole(&logits, &samples.labels)) {
                    assert!(one.right == of_all.right && (one.loss - of_all.loss).abs() < 1e-4 * of_all.loss.max(1.0));
                }
                assert_eq!(each.len(), n);
                for (a, b) in [
                    (got.soft_neg, want.soft_neg),
                    (got.soft_pos, want.soft_pos),
                    (got.loss_neg, want.loss_neg),
                    (got.loss_pos, want.loss_pos),
                ] {
                    assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "round {round}: {a} instead of {b}");
                }
            }
        }
    }

    #[test]
    fn equal_for_any_number_of_threads() {
        let mut rng = Streams::new(1).named("threads");
        let draw = |rng: &mut hybridrepair_core::Stream| rng.gen_range(-1.0f32..1.0);
        let head = Head::new(Array2::from_shape_simple_fn((5, 8), || draw(&mut rng)), Array1::zeros(5), "fc").unwrap();
        let features = Array2::from_shape_simple_fn((300, 8), || draw(&mut rng));
        let samples = Samples::new(features, (0..300).map(|i| ClassId(i % 5)).collect(), 5).unwrap();
        let cases = Cases { negatives: (0..100).collect(), positives: (100..300).collect() };
        let weights = [head.weight_ref(1, Some(2)), head.weight_ref(3, Some(0))];
        let e = HeadEvaluator::new(&head, &samples, &cases, &weights, Precision::F16, &[]).unwrap();
        let candidates = (0..80).map(|_| draw(&mut rng)).collect::<Vec<_>>();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| e.evaluate(&candidates).unwrap())
        };
        assert_eq!(run(1), run(16));
        assert!(e.evaluate(&candidates[..3]).is_err());
    }
}
