use hybridrepair_core::Streams;
use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand::Rng;

/// A classifier in closed form: logit `c` of `x` is `-sharpness * |x - prototype_c|^2`.
///
/// Its penultimate features are `relu(x W)` for a fixed random `W`.
#[derive(Clone, Debug)]
pub struct FakeModel {
    prototypes: Array2<f32>,
    sharpness: f32,
    projection: Array2<f32>,
}

impl FakeModel {
    /// A model with these class prototypes (`C x d`), which gives `features` penultimate numbers.
    pub fn new(prototypes: Array2<f32>, sharpness: f32, features: usize) -> Self {
        let mut rng = Streams::new(0).named("fake-model");
        let projection = Array2::from_shape_fn((prototypes.ncols(), features), |_| rng.gen_range(-1.0f32..1.0));
        Self { prototypes, sharpness, projection }
    }

    /// Logits, `n x C`, for inputs `n x d`.
    pub fn logits(&self, x: &Array2<f32>) -> Array2<f32> {
        Array2::from_shape_fn((x.nrows(), self.prototypes.nrows()), |(i, c)| {
            -self.sharpness * distance2(x.row(i), self.prototypes.row(c))
        })
    }

    /// Penultimate features, `n x D`.
    pub fn features(&self, x: &Array2<f32>) -> Array2<f32> {
        x.dot(&self.projection).mapv(|v| v.max(0.0))
    }

    /// The most likely class of each row.
    pub fn predict(&self, x: &Array2<f32>) -> Array1<usize> {
        let best = |z: ArrayView1<'_, f32>| (1..z.len()).fold(0, |b, c| if z[c] > z[b] { c } else { b });
        self.logits(x).map_axis(Axis(1), best)
    }
}

fn distance2(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}
