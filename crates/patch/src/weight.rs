use serde::{Deserialize, Serialize};
use std::fmt;

/// One number of a model: a tensor by its name, and coordinates in it.
///
/// Tensors are laid out as `PyTorch` does: a dense layer's weight is `outputs x inputs`, a convolution's
/// `outputs x inputs x height x width`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WeightRef {
    /// Name of the tensor, for instance `linear.weight`.
    pub tensor: String,
    /// One coordinate per dimension.
    pub index: Vec<usize>,
}

impl WeightRef {
    /// A number of a tensor.
    pub fn new(tensor: &str, index: &[usize]) -> Self {
        Self { tensor: tensor.to_owned(), index: index.to_vec() }
    }

    /// Its place in the flat tensor of this shape; `None` outside.
    pub fn offset(&self, shape: &[usize]) -> Option<usize> {
        if self.index.len() != shape.len() {
            return None;
        }
        self.index.iter().zip(shape).try_fold(0, |at, (&i, &size)| (i < size).then_some(at * size + i))
    }
}

impl fmt::Display for WeightRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        write!(f, "{}[{index}]", self.tensor)
    }
}

/// A weight with its value before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The weight.
    #[serde(flatten)]
    pub weight: WeightRef,
    /// Value in the base model.
    pub old: f32,
    /// Value in the patched model.
    pub new: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_tensor() {
        let w = WeightRef::new("conv.weight", &[1, 2, 0, 1]);
        assert_eq!(w.offset(&[2, 3, 2, 2]), Some(12 + 8 + 1));
        assert_eq!(w.offset(&[1, 3, 2, 2]), None);
        assert_eq!(w.offset(&[2, 3]), None);
        assert_eq!(w.to_string(), "conv.weight[1,2,0,1]");
    }
}
