use crate::{Pictures, network, numbers};
use hybridrepair_core::ClassId;
use hybridrepair_patch::{
    Cases, Eval, Evaluator, Judged, LayerRange, PatchError, Precision, Space, WeightRef, evaluate_whole, judge_whole,
};
use hybridrepair_torch::{Model, Tensor};
use ndarray::Array2;
use std::sync::Mutex;

/// Judges candidates for weights of any layers: what stands before the first of them is run once and kept, each candidate
/// runs the rest.
#[derive(Debug)]
pub struct TailEvaluator {
    inner: Mutex<Inner>,
    labels: Vec<ClassId>,
    cases: Cases,
    protected: Vec<ClassId>,
    dims: usize,
}

/// A network of our own, whose weights are written for each candidate.
#[derive(Debug)]
struct Inner {
    model: Model,
    from: usize,
    /// What the first steps give, in batches.
    kept: Vec<Tensor>,
    /// Handles to the single numbers, with their precision.
    places: Vec<(Tensor, Precision)>,
    current: Vec<f32>,
}

impl TailEvaluator {
    /// For these weights of the model, on wrong and right rows of the pictures. The model is copied.
    ///
    /// # Errors
    /// When a weight is not the model's, or libtorch fails.
    pub fn new(
        model: &Model,
        pictures: &Pictures<'_>,
        cases: &Cases,
        weights: &[(WeightRef, Precision)],
        protected: &[ClassId],
    ) -> Result<Self, PatchError> {
        let model = model.duplicate().map_err(network)?;
        let from = weights.iter().map(|(w, _)| model.step_of(&w.tensor)).min().unwrap_or(0);
        let rows = [&cases.negatives[..], &cases.positives].concat();
        let kept = tch::no_grad(|| pictures.batches(&model, &rows).map(|(x, _)| model.prefix(&x, from)).collect());
        let mut places = Vec::new();
        let mut current = Vec::new();
        for (weight, precision) in weights {
            let tensor = model.params().all().find(|(n, _)| *n == weight.tensor).map(|(_, t)| t);
            let tensor = tensor.ok_or_else(|| PatchError::NoWeight(weight.clone()))?;
            let shape = tensor.size().iter().map(|&s| s as usize).collect::<Vec<_>>();
            weight.offset(&shape).ok_or_else(|| PatchError::NoWeight(weight.clone()))?;
            let place = weight.index.iter().fold(tensor.detach(), |t, &i| t.select(0, i as i64));
            current.push(place.double_value(&[]) as f32);
            places.push((place, *precision));
        }
        let labels = rows.iter().map(|&row| pictures.labels[row]).collect();
        let n = cases.negatives.len();
        let cases = Cases { negatives: (0..n).collect(), positives: (n..rows.len()).collect() };
        let inner = Mutex::new(Inner { model, from, kept, places, current });
        Ok(Self { inner, labels, cases, protected: protected.to_vec(), dims: weights.len() })
    }

    /// Current values and ranges of the layers of these weights.
    ///
    /// # Errors
    /// When a layer is not the model's.
    pub fn space(model: &Model, weights: &[(WeightRef, Precision)]) -> Result<Space, PatchError> {
        let (mut current, mut layers) = (Vec::new(), Vec::new());
        for (weight, _) in weights {
            let tensor = model.params().all().find(|(n, _)| *n == weight.tensor).map(|(_, t)| t);
            let tensor = tensor.ok_or_else(|| PatchError::NoWeight(weight.clone()))?;
            let values = numbers(&tensor.detach())?;
            let shape = tensor.size().iter().map(|&s| s as usize).collect::<Vec<_>>();
            let at = weight.offset(&shape).ok_or_else(|| PatchError::NoWeight(weight.clone()))?;
            current.push(values[at]);
            layers.push(LayerRange::of(values.iter().copied()));
        }
        Ok(Space { current, layers })
    }
}

impl Inner {
    fn write(&mut self, values: &[f32]) {
        tch::no_grad(|| {
            for ((place, precision), &value) in self.places.iter_mut().zip(values) {
                let _ = place.fill_(f64::from(precision.round(value)));
            }
        });
    }

    fn logits(&self) -> Result<Array2<f32>, PatchError> {
        let mut all = Vec::new();
        for x in &self.kept {
            all.extend(numbers(&tch::no_grad(|| self.model.tail(x, self.from).logits))?);
        }
        let classes = self.model.spec().classes;
        Ok(Array2::from_shape_vec((all.len() / classes, classes), all).expect("a logit per row and class"))
    }
}

impl Evaluator for TailEvaluator {
    fn dims(&self) -> usize {
        self.dims
    }

    fn negatives(&self) -> usize {
        self.cases.negatives.len()
    }

    fn positives(&self) -> usize {
        self.cases.positives.len()
    }

    fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
        // a thread that panicked in here has left the weights of its candidate, which are written over anyway
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut evals = Vec::new();
        for candidate in candidates.chunks_exact(self.dims.max(1)) {
            inner.write(candidate);
            evals.push(evaluate_whole(&inner.logits()?, &self.labels, &self.cases, &self.protected));
        }
        let current = inner.current.clone();
        inner.write(&current);
        Ok(evals)
    }

    fn each(&self, candidate: &[f32]) -> Result<Vec<Judged>, PatchError> {
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.write(candidate);
        let each = inner.logits().map(|logits| judge_whole(&logits, &self.labels));
        let current = inner.current.clone();
        inner.write(&current);
        each
    }
}
