use std::sync::Arc;

/// One parameter tensor: its name, its shape and where it lies in the flat vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Name, unique in its model.
    pub name: String,
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// Index of its first value.
    pub start: usize,
    /// Number of values.
    pub len: usize,
}

/// The parameter tensors of a model, in order, in one flat vector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamLayout {
    slots: Vec<Slot>,
    len: usize,
}

impl ParamLayout {
    /// The layout of tensors with these names and shapes.
    pub fn new(tensors: impl IntoIterator<Item = (String, Vec<usize>)>) -> Self {
        let mut layout = Self::default();
        for (name, shape) in tensors {
            layout.push(name, shape);
        }
        layout
    }

    /// Appends a tensor.
    pub fn push(&mut self, name: String, shape: Vec<usize>) {
        let len = shape.iter().product();
        self.slots.push(Slot { name, shape, start: self.len, len });
        self.len += len;
    }

    /// The tensors.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Number of values of all tensors together.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A value for every parameter of a model, owned: nothing that happens later changes it.
///
/// The values lie flat, so that an optimiser that treats all alike is one loop; [`Params::tensors`] gives them by tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    layout: Arc<ParamLayout>,
    values: Vec<f32>,
}

/// Gradients have the layout of the parameters.
pub type Grads = Params;

impl Params {
    /// Takes the values of a layout.
    ///
    /// # Panics
    /// When there are more or fewer values than the layout has.
    pub fn new(layout: Arc<ParamLayout>, values: Vec<f32>) -> Self {
        assert_eq!(layout.len(), values.len(), "one value for each parameter");
        Self { layout, values }
    }

    /// Zeros of the same layout.
    #[must_use]
    pub fn zeros(&self) -> Self {
        Self { layout: self.layout.clone(), values: vec![0.0; self.values.len()] }
    }

    /// The tensors' names and places.
    pub fn layout(&self) -> &Arc<ParamLayout> {
        &self.layout
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to change them.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values by tensor.
    pub fn tensors(&self) -> impl Iterator<Item = (&Slot, &[f32])> {
        self.layout.slots().iter().map(|s| (s, &self.values[s.start..s.start + s.len]))
    }

    /// Whether all values are finite.
    pub fn finite(&self) -> bool {
        self.values.iter().all(|v| v.is_finite())
    }

    /// Scalar product.
    pub fn dot(&self, other: &Self) -> f64 {
        self.values.iter().zip(&other.values).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    /// Euclidean norm.
    pub fn norm(&self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Euclidean distance.
    pub fn distance(&self, other: &Self) -> f64 {
        self.values.iter().zip(&other.values).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
    }

    /// `self += factor * other`
    pub fn add_scaled(&mut self, factor: f32, other: &Self) {
        for (p, &g) in self.values.iter_mut().zip(&other.values) {
            *p += factor * g;
        }
    }

    /// `self += share * (other - self)`
    pub fn lerp(&mut self, share: f32, other: &Self) {
        for (p, &o) in self.values.iter_mut().zip(&other.values) {
            *p += share * (o - *p);
        }
    }
}
