use crate::affinity::{Affinity, solve};
use crate::region::inside;
use crate::{PropagateError, Propagator, pooled_agreement, region_purity};
use hybridrepair_core::{ClassId, Embeddings, KnnGraph, Label, LabelSet, PoolIdx, Provenance, Regions, Selection};
use hybridrepair_kernels::knn_graph;

/// Labels spread along the edges of a k-nearest-neighbour graph (Zhou et al. 2004; as prior pseudo-labels AS3L,
/// Cai et al. 2022).
///
/// Solves `(I - alpha S) Z = Y` with `S = D^-1/2 W D^-1/2` and `W_ij = max(0, cos)^gamma`. A sample gets the class of
/// its largest `Z`; its weight is the confidence `1 - H(Z_i / sum Z_i) / log C`, times the agreement of the labels in
/// its region when regions are given (regions with fewer than two labels take the agreement of all others together).
#[derive(Clone, Debug, PartialEq)]
pub struct GraphLabels {
    /// Neighbours per sample, when no graph is given.
    pub k: usize,
    /// How far labels travel, in (0, 1).
    pub alpha: f64,
    /// Sharpness of the edge weights.
    pub gamma: f64,
    /// Steps of conjugate gradients at most.
    pub max_iter: usize,
    /// Labels with less weight are left out, in [0, 1].
    pub min_weight: f32,
    /// A graph that was computed before, on rows of length 1.
    pub graph: Option<KnnGraph>,
}

impl Default for GraphLabels {
    fn default() -> Self {
        Self { k: 20, alpha: 0.95, gamma: 3.0, max_iter: 50, min_weight: 0.0, graph: None }
    }
}

/// Relative residual at which the solution is good enough for an `f32` weight.
const TOLERANCE: f64 = 1e-6;

impl GraphLabels {
    fn check(&self) -> Result<(), PropagateError> {
        let wrong = |what, given, expected| Err(PropagateError::Parameter { what, given, expected });
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return wrong("alpha", self.alpha, "between 0 and 1");
        }
        if !(self.gamma >= 0.0 && self.gamma.is_finite()) {
            return wrong("gamma", self.gamma, "0 or more");
        }
        if !(0.0..=1.0).contains(&self.min_weight) {
            return wrong("min_weight", f64::from(self.min_weight), "between 0 and 1");
        }
        Ok(())
    }
}

impl Propagator for GraphLabels {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn propagate(
        &self,
        bought: &LabelSet,
        _selection: &Selection,
        regions: Option<&Regions>,
        x: Option<&Embeddings>,
    ) -> Result<LabelSet, PropagateError> {
        let x = x.ok_or(PropagateError::Missing { propagator: "graph", what: "embeddings" })?;
        self.check()?;
        for label in bought.iter() {
            inside(label, x.len())?;
        }
        if bought.is_empty() || x.len() == 1 {
            return Ok(bought.clone());
        }
        let unit = x.normalized();
        let built;
        let graph = match &self.graph {
            Some(graph) if graph.len() != x.len() => {
                let (got, expected) = (graph.len(), x.len());
                return Err(hybridrepair_core::CoreError::Rows { what: "neighbour graph", got, expected }.into());
            }
            Some(graph) => graph,
            None => {
                built = knn_graph((&unit).into(), self.k.min(x.len() - 1))?;
                &built
            }
        };
        // only the classes that were bought have a column
        let mut classes = bought.iter().map(|l| l.class).collect::<Vec<_>>();
        classes.sort_unstable();
        classes.dedup();
        let c = classes.len();
        let mut y = vec![0.0; x.len() * c];
        for label in bought.iter() {
            let column = classes.binary_search(&label.class).unwrap_or_default();
            y[label.idx.row() * c + column] = f64::from(label.weight);
        }
        let z = solve(&Affinity::of(&unit, graph, self.gamma), self.alpha, &y, c, self.max_iter, TOLERANCE);
        let trust = match regions {
            Some(regions) => region_trust(regions, bought)?,
            None => vec![1.0; x.len()],
        };
        let labels = (0..x.len()).filter_map(|i| {
            let idx = PoolIdx::from(i);
            if let Some(own) = bought.get(idx) {
                return Some(*own);
            }
            let (class, confidence) = winner(&z[i * c..(i + 1) * c], &classes)?;
            let weight = (confidence * trust[i]) as f32;
            (weight >= self.min_weight).then_some(Label { idx, class, provenance: Provenance::Propagated, weight })
        });
        Ok(labels.collect())
    }
}

/// The class with the largest share and the confidence; nothing where no label arrived.
fn winner(z: &[f64], classes: &[ClassId]) -> Option<(ClassId, f64)> {
    // what conjugate gradients leave of a zero is not a label
    const NOTHING: f64 = 1e-9;
    let total = z.iter().map(|v| v.max(0.0)).sum::<f64>();
    if total <= NOTHING {
        return None;
    }
    let best = (1..z.len()).fold(0, |a, b| if z[b] > z[a] { b } else { a });
    if z.len() == 1 {
        return Some((classes[0], 1.0));
    }
    let entropy = z.iter().map(|v| v.max(0.0) / total).filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum::<f64>();
    Some((classes[best], (1.0 - entropy / (z.len() as f64).ln()).clamp(0.0, 1.0)))
}

/// Agreement of the region of each sample; 1 for noise, and everywhere when no region has two labels.
fn region_trust(regions: &Regions, bought: &LabelSet) -> Result<Vec<f64>, PropagateError> {
    let purity = region_purity(regions, bought)?;
    let pooled = pooled_agreement(&purity).unwrap_or(1.0);
    let of =
        |r: &Option<hybridrepair_core::RegionId>| r.map_or(1.0, |r| purity[r.0 as usize].agreement.unwrap_or(pooled));
    Ok(regions.labels().iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// Two arcs on the unit circle, 30 samples each.
    fn arcs() -> Embeddings {
        let at = |(i, j): (usize, usize)| {
            let t = (i % 30) as f32 * 0.02 + if i < 30 { 0.0 } else { 1.2 };
            if j == 0 { t.cos() } else { t.sin() }
        };
        Embeddings::new(Array2::from_shape_fn((60, 2), at)).unwrap()
    }

    fn bought(of: &[(u32, u32)]) -> LabelSet {
        let mut set = LabelSet::new();
        for &(row, class) in of {
            set.insert_bought(PoolIdx(row), ClassId(class));
        }
        set
    }

    #[test]
    fn each_arc_takes_its_label() {
        let rule = GraphLabels { k: 4, ..GraphLabels::default() };
        let out = rule.propagate(&bought(&[(0, 5), (45, 9)]), &Selection::default(), None, Some(&arcs())).unwrap();
        assert_eq!(out.len(), 60);
        for label in out.iter() {
            assert_eq!(label.class.0, if label.idx.0 < 30 { 5 } else { 9 });
            assert!(label.weight > 0.999, "arcs are not connected: {label:?}");
        }
        assert_eq!(out.get(PoolIdx(0)).unwrap().provenance, Provenance::Bought);
    }

    #[test]
    fn conjugate_gradients_solve_the_system() {
        let x = arcs();
        let graph = knn_graph((&x).into(), 7).unwrap();
        let s = Affinity::of(&x, &graph, 2.0);
        let y = (0..120).map(|i| f64::from(i % 7 == 0)).collect::<Vec<_>>();
        let z = solve(&s, 0.9, &y, 2, 200, 1e-10);
        let mut back = vec![0.0; 120];
        s.apply(0.9, &z, 2, &mut back);
        assert!(back.iter().zip(&y).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[test]
    fn confidence_falls_between_labels_and_with_impure_regions() {
        let rule = GraphLabels { k: 4, ..GraphLabels::default() };
        let labels = bought(&[(0, 0), (29, 1)]);
        let run =
            |regions: Option<&Regions>| rule.propagate(&labels, &Selection::default(), regions, Some(&arcs())).unwrap();
        let free = run(None);
        let weight = |set: &LabelSet, i| set.get(PoolIdx(i)).unwrap().weight;
        assert!(weight(&free, 15) < 0.2 && weight(&free, 2) > weight(&free, 12));
        assert!(!free.contains(PoolIdx(40)), "no label reaches the other arc");
        let regions = Regions::from_labels(&[Some(0); 60], &[PoolIdx(0)]).unwrap();
        assert!((weight(&run(Some(&regions)), 2) - 0.5 * weight(&free, 2)).abs() < 1e-6);
    }

    #[test]
    fn bad_input_is_refused() {
        let x = arcs();
        let go = |rule: GraphLabels, labels: &LabelSet| rule.propagate(labels, &Selection::default(), None, Some(&x));
        let one = bought(&[(0, 0)]);
        for alpha in [0.0, 1.0, f64::NAN] {
            assert!(go(GraphLabels { alpha, ..GraphLabels::default() }, &one).is_err());
        }
        assert!(go(GraphLabels { k: 0, ..GraphLabels::default() }, &one).is_err());
        assert!(go(GraphLabels { min_weight: 2.0, ..GraphLabels::default() }, &one).is_err());
        assert!(go(GraphLabels::default(), &bought(&[(60, 0)])).is_err());
        assert!(go(GraphLabels::default(), &LabelSet::new()).unwrap().is_empty());
        let small = KnnGraph::new(2, 1, vec![1, 0], vec![1.0; 2]).unwrap();
        assert!(go(GraphLabels { graph: Some(small), ..GraphLabels::default() }, &one).is_err());
        assert!(GraphLabels::default().propagate(&one, &Selection::default(), None, None).is_err());
        // zero rows have no direction: nothing reaches them
        let zeros = Embeddings::new(Array2::zeros((5, 2))).unwrap();
        let out = GraphLabels::default().propagate(&one, &Selection::default(), None, Some(&zeros)).unwrap();
        assert_eq!(out.len(), 1);
    }
}
