use crate::{Head, PatchError, WeightRef};

/// Mean, standard deviation and range of all weights of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerRange {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (of the population).
    pub sd: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// The current values of the weights under search and the ranges of their layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// A value per weight.
    pub current: Vec<f32>,
    /// The layer of each weight.
    pub layers: Vec<LayerRange>,
}

impl LayerRange {
    /// Of these numbers.
    pub fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let n = values.clone().count().max(1) as f64;
        let mean = values.clone().map(f64::from).sum::<f64>() / n;
        let var = values.clone().map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        let bounds =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v.into()), hi.max(v.into())));
        Self { mean, sd: var.sqrt(), min: bounds.0, max: bounds.1 }
    }

    /// Largest minus smallest.
    pub fn width(&self) -> f64 {
        self.max - self.min
    }
}

impl Space {
    /// Of weights of the last layer. A bias moves a logit by itself, so its range is that of the logits, `spread` to both
    /// sides.
    ///
    /// # Errors
    /// When a weight is not of this layer.
    pub fn of_head(head: &Head, weights: &[WeightRef], spread: f64) -> Result<Self, PatchError> {
        let layer = LayerRange::of(head.weight.iter().copied());
        let (mut current, mut layers) = (Vec::new(), Vec::new());
        for weight in weights {
            let (class, feature) = head.place(weight)?;
            current.push(head.value(weight)?);
            let mean = f64::from(head.bias[class]);
            let bias = LayerRange { mean, sd: spread / 10.0, min: mean - spread, max: mean + spread };
            layers.push(if feature.is_some() { layer } else { bias });
        }
        Ok(Self { current, layers })
    }

    /// Number of weights.
    pub fn dims(&self) -> usize {
        self.current.len()
    }
}
