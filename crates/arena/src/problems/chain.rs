//! Text of a random source in which the next symbol depends on the last two.

use super::dataset::{Dataset, Splits};
use hybridrepair_core::{Stream, Streams};
use rand::Rng;
use rand_distr::{Distribution, Gamma};

/// Symbols of the alphabet.
pub(crate) const SYMBOLS: usize = 16;
/// Symbols of a sequence.
pub(crate) const STEPS: usize = 32;
/// Training, target and holdout sequences: 24,000 symbols for the first two.
const SIZES: (usize, usize, usize) = (600, 150, 150);
/// Concentration of the Dirichlet distribution that every row of the source is drawn from.
const CONCENTRATION: f64 = 0.15;

/// Sequences, each to be continued symbol by symbol.
pub(crate) fn chain(seed: u64) -> Splits {
    let streams = Streams::new(seed);
    let source = source(&mut streams.named("arena.chain.source"));
    let mut stream = streams.named("arena.chain.text");
    let (train, target, holdout) = SIZES;
    let n = train + target + holdout;
    let mut text = vec![0usize, 1];
    while text.len() < n * STEPS + 3 {
        let row = &source[text[text.len() - 2] * SYMBOLS + text[text.len() - 1]];
        let at: f64 = stream.r#gen();
        text.push(row.iter().position(|&sum| at < sum).unwrap_or(SYMBOLS - 1));
    }
    let inputs = text[2..2 + n * STEPS].iter().map(|&s| s as f32).collect();
    let labels = text[3..3 + n * STEPS].iter().map(|&s| s as u32).collect();
    Splits::cut(Dataset { inputs, features: STEPS, labels, places: STEPS }, train, target)
}

/// Cumulated probabilities of the next symbol for each pair.
fn source(stream: &mut Stream) -> Vec<Vec<f64>> {
    let gamma = Gamma::new(CONCENTRATION, 1.0).expect("a positive concentration");
    (0..SYMBOLS * SYMBOLS)
        .map(|_| {
            let weights: Vec<f64> = (0..SYMBOLS).map(|_| gamma.sample(stream)).collect();
            let total: f64 = weights.iter().sum();
            let mut sum = 0.0;
            weights
                .iter()
                .map(|w| {
                    sum += w / total;
                    sum
                })
                .collect()
        })
        .collect()
}
