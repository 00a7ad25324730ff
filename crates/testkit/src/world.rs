use crate::FakeModel;
use hybridrepair_core::{
    ClassId, Embeddings, Evidence, KnnGraph, Pool, PoolIdx, Probs, Region, Regions, SampleId, SealedLabels, Source,
    Stream, Streams, Views,
};
use ndarray::{Array2, Array3, ArrayView1, Axis, s};
use rand::Rng;

/// What a [`World`] looks like.
#[derive(Clone, Debug)]
pub struct WorldSpec {
    /// Samples in the pool.
    pub n: usize,
    /// Classes.
    pub classes: usize,
    /// Columns of the embeddings.
    pub dim: usize,
    /// Columns of the penultimate features.
    pub features: usize,
    /// Standard deviation of a blob; blobs are about 1 apart.
    pub spread: f32,
    /// Share of the samples that stand in a condition that the model never saw.
    pub hard: f64,
    /// How far that condition lies on the way to the prototype of another class; from 0.5 on the model errs.
    pub shift: f32,
    /// Expected size of the largest class over that of the smallest; 1 is balanced.
    pub imbalance: f64,
    /// Share of the samples that repeat another sample exactly.
    pub duplicates: f64,
    /// Expected members of a region.
    pub region_size: usize,
    /// Neighbours in the graph.
    pub neighbors: usize,
    /// Samples whose labels are known already.
    pub known: usize,
    /// Seed of all of it.
    pub seed: u64,
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            n: 400,
            classes: 5,
            dim: 8,
            features: 12,
            spread: 0.12,
            hard: 0.25,
            shift: 0.6,
            imbalance: 1.0,
            duplicates: 0.0,
            region_size: 10,
            neighbors: 5,
            known: 0,
            seed: 0,
        }
    }
}

/// A field pool of blobs, a model that knows only some of them, and all evidence about it.
#[derive(Clone, Debug)]
pub struct World {
    /// The samples; ids are not row numbers.
    pub pool: Pool,
    /// All kinds of evidence.
    pub evidence: Evidence,
    /// The truth, as a run gets it.
    pub sealed: SealedLabels,
    /// The truth, for tests.
    pub truth: Vec<ClassId>,
    /// Rows in the condition that the model never saw.
    pub hard: Vec<bool>,
    /// The samples, `n x d`.
    pub inputs: Array2<f32>,
    /// The model's logits, `n x C`, multiples of 1/64: small integers may be added to them without rounding.
    pub logits: Array2<f32>,
    /// The model.
    pub model: FakeModel,
}

impl WorldSpec {
    /// Draws the world.
    pub fn build(&self) -> World {
        let streams = Streams::new(self.seed);
        let mut rng = streams.named("world");
        let prototypes = Array2::from_shape_fn((self.classes, self.dim), |_| rng.gen_range(-1.0f32..1.0));
        let (mut inputs, mut truth, mut hard) = self.samples(&prototypes, self.n, self.hard, &mut rng);
        for row in 1..self.n {
            if rng.gen_bool(self.duplicates) {
                let other = rng.gen_range(0..row);
                let copy = inputs.row(other).to_owned();
                inputs.row_mut(row).assign(&copy);
                (truth[row], hard[row]) = (truth[other], hard[other]);
            }
        }
        let model = FakeModel::new(prototypes.clone(), 4.0, self.features);
        let logits = model.logits(&inputs).mapv(|z| (z * 64.0).round().max(-6400.0) / 64.0);
        let (source_inputs, source_labels, _) = self.samples(&prototypes, 3 * self.classes, 0.0, &mut rng);

        let mut evidence = Evidence {
            probs: Some(Probs::from_logits(&logits).unwrap()),
            features: Some(Embeddings::new(model.features(&inputs)).unwrap()),
            embeddings: Some(Embeddings::new(inputs.clone()).unwrap()),
            views: Some(self.views(&model, &inputs, &mut rng)),
            regions: Some(self.regions(&inputs, &mut rng)),
            graph: Some(graph(&inputs, self.neighbors)),
            source: Some(Source {
                embeddings: Some(Embeddings::new(source_inputs.clone()).unwrap()),
                features: Some(Embeddings::new(model.features(&source_inputs)).unwrap()),
                labels: source_labels,
            }),
            ..Evidence::default()
        };
        for _ in 0..self.known {
            let row = rng.gen_range(0..self.n);
            evidence.known.insert_bought(PoolIdx::from(row), truth[row]);
        }
        let sealed = SealedLabels::seal("field pool", truth.clone());
        World { pool: self.pool(&mut rng), evidence, sealed, truth, hard, inputs, logits, model }
    }

    /// Ids in no order and with gaps.
    fn pool(&self, rng: &mut Stream) -> Pool {
        let mut ids: Vec<SampleId> = (0..self.n as u64).map(|i| SampleId(3 * i + 7)).collect();
        for i in (1..ids.len()).rev() {
            ids.swap(i, rng.gen_range(0..=i));
        }
        Pool::new(ids).unwrap()
    }

    fn samples(
        &self,
        prototypes: &Array2<f32>,
        n: usize,
        hard: f64,
        rng: &mut Stream,
    ) -> (Array2<f32>, Vec<ClassId>, Vec<bool>) {
        // class sizes fall geometrically from 1 to 1 / imbalance
        let steps = (self.classes - 1).max(1) as f64;
        let weights: Vec<f64> = (0..self.classes).map(|c| self.imbalance.powf(-(c as f64) / steps)).collect();
        let total: f64 = weights.iter().sum();
        let mut x = Array2::zeros((n, self.dim));
        let (mut labels, mut is_hard) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for mut row in x.outer_iter_mut() {
            let mut left = rng.r#gen::<f64>() * total;
            let class = weights.iter().position(|w| {
                left -= w;
                left < 0.0
            });
            let class = class.unwrap_or(self.classes - 1);
            let here = rng.gen_bool(hard);
            let (own, other) = (prototypes.row(class), prototypes.row((class + 1) % self.classes));
            let way = if here { self.shift } else { 0.0 };
            for (j, value) in row.iter_mut().enumerate() {
                *value = own[j] + way * (other[j] - own[j]) + self.spread * normal(rng);
            }
            labels.push(ClassId::from(class));
            is_hard.push(here);
        }
        (x, labels, is_hard)
    }

    fn views(&self, model: &FakeModel, x: &Array2<f32>, rng: &mut Stream) -> Views {
        let mut probs = Array3::zeros((5, self.n, self.classes));
        for mut view in probs.outer_iter_mut() {
            let moved = x.mapv(|v| v + self.spread * normal(rng));
            view.assign(&Probs::from_logits(&model.logits(&moved)).unwrap().view());
        }
        Views::from_probs(&probs).unwrap()
    }

    /// Nearest of some random samples; one in ten samples is noise. As published, a center is the sample of the whole
    /// pool that is nearest to the mean of the members.
    fn regions(&self, x: &Array2<f32>, rng: &mut Stream) -> Regions {
        let k = (self.n / self.region_size.max(1)).max(1);
        let seeds: Vec<usize> = (0..k).map(|_| rng.gen_range(0..self.n)).collect();
        let mut members = vec![Vec::new(); k];
        for row in 0..self.n {
            if !rng.gen_bool(0.1) {
                members[nearest(x.row(row), seeds.iter().map(|&s| x.row(s)))].push(row);
            }
        }
        let regions = members.into_iter().filter(|m| !m.is_empty()).map(|rows| {
            let mean = x.select(Axis(0), &rows).mean_axis(Axis(0)).unwrap();
            let center = PoolIdx::from(nearest(mean.view(), x.outer_iter()));
            Region { members: rows.into_iter().map(PoolIdx::from).collect(), center }
        });
        Regions::new(self.n, regions.collect()).unwrap()
    }
}

impl World {
    /// Share of these rows on which the model is wrong.
    pub fn failure_rate(&self, rows: &[PoolIdx]) -> f64 {
        let predicted = self.model.predict(&self.inputs);
        let wrong = rows.iter().filter(|idx| predicted[idx.row()] != self.truth[idx.row()].column()).count();
        wrong as f64 / rows.len().max(1) as f64
    }

    /// The logits plus a constant per row, with the same probabilities.
    pub fn moved_logits(&self, by: impl Fn(usize) -> i8) -> Array2<f32> {
        let mut moved = self.logits.clone();
        for (row, mut z) in moved.outer_iter_mut().enumerate() {
            z.slice_mut(s![..]).mapv_inplace(|z| z + f32::from(by(row)));
        }
        moved
    }
}

fn graph(x: &Array2<f32>, k: usize) -> KnnGraph {
    let n = x.nrows();
    let k = k.min(n - 1);
    let (mut neighbors, mut distances) = (Vec::new(), Vec::new());
    for i in 0..n {
        let mut all: Vec<(f32, u32)> =
            (0..n).filter(|&j| j != i).map(|j| (distance2(x.row(i), x.row(j)).sqrt(), j as u32)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        neighbors.extend(all[..k].iter().map(|a| a.1));
        distances.extend(all[..k].iter().map(|a| a.0));
    }
    KnnGraph::new(n, k, neighbors, distances).unwrap()
}

fn nearest<'a>(x: ArrayView1<'_, f32>, rows: impl Iterator<Item = ArrayView1<'a, f32>>) -> usize {
    let far = rows.map(|r| distance2(x, r)).enumerate();
    far.fold((0, f32::INFINITY), |best, now| if now.1 < best.1 { now } else { best }).0
}

fn distance2(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Standard normal (Box and Muller).
fn normal(rng: &mut Stream) -> f32 {
    let (u, v) = (1.0 - rng.r#gen::<f32>(), rng.r#gen::<f32>());
    (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knobs_do_what_they_say() {
        let world =
            WorldSpec { n: 3000, neighbors: 0, imbalance: 10.0, duplicates: 0.2, ..WorldSpec::default() }.build();
        let of = |hard: bool| (0..3000).filter(|&i| world.hard[i] == hard).map(PoolIdx::from).collect::<Vec<_>>();
        assert!(world.failure_rate(&of(false)) < 0.1, "{}", world.failure_rate(&of(false)));
        assert!(world.failure_rate(&of(true)) > 0.5, "{}", world.failure_rate(&of(true)));
        let count = |c: u32| world.truth.iter().filter(|t| t.0 == c).count();
        assert!(count(0) > 6 * count(4), "{} {}", count(0), count(4));
        let mut rows: Vec<Vec<u32>> =
            world.inputs.outer_iter().map(|r| r.iter().map(|v| v.to_bits()).collect()).collect();
        rows.sort();
        rows.dedup();
        assert!((2300..2500).contains(&rows.len()), "{}", rows.len());
        world.evidence.check(3000).unwrap();
    }

    #[test]
    fn moved_logits_keep_the_probabilities_to_the_last_bit() {
        let world = WorldSpec::default().build();
        let moved = Probs::from_logits(&world.moved_logits(|row| (row % 17) as i8 - 8)).unwrap();
        assert_eq!(moved.view(), world.evidence.probs.unwrap().view());
    }
}
