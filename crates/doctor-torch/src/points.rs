//! The two generated data sets of the published system.

use crate::Arrays;
use hybridrepair_core::{Stream, Streams};
use rand::{Rng, seq::SliceRandom};

/// Samples of a set, and how many of them train.
const SAMPLES: usize = 1000;
const TRAIN: usize = 700;

/// Standard deviation of the noise of `circle`.
const NOISE: f64 = 0.1;
/// Radii of its classes 0 and 1.
const RADII: [f64; 2] = [1.0, 0.8];
/// Centres and standard deviation of `blob`.
const CENTRES: [(f64, f64); 3] = [(-1.280, -9.481), (0.993, -1.294), (-1.593, -3.393)];
const SPREAD: f64 = 2.0;

/// A normal number (Box and Muller).
fn normal(rng: &mut Stream) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.r#gen::<f64>(), rng.r#gen());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Two circles around each other: 500 points on each at even angles, with noise. The best rule is a radius of about 0.91,
/// right on 84 to 87 %.
pub fn circle(streams: Streams) -> Arrays {
    let mut rng = streams.named("points.circle");
    let half = SAMPLES / 2;
    let mut points = Vec::with_capacity(SAMPLES);
    for (class, radius) in RADII.into_iter().enumerate() {
        for i in 0..half {
            let angle = std::f64::consts::TAU * i as f64 / half as f64;
            let (x, y) =
                (radius * angle.cos() + NOISE * normal(&mut rng), radius * angle.sin() + NOISE * normal(&mut rng));
            points.push((x, y, class));
        }
    }
    arrays(points, 2, &mut rng)
}

/// Three Gaussians, of which two overlap. The best rule, the nearest centre, is right on about 82 %.
pub fn blob(streams: Streams) -> Arrays {
    let mut rng = streams.named("points.blob");
    let mut points = Vec::with_capacity(SAMPLES);
    for i in 0..SAMPLES {
        let class = i % CENTRES.len();
        let (cx, cy) = CENTRES[class];
        points.push((cx + SPREAD * normal(&mut rng), cy + SPREAD * normal(&mut rng), class));
    }
    arrays(points, 3, &mut rng)
}

fn arrays(mut points: Vec<(f64, f64, usize)>, classes: usize, rng: &mut Stream) -> Arrays {
    points.shuffle(rng);
    let rows = |part: &[(f64, f64, usize)]| {
        let x = part.iter().flat_map(|p| [p.0 as f32, p.1 as f32]).collect();
        (x, part.iter().map(|p| p.2).collect())
    };
    let (train, val) = points.split_at(TRAIN);
    Arrays { shape: vec![2], classes, train: rows(train), val: rows(val) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of all points on which a rule is right.
    fn right(data: &Arrays, rule: impl Fn(f64, f64) -> usize) -> f64 {
        let all = [&data.train, &data.val];
        let hits = all.iter().flat_map(|(x, y)| {
            x.chunks_exact(2).zip(y).map(|(p, c)| usize::from(rule(f64::from(p[0]), f64::from(p[1])) == *c))
        });
        hits.sum::<usize>() as f64 / SAMPLES as f64
    }

    #[test]
    fn the_best_rules_are_right_as_often_as_known() {
        for seed in 0..3 {
            let share = right(&circle(Streams::new(seed)), |x, y| usize::from(x.hypot(y) < 0.91));
            assert!((0.81..0.88).contains(&share), "circle {share}");
            let nearest = |x: f64, y: f64| {
                let d = |c: usize| (x - CENTRES[c].0).hypot(y - CENTRES[c].1);
                (1..3).fold(0, |best, c| if d(c) < d(best) { c } else { best })
            };
            let share = right(&blob(Streams::new(seed)), nearest);
            assert!((0.79..0.86).contains(&share), "blob {share}");
        }
        assert_eq!(circle(Streams::new(1)).train.0, circle(Streams::new(1)).train.0);
        assert_eq!((blob(Streams::new(1)).train.1.len(), blob(Streams::new(1)).val.1.len()), (700, 300));
    }
}
