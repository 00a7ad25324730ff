use crate::SelectError;
use crate::candidates::draw;
use hybridrepair_core::Stream;
use hybridrepair_kernels::{KMeansParams, Units, kmeans, nearest};

/// Samples whose balls are looked at.
const SAMPLE: usize = 1000;
/// No ball is smaller: this much is rounding.
pub(crate) const SMALLEST: f64 = 1e-3;

/// The largest radius at which a share `purity` of the samples have only samples of their own group around them, groups
/// being `k` clusters of k-means (the heuristic of Yehuda et al., `NeurIPS` 2022). Infinite when there is one group.
///
/// The balls of 1000 random samples are looked at, exactly, and not one radius after the other: a ball
/// is pure up to the distance of the nearest sample of another group.
pub(crate) fn pure_radius(x: &Units, k: usize, purity: f64, rng: &mut Stream) -> Result<f64, SelectError> {
    let found = kmeans(x.points(), &KMeansParams::new(k.clamp(1, x.len())), rng)?;
    let mut groups = vec![Vec::new(); found.k()];
    for (row, &group) in found.labels.iter().enumerate() {
        groups[group as usize].push(row);
    }
    let mut sample: Vec<usize> = (0..x.len()).collect();
    let size = SAMPLE.min(x.len());
    draw(&mut sample, size, rng);
    sample.truncate(size);
    let mut pure_up_to = vec![f64::INFINITY; size];
    for (group, members) in groups.iter().enumerate() {
        let outside: Vec<usize> = (0..size).filter(|&at| found.labels[sample[at]] as usize != group).collect();
        if outside.is_empty() {
            continue;
        }
        let queries = x.subset(&outside.iter().map(|&at| sample[at]).collect::<Vec<_>>())?;
        let near = nearest(queries.points(), x.subset(members)?.points())?;
        for (&at, &squared) in outside.iter().zip(&near.squared) {
            pure_up_to[at] = pure_up_to[at].min(f64::from(squared).sqrt());
        }
    }
    pure_up_to.sort_unstable_by(f64::total_cmp);
    let impure = ((1.0 - purity).max(0.0) * size as f64 + 1e-9) as usize;
    Ok(pure_up_to[impure.min(size - 1)].max(SMALLEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Embeddings, Streams};
    use ndarray::Array2;

    #[test]
    fn balls_reach_to_the_next_group() {
        // two groups at a right angle, each of ten equal samples: the other one is sqrt(2) away
        let x = Array2::from_shape_fn((20, 2), |(i, j)| if i % 2 == j { 1.0 } else { 0.0 });
        let x = Units::of(&Embeddings::new(x).unwrap(), (0..20).collect()).unwrap();
        let rng = &mut Streams::new(0).named("radius");
        assert!((pure_radius(&x, 2, 0.95, rng).unwrap() - 2f64.sqrt()).abs() < 1e-6);
        assert_eq!(pure_radius(&x, 1, 0.95, rng).unwrap(), f64::INFINITY);
    }

    #[test]
    fn a_share_of_the_balls_may_be_impure() {
        // on a line of angles the two groups touch: the nearest of the other group is 1, 2, 3 .. steps away
        let x = Array2::from_shape_fn((40, 2), |(i, j)| {
            let angle = (i as f32 - 19.5) * 0.02;
            if j == 0 { angle.cos() } else { angle.sin() }
        });
        let x = Units::of(&Embeddings::new(x).unwrap(), (0..40).collect()).unwrap();
        let rng = &mut Streams::new(0).named("radius");
        let step = 2.0 * f64::sin(0.01);
        let all = pure_radius(&x, 2, 1.0, rng).unwrap();
        assert!((all - step).abs() < 1e-4, "{all}");
        // 4 of 40 may be impure: two on either side
        let most = pure_radius(&x, 2, 0.9, rng).unwrap();
        assert!((most / step - 3.0).abs() < 0.01, "{}", most / step);
    }
}
