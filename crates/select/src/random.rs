use crate::candidates::{Candidates, CollectSelection, draw};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Needs, Pool, Selection, Stream};

/// Samples drawn uniformly without replacement: the baseline that every other strategy has to beat.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Streams};
/// use hybridrepair_select::{Random, Strategy};
/// let pool = Pool::counted(100);
/// let picked = Random.select(&pool, &Evidence::default(), 5, &mut Streams::new(10).named("select"))?;
/// assert_eq!(picked.len(), 5);
/// # Ok::<(), hybridrepair_select::SelectError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn needs(&self) -> Needs {
        Needs::NONE
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        draw(&mut order, candidates.take(), rng);
        let drawn = order[..candidates.take()].iter().enumerate();
        Ok(drawn
            .map(|(rank, &pos)| candidates.pick(rank, pos, 0.0, None, "drawn at random".to_owned()))
            .collect_selection())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn every_sample_is_drawn_equally_often() {
        let pool = Pool::counted(10);
        let mut seen = [0u32; 10];
        for step in 0..5000 {
            let mut rng = Streams::new(1).at("select", 0, step);
            let picked = Random.select(&pool, &Evidence::default(), 3, &mut rng).unwrap();
            picked.rows().iter().for_each(|idx| seen[idx.row()] += 1);
        }
        // 1500 expected, standard deviation 32
        assert!(seen.iter().all(|&s| (1350..1650).contains(&s)), "{seen:?}");
    }
}
