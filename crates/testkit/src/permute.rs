use hybridrepair_core::{
    Embeddings, Evidence, KnnGraph, Label, Pool, PoolIdx, Probs, Region, Regions, SampleId, Views,
};
use ndarray::Axis;

/// The same samples in another row order: new row `i` is old row `order[i]`. Ids stay with their samples.
pub fn permute(pool: &Pool, evidence: &Evidence, order: &[usize]) -> (Pool, Evidence) {
    let ids: Vec<SampleId> = order.iter().map(|&row| pool.ids()[row]).collect();
    let mut new_row = vec![PoolIdx(0); order.len()];
    for (new, &old) in order.iter().enumerate() {
        new_row[old] = PoolIdx::from(new);
    }
    let moved = |idx: PoolIdx| new_row[idx.row()];
    let rows = |e: &Embeddings| e.select(order).unwrap();
    let probs = |p: &Probs| Probs::new(p.view().select(Axis(0), order)).unwrap();
    let evidence = Evidence {
        probs: evidence.probs.as_ref().map(probs),
        features: evidence.features.as_ref().map(rows),
        embeddings: evidence.embeddings.as_ref().map(rows),
        views: evidence.views.as_ref().map(|v| Views {
            mean_probs: probs(&v.mean_probs),
            entropy: v.entropy.select(Axis(0), order),
            variance: v.variance.select(Axis(0), order),
        }),
        regions: evidence.regions.as_ref().map(|r| regions(r, order.len(), moved)),
        graph: evidence.graph.as_ref().map(|g| graph(g, order, moved)),
        source: evidence.source.clone(),
        known: evidence.known.iter().map(|l| Label { idx: moved(l.idx), ..*l }).collect(),
    };
    (Pool::new(ids).unwrap(), evidence)
}

fn regions(regions: &Regions, n: usize, moved: impl Fn(PoolIdx) -> PoolIdx) -> Regions {
    let moved = regions.iter().map(|(_, region)| {
        let mut members: Vec<PoolIdx> = region.members.iter().map(|&idx| moved(idx)).collect();
        members.sort_unstable();
        Region { members, center: moved(region.center) }
    });
    Regions::new(n, moved.collect()).unwrap()
}

fn graph(graph: &KnnGraph, order: &[usize], moved: impl Fn(PoolIdx) -> PoolIdx) -> KnnGraph {
    let neighbors = order.iter().flat_map(|&old| graph.neighbors(old)).map(|&j| moved(PoolIdx(j)).0).collect();
    let distances = order.iter().flat_map(|&old| graph.distances(old)).copied().collect();
    KnnGraph::new(graph.len(), graph.k(), neighbors, distances).unwrap()
}
