//! Points of the plane in classes that overlap.

use super::dataset::{Dataset, Splits};
use hybridrepair_core::{Stream, Streams};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

/// Training, target and holdout points.
const SIZES: (usize, usize, usize) = (700, 300, 300);

const CENTERS: [(f64, f64); 3] = [(-1.280, -9.481), (0.993, -1.294), (-1.593, -3.393)];

/// Three Gaussians of standard deviation 2; the best possible answer is right for 82 % of the points.
pub(crate) fn blob(seed: u64) -> Splits {
    let (train, target, holdout) = SIZES;
    let mut stream = Streams::new(seed).named("arena.blob");
    let points = (0..train + target + holdout).map(|i| {
        let class = i % CENTERS.len();
        let (x, y) = CENTERS[class];
        (x + 2.0 * normal(&mut stream), y + 2.0 * normal(&mut stream), class as u32)
    });
    let points = points.collect();
    shuffled(points, &mut stream)
}

/// Two rings, radius 1 and 0.8, with noise of 0.1: 87 % can be right.
pub(crate) fn circle(seed: u64) -> Splits {
    let (train, target, holdout) = SIZES;
    let n = train + target + holdout;
    let mut stream = Streams::new(seed).named("arena.circle");
    let points = (0..n).map(|i| {
        let (radius, class) = if i % 2 == 0 { (1.0, 0) } else { (0.8, 1) };
        let angle = 2.0 * std::f64::consts::PI * i as f64 / n as f64;
        // libm: the same picture on every machine
        let (sin, cos) = libm::sincos(angle);
        (radius * cos + 0.1 * normal(&mut stream), radius * sin + 0.1 * normal(&mut stream), class)
    });
    let points = points.collect();
    shuffled(points, &mut stream)
}

fn normal(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}

fn shuffled(mut points: Vec<(f64, f64, u32)>, stream: &mut Stream) -> Splits {
    points.shuffle(stream);
    let inputs = points.iter().flat_map(|p| [p.0 as f32, p.1 as f32]).collect();
    let labels = points.iter().map(|p| p.2).collect();
    Splits::cut(Dataset { inputs, features: 2, labels, places: 1 }, SIZES.0, SIZES.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_possible_answers_are_as_right_as_expected() {
        let blob = blob(0);
        let right = |x: &[f32], label: u32| {
            let distance = |c: &(f64, f64)| (f64::from(x[0]) - c.0).powi(2) + (f64::from(x[1]) - c.1).powi(2);
            let nearest = (0..3).min_by(|&a, &b| distance(&CENTERS[a]).total_cmp(&distance(&CENTERS[b])));
            nearest == Some(label as usize)
        };
        let share = |data: &Dataset, right: &dyn Fn(&[f32], u32) -> bool| {
            let count = data.inputs.chunks(2).zip(&data.labels).filter(|(x, l)| right(x, **l)).count();
            count as f64 / data.len() as f64
        };
        assert_eq!((blob.train.len(), blob.target.len(), blob.holdout.len()), SIZES);
        assert!((share(&blob.train, &right) - 0.823).abs() < 0.04);
        let circle = circle(0);
        let ring = |x: &[f32], label: u32| (x[0].hypot(x[1]) < 0.91) == (label == 1);
        assert!((share(&circle.train, &ring) - 0.84).abs() < 0.04);
    }
}
