use crate::{Change, PatchError, TensorFile, WeightRef};
use hybridrepair_core::{ClassId, CoreError};
use hybridrepair_kernels::dot;
use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;

/// The last layer of a classifier: logits = features x weight^T + bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `C x D`, as `PyTorch` lays it out.
    pub weight: Array2<f32>,
    /// Length `C`.
    pub bias: Array1<f32>,
    /// Name of the weight in the model's file.
    pub weight_name: String,
    /// Name of the bias in the model's file.
    pub bias_name: String,
}

impl Head {
    /// A layer of the given names.
    ///
    /// # Errors
    /// When the bias has another length, or a number is not finite.
    pub fn new(weight: Array2<f32>, bias: Array1<f32>, layer: &str) -> Result<Self, PatchError> {
        if bias.len() != weight.nrows() {
            return Err(CoreError::Rows { what: "the bias", got: bias.len(), expected: weight.nrows() }.into());
        }
        finite("the last layer's weight", weight.view())?;
        finite("the last layer's bias", bias.view().insert_axis(ndarray::Axis(0)))?;
        Ok(Self {
            weight: if weight.is_standard_layout() { weight } else { weight.as_standard_layout().into_owned() },
            bias,
            weight_name: format!("{layer}.weight"),
            bias_name: format!("{layer}.bias"),
        })
    }

    /// The last dense layer of a model file: the last tensor `NAME.weight` of two dimensions with a `NAME.bias` of as
    /// many numbers as it has rows, or the one of the given name.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(file: &TensorFile, layer: Option<&str>) -> Result<Self, PatchError> {
        let dense = |name: &str| {
            let shape = file.shape(&format!("{name}.weight"))?;
            let bias = file.shape(&format!("{name}.bias"))?;
            (shape.len() == 2 && *bias == shape[..1]).then(|| (shape[0], shape[1]))
        };
        let names = match layer {
            Some(name) => vec![name.to_owned()],
            // classifiers first: safetensors keeps no order of layers
            None => ["linear", "fc", "classifier"]
                .into_iter()
                .map(str::to_owned)
                .chain(file.names().filter_map(|n| n.strip_suffix(".weight").map(str::to_owned)))
                .collect(),
        };
        let (name, (classes, dim)) = names.iter().find_map(|n| dense(n).map(|s| (n, s))).ok_or_else(|| {
            PatchError::format(
                file.path(),
                layer.map_or_else(|| "it has no dense layer".to_owned(), |n| format!("{n:?} is no dense layer of it")),
            )
        })?;
        let weight = Array2::from_shape_vec((classes, dim), file.values(&format!("{name}.weight"))?);
        let weight = weight.map_err(|e| PatchError::format(file.path(), e))?;
        Self::new(weight, Array1::from_vec(file.values(&format!("{name}.bias"))?), name)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.weight.nrows()
    }

    /// Length of the features.
    pub fn dim(&self) -> usize {
        self.weight.ncols()
    }

    /// Logits `n x C` of features `n x D`, each summed in `f64`.
    ///
    /// # Errors
    /// When the features have another length.
    pub fn logits(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f32>, PatchError> {
        if features.ncols() != self.dim() {
            let (got, expected) = (features.ncols(), self.dim());
            return Err(PatchError::setting("features of length", got, format!("do not fit a layer of {expected}")));
        }
        let features = features.as_standard_layout();
        let rows = features.as_slice().unwrap_or_default().par_chunks_exact(self.dim().max(1));
        let classes = self.classes();
        let all = rows
            .flat_map_iter(|x| {
                (0..classes).map(|j| {
                    let w = self.weight.row(j);
                    (dot(x, w.as_slice().unwrap_or_default()) + f64::from(self.bias[j])) as f32
                })
            })
            .collect::<Vec<_>>();
        Ok(Array2::from_shape_vec((features.nrows(), classes), all).expect("a logit per row and class"))
    }

    /// The weight of this class and feature; the class's bias without a feature.
    pub fn weight_ref(&self, class: usize, feature: Option<usize>) -> WeightRef {
        match feature {
            Some(i) => WeightRef::new(&self.weight_name, &[class, i]),
            None => WeightRef::new(&self.bias_name, &[class]),
        }
    }

    /// Class and feature of a weight of this layer, as [`Head::weight_ref`] names them.
    ///
    /// # Errors
    /// When it is a weight of another layer.
    pub fn place(&self, weight: &WeightRef) -> Result<(usize, Option<usize>), PatchError> {
        match weight.index[..] {
            [j, i] if weight.tensor == self.weight_name && j < self.classes() && i < self.dim() => Ok((j, Some(i))),
            [j] if weight.tensor == self.bias_name && j < self.classes() => Ok((j, None)),
            _ => Err(PatchError::NoWeight(weight.clone())),
        }
    }

    /// The value of a weight of this layer.
    ///
    /// # Errors
    /// When it is a weight of another layer.
    pub fn value(&self, weight: &WeightRef) -> Result<f32, PatchError> {
        Ok(match self.place(weight)? {
            (j, Some(i)) => self.weight[[j, i]],
            (j, None) => self.bias[j],
        })
    }

    /// This layer with changed weights.
    ///
    /// # Errors
    /// When one belongs to another layer.
    pub fn patched(&self, changes: &[Change]) -> Result<Self, PatchError> {
        let mut head = self.clone();
        for change in changes {
            match self.place(&change.weight)? {
                (j, Some(i)) => head.weight[[j, i]] = change.new,
                (j, None) => head.bias[j] = change.new,
            }
        }
        Ok(head)
    }

    /// The class of the largest logit of each row, the first on ties.
    ///
    /// # Errors
    /// As [`Head::logits`].
    pub fn predict(&self, features: ArrayView2<'_, f32>) -> Result<Vec<ClassId>, PatchError> {
        Ok(classes_of(&self.logits(features)?))
    }
}

/// The class of the largest logit of each row, the first on ties.
pub(crate) fn classes_of(logits: &Array2<f32>) -> Vec<ClassId> {
    let largest =
        |z: ndarray::ArrayView1<'_, f32>| (1..z.len()).fold(0, |best, c| if z[c] > z[best] { c } else { best });
    logits.outer_iter().map(|z| ClassId::from(largest(z))).collect()
}

/// Refuses the first number that is not finite.
pub(crate) fn finite(what: &'static str, values: ArrayView2<'_, f32>) -> Result<(), PatchError> {
    match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, col), &value)) => Err(CoreError::NotFinite { what, row, col, value }.into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn logits_and_weights_by_hand() {
        let head = Head::new(array![[1.0, 2.0], [0.0, -1.0]], array![0.5, 0.0], "fc").unwrap();
        let x = array![[1.0, 1.0], [-1.0, -3.0]];
        assert_eq!(head.logits(x.view()).unwrap(), array![[3.5, -1.0], [-6.5, 3.0]]);
        let change = Change { weight: head.weight_ref(1, Some(0)), old: 0.0, new: 9.0 };
        let bias = Change { weight: head.weight_ref(0, None), old: 0.5, new: -1.0 };
        assert_eq!(head.patched(&[change, bias]).unwrap().logits(x.view()).unwrap()[[0, 1]], 8.0);
        assert!(head.place(&WeightRef::new("fc.weight", &[2, 0])).is_err());
        assert!(head.place(&WeightRef::new("conv.weight", &[0, 0])).is_err());
        assert!(head.logits(array![[1.0]].view()).is_err());
        assert!(Head::new(array![[f32::NAN]], array![0.0], "fc").is_err());
    }
}
