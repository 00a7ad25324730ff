use crate::candidates::{Candidates, CollectSelection, required};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};
use std::collections::BTreeMap;

/// Multiple-boundary clustering and prioritisation (MCP: Shen et al., ASE 2020): the picks are spread over
/// the decision boundaries.
///
/// A sample lies in the cell (most probable class, second most probable class) with priority `r = p_2 / p_1`.
/// *Phase 1*: while the remaining budget covers every non-empty cell, each gives its sample of largest `r`, cells in
/// row order. *Phase 2*: with less left, the best of each cell compete by `r`.
///
/// A sample whose second probability is 0 has `r = 0` and stays an ordinary member of its cell. (In the published
/// program such a cell could give the pool's first sample instead.) With one class all samples share one cell at
/// `r = 1`. Deterministic, `O(n (C + log n))`. Score: `r`, in [0, 1].
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Mcp, Strategy};
/// let probs = Probs::new(ndarray::array![[0.5, 0.5, 0.0], [0.6, 0.4, 0.0], [0.0, 0.3, 0.7]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = Mcp.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// // rows 0 and 1 lie on one boundary: the second pick goes to the other one
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mcp;

/// The candidates at one boundary, best last.
type Cell = Vec<(f64, usize)>;

impl Strategy for Mcp {
    fn name(&self) -> &'static str {
        "mcp"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
        for pos in 0..candidates.len() {
            let [(first, p1), (second, p2)] = probs.top2(candidates.row(pos));
            // the larger of probabilities that sum to 1 is not 0
            let priority = f64::from(p2) / f64::from(p1);
            cells.entry((first, second)).or_default().push((priority, pos));
        }
        // best last, and the lowest position last among equals: taking is a pop
        for cell in cells.values_mut() {
            cell.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        }

        let mut taken = Vec::with_capacity(candidates.take());
        while !cells.is_empty() && candidates.take() - taken.len() >= cells.len() {
            taken.extend(cells.iter_mut().filter_map(|(&boundary, cell)| Some((boundary, cell.pop()?))));
            cells.retain(|_, cell| !cell.is_empty());
        }
        let mut finalists: Vec<_> = cells.iter().filter_map(|(&boundary, c)| Some((boundary, *c.last()?))).collect();
        finalists.sort_by(|(_, a), (_, b)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        finalists.truncate(candidates.take() - taken.len());
        taken.extend(finalists);

        let picks = taken.into_iter().enumerate().map(|(rank, ((first, second), (priority, pos)))| {
            let reason = format!("boundary of classes {first} and {second}, ratio {priority:.3}");
            candidates.pick(rank, pos, priority, None, reason)
        });
        Ok(picks.collect_selection())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Probs, Streams};
    use ndarray::{Array2, array};

    fn rows(probs: Array2<f32>, budget: usize) -> Vec<usize> {
        let pool = Pool::counted(probs.nrows());
        let evidence = Evidence { probs: Some(Probs::new(probs).unwrap()), ..Evidence::default() };
        let picked = Mcp.select(&pool, &evidence, budget, &mut Streams::new(0).named("s")).unwrap();
        picked.rows().iter().map(|idx| idx.row()).collect()
    }

    #[test]
    fn whole_rounds_go_to_all_cells_and_the_rest_to_the_best() {
        // cells (0,1): rows 0 1 2; (1,0): row 3; (2,1): rows 4 5
        let probs = array![
            [0.5, 0.25, 0.25],
            [0.5, 0.5, 0.0],
            [0.75, 0.25, 0.0],
            [0.25, 0.75, 0.0],
            [0.0, 0.25, 0.75],
            [0.125, 0.25, 0.625],
        ];
        assert_eq!(rows(probs.clone(), 2), [1, 5], "phase 2 alone: the best two of three cells");
        assert_eq!(rows(probs.clone(), 3), [1, 3, 5], "one round in row order");
        assert_eq!(rows(probs.clone(), 4), [1, 3, 5, 0], "then cells (0,1) and (2,1) compete");
        assert_eq!(rows(probs.clone(), 5), [1, 3, 5, 0, 4]);
        assert_eq!(rows(probs, 9), [1, 3, 5, 0, 4, 2]);
    }

    #[test]
    fn certain_answers_do_not_bring_in_the_first_row() {
        let probs = array![[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        assert_eq!(rows(probs, 3), [0, 1, 3]);
    }

    #[test]
    fn one_class_is_one_cell() {
        assert_eq!(rows(array![[1.0], [1.0], [1.0]], 2), [0, 1]);
    }
}
