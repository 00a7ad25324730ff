use crate::candidates::draw;
use crate::sum_tree::SumTree;
use rand::Rng;
use rayon::prelude::*;

/// Rejected draws for one pick after which all distances are refreshed: the bounds have become too loose.
const PATIENCE: usize = 32;

/// k-means++ (Arthur and Vassilvitskii 2007): after the first pick each other one is drawn with probability proportional to
/// its squared distance to the nearest pick, none twice; once all distances are 0, the rest is drawn uniformly.
///
/// `dist2(pos, centre)` may be weighted, by a factor of `pos`. Distances to the nearest pick only shrink, so a draw from
/// stale ones, accepted with probability fresh / stale, is a draw from the fresh ones: exact in distribution, with a few
/// distances per pick instead of `n`. Returns (position, `dist2` to the nearest pick at its turn) of each pick; that of
/// the first is 0.
pub(crate) fn plus_plus(
    n: usize,
    first: usize,
    take: usize,
    dist2: impl Fn(usize, usize) -> f64 + Sync,
    rng: &mut impl Rng,
) -> Vec<(usize, f64)> {
    let mut taken = vec![(first, 0.0)];
    let mut compared = vec![1usize; n];
    let bounds: Vec<f64> = (0..n).into_par_iter().map(|pos| dist2(pos, first)).collect();
    let mut tree = SumTree::new(&bounds);
    tree.set(first, 0.0);

    // the nearest of the old bound and of the picks since; picked samples are at 0 already
    let fresh = |pos: usize, bound: f64, seen: usize, taken: &[(usize, f64)]| {
        taken[seen..].iter().map(|&(centre, _)| dist2(pos, centre)).fold(bound, f64::min)
    };
    while taken.len() < take {
        let mut rejected = 0;
        let next = loop {
            let Some(pos) = tree.draw(rng) else { break None };
            let bound = tree.get(pos);
            let distance = fresh(pos, bound, compared[pos], &taken);
            compared[pos] = taken.len();
            tree.set(pos, distance);
            if rng.r#gen::<f64>() * bound < distance {
                break Some((pos, distance));
            }
            rejected += 1;
            if rejected == PATIENCE {
                let all: Vec<f64> =
                    (0..n).into_par_iter().map(|pos| fresh(pos, tree.get(pos), compared[pos], &taken)).collect();
                tree = SumTree::new(&all);
                compared.fill(taken.len());
            }
        };
        let Some((pos, distance)) = next else { break };
        tree.set(pos, 0.0);
        taken.push((pos, distance));
    }
    if taken.len() < take {
        let mut rest: Vec<usize> = {
            let mut free = vec![true; n];
            for &(pos, _) in &taken {
                free[pos] = false;
            }
            (0..n).filter(|&pos| free[pos]).collect()
        };
        let missing = (take - taken.len()).min(rest.len());
        draw(&mut rest, missing, rng);
        taken.extend(rest[..missing].iter().map(|&pos| (pos, 0.0)));
    }
    taken
}
