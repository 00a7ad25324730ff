//! A network cut in two: a trunk that stays as it is, and the little behind it that is trained on what the trunk gives.

use crate::{
    Model, TorchError, nhwc_tensor,
    predict::{batch_for, in_batches, to_vec},
};
use hybridrepair_core::ClassId;
use hybridrepair_data::Images;
use ndarray::{Array2, ArrayView1};
use tch::{Device, Kind, Tensor};

/// Pictures of which outputs are collected before they are put away.
const CHUNK: usize = 1024;

/// Where a network is cut.
#[derive(Debug)]
pub struct Trunk {
    cut: Cut,
    /// Shape of what the trunk gives to one picture.
    shape: Vec<i64>,
    /// Names of the tensors behind the cut that training moves.
    trained: Vec<String>,
}

#[derive(Debug)]
enum Cut {
    /// Before this step: the last block and the head are trained.
    Block(usize),
    /// Before the last dense layer, on the features that the network gives.
    Features(Head),
    /// As before, on features computed back from the logits through the inverse of the layer, `classes x features`.
    Logits(Head, Tensor),
}

/// The last dense layer, by the names of its tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    weight: String,
    bias: Option<String>,
}

impl Trunk {
    /// Cuts before the last dense layer. `probe` are some pictures of the data, `n x 3 x h x w`, by which the layer is found.
    ///
    /// A module that gives logits alone will do as well: what its last layer sees of the features follows from the logits,
    /// `h = (z - b) pinv(W)'`. The part of the true features that this leaves out is orthogonal to every row of `W`, and to
    /// every row of what gradient descent with weight decay makes of it, so that training on `h` is exact.
    ///
    /// # Errors
    /// When no dense layer gives the logits, or libtorch fails.
    pub fn before_head(model: &Model, probe: &Tensor) -> Result<Self, TorchError> {
        // the layer is found by changing it: on a twin
        let twin = model.duplicate()?;
        let out = tch::no_grad(|| twin.forward(probe, false));
        let classes = out.logits.size()[1];
        for (weight, w) in twin.params().trained().filter(|(_, t)| t.dim() == 2 && t.size()[0] == classes) {
            let name = weight.strip_suffix("weight").map(|stem| format!("{stem}bias"));
            let bias = twin.params().trained().find(|(n, t)| Some(*n) == name.as_deref() && t.size() == [classes]);
            let head = Head { weight: weight.to_owned(), bias: bias.map(|(n, _)| n.to_owned()) };
            let trained = [Some(head.weight.clone()), head.bias.clone()].into_iter().flatten().collect();
            let b = bias.map_or_else(|| Tensor::zeros([classes], (Kind::Float, twin.device())), |(_, b)| b.copy());
            let given = out.features.size();
            if given.len() == 2
                && given[1] == w.size()[1]
                && same(&tch::no_grad(|| out.features.linear(w, Some(&b))), &out.logits)
            {
                return Ok(Self { cut: Cut::Features(head), shape: given[1..].to_vec(), trained });
            }
            if let Some(inverse) = tch::no_grad(|| inverse_of(&twin, probe, w, &b, &out.logits)) {
                let shape = vec![w.size()[1]];
                return Ok(Self { cut: Cut::Logits(head, inverse), shape, trained });
            }
        }
        Err(TorchError::Spec(format!(
            "no dense layer with a weight of {classes} x features gives the logits, so nothing can be trained on cached features"
        )))
    }

    /// Cuts before the last block: it and the head are trained, with batch-norm statistics as they are. `None` for a
    /// TorchScript module, whose forward is one piece.
    pub fn before_last_block(model: &Model, probe: &Tensor) -> Option<Self> {
        let step = model.steps().checked_sub(1)?;
        let out = tch::no_grad(|| model.prefix(&probe.narrow(0, 0, 1), step));
        let behind = model.params().trained().filter(|(name, _)| model.step_of(name) >= step);
        let trained = behind.map(|(name, _)| name.to_owned()).collect();
        Some(Self { cut: Cut::Block(step), shape: out.size()[1..].to_vec(), trained })
    }

    /// Numbers that the trunk gives to one picture.
    pub fn numbers(&self) -> usize {
        self.shape.iter().product::<i64>() as usize
    }

    /// Names of the tensors that are trained.
    pub fn trained(&self) -> &[String] {
        &self.trained
    }

    /// What is trained, for people.
    pub fn about(&self) -> &'static str {
        match self.cut {
            Cut::Block(_) => "the last block and the head",
            Cut::Features(_) => "the head",
            Cut::Logits(..) => "the head, on features computed back from its logits",
        }
    }

    /// What the trunk gives to `n` pictures that `fill` writes, each `height x width x 3` normalised numbers: `n x ...` on the
    /// CPU, as `kind`. Equal to the bit for any number of threads.
    pub fn keep(
        &self,
        model: &Model,
        n: usize,
        (height, width): (usize, usize),
        kind: Kind,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Tensor {
        let stride = height * width * Images::CHANNELS;
        let shape = [&[n as i64], &self.shape[..]].concat();
        let kept = Tensor::zeros(shape, (kind, Device::Cpu));
        let step = if let Cut::Block(step) = self.cut { Some(step) } else { None };
        let logits = matches!(self.cut, Cut::Logits(..));
        for start in (0..n).step_by(CHUNK) {
            let len = CHUNK.min(n - start);
            let parts = in_batches(model, len, batch_for((height, width)), |model, range| {
                let mut pixels = vec![0f32; range.len() * stride];
                for (out, i) in pixels.chunks_exact_mut(stride).zip(range) {
                    fill(start + i, out);
                }
                let x = nhwc_tensor(&pixels, height, width, model.device());
                let out = match step {
                    Some(step) => model.prefix(&x, step),
                    None if logits => model.forward(&x).logits,
                    None => model.forward(&x).features,
                };
                out.to_device(Device::Cpu)
            });
            let out = Tensor::cat(&parts, 0);
            let out = if let Cut::Logits(head, inverse) = &self.cut { back(model, head, inverse, &out) } else { out };
            tch::no_grad(|| kept.narrow(0, start as i64, len as i64).copy_(&out));
        }
        kept
    }

    /// What the trunk gave to pictures of which the model has said `logits` and `features`, `n x ...`; `None` when that does not
    /// follow from them, the cut being further below.
    pub fn kept_of(&self, model: &Model, logits: &Array2<f32>, features: &Array2<f32>) -> Option<Tensor> {
        let rows = |a: &Array2<f32>| {
            let numbers = a.iter().copied().collect::<Vec<_>>();
            Tensor::from_slice(&numbers).view([a.nrows() as i64, a.ncols() as i64])
        };
        match &self.cut {
            Cut::Block(_) => None,
            Cut::Features(_) => Some(rows(features)),
            Cut::Logits(head, inverse) => Some(back(model, head, inverse, &rows(logits))),
        }
    }

    /// Whether what the trunk gave follows from what the model has said: [`Trunk::kept_of`].
    pub fn is_before_head(&self) -> bool {
        !matches!(self.cut, Cut::Block(_))
    }

    /// Logits of a model for some rows of what its trunk gave, in eval mode; gradients reach what is behind the cut.
    pub fn logits(&self, model: &Model, kept: &Tensor) -> Tensor {
        let x = kept.to_kind(Kind::Float).to_device(model.device());
        match &self.cut {
            Cut::Block(step) => model.tail(&x, *step).logits,
            Cut::Features(head) | Cut::Logits(head, _) => {
                let weight = tensor(model, &head.weight).expect("a twin of the model that was cut");
                x.linear(weight, head.bias.as_deref().and_then(|name| tensor(model, name)))
            }
        }
    }
}

impl Trunk {
    /// Probabilities of a model for what its trunk gave, `n x C`, in eval mode.
    pub fn probs(&self, model: &Model, kept: &Tensor) -> Array2<f32> {
        let (n, classes) = (kept.size()[0], model.spec().classes);
        let mut numbers = Vec::with_capacity(n as usize * classes);
        for start in (0..n).step_by(CHUNK) {
            let part = kept.narrow(0, start, (CHUNK as i64).min(n - start));
            numbers.extend(to_vec(&tch::no_grad(|| self.logits(model, &part).softmax(-1, Kind::Float))));
        }
        Array2::from_shape_vec((n as usize, classes), numbers).expect("a row of all classes per output")
    }

    /// The most probable class of each row, the first on ties.
    pub fn classes(&self, model: &Model, kept: &Tensor) -> Vec<ClassId> {
        let best = |p: ArrayView1<f32>| (1..p.len()).fold(0, |best, c| if p[c] > p[best] { c } else { best });
        self.probs(model, kept).outer_iter().map(|p| ClassId::from(best(p))).collect()
    }
}

/// Features from logits, through the inverse of the layer between them.
fn back(model: &Model, head: &Head, inverse: &Tensor, logits: &Tensor) -> Tensor {
    let bias = head.bias.as_deref().and_then(|name| tensor(model, name));
    let z = bias.map_or_else(|| logits.shallow_clone(), |b| logits - b.to_device(Device::Cpu));
    tch::no_grad(|| z.to_kind(Kind::Double).matmul(inverse).to_kind(Kind::Float))
}

fn tensor<'m>(model: &'m Model, name: &str) -> Option<&'m Tensor> {
    model.params().all().find(|(n, _)| *n == name).map(|(_, t)| t)
}

/// The pseudo-inverse of the layer, transposed, when it is the one that gives the logits: they must follow a change of its
/// bias and of its weight, and come back from the features that the inverse gives.
fn inverse_of(twin: &Model, probe: &Tensor, w: &Tensor, b: &Tensor, logits: &Tensor) -> Option<Tensor> {
    let saved = w.copy();
    let _ = w.shallow_clone().g_mul_scalar_(1.5);
    let follows = same(&twin.forward(probe, false).logits, &((logits - b) * 1.5 + b));
    w.shallow_clone().copy_(&saved);
    if !follows {
        return None;
    }
    let inverse = w.to_device(Device::Cpu).to_kind(Kind::Double).linalg_pinv(1e-7, false).tr();
    let z = (logits - b).to_device(Device::Cpu).to_kind(Kind::Double);
    let again = z.matmul(&inverse).matmul(&w.to_device(Device::Cpu).to_kind(Kind::Double).tr());
    same(&again.to_kind(Kind::Float), &z.to_kind(Kind::Float)).then_some(inverse)
}

/// Equal but for the rounding of a layer.
fn same(a: &Tensor, b: &Tensor) -> bool {
    let (a, b) = (a.to_device(Device::Cpu), b.to_device(Device::Cpu));
    a.size() == b.size() && (a - &b).abs().max().double_value(&[]) <= 1e-3 * (1.0 + b.abs().max().double_value(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, ModelSpec};
    use hybridrepair_core::Streams;

    fn probe() -> Tensor {
        Tensor::linspace(-1.0, 1.0, 5 * 3 * 32 * 32, (Kind::Float, Device::Cpu))
            .view([5, 32, 32, 3])
            .permute([0, 3, 1, 2])
    }

    fn kept(trunk: &Trunk, model: &Model) -> Tensor {
        let x = probe().permute([0, 2, 3, 1]).contiguous().flatten(0, -1);
        let numbers = Vec::<f32>::try_from(x).unwrap();
        let each = numbers.len() / 5;
        trunk.keep(model, 5, (32, 32), Kind::Float, |i, out| out.copy_from_slice(&numbers[i * each..(i + 1) * each]))
    }

    #[test]
    fn behind_either_cut_every_network_says_the_same_and_only_that_part_has_gradients() {
        for arch in Arch::ALL {
            let model = Model::new(ModelSpec { arch, width: 0.25, classes: 3 }, Device::Cpu, Streams::new(2)).unwrap();
            let whole = model.forward(&probe(), false).logits;
            let cuts =
                [Trunk::before_head(&model, &probe()).unwrap(), Trunk::before_last_block(&model, &probe()).unwrap()];
            assert_eq!(cuts[0].trained().len(), 2, "{arch:?}");
            for trunk in cuts {
                let logits = trunk.logits(&model, &kept(&trunk, &model));
                let out = tch::no_grad(|| model.forward(&probe(), false));
                let array = |t: &Tensor| Array2::from_shape_vec((5, t.size()[1] as usize), to_vec(t)).unwrap();
                let followed = trunk.kept_of(&model, &array(&out.logits), &array(&out.features));
                assert_eq!(followed.is_some(), trunk.is_before_head());
                assert!(followed.is_none_or(|f| same(&f, &kept(&trunk, &model))), "{arch:?}");
                assert!(same(&logits, &whole), "{arch:?}: {}", trunk.about());
                model.params().zero_grad();
                let loss = logits.square().sum(Kind::Float);
                loss.backward();
                let moved = model
                    .params()
                    .trained()
                    .filter(|(_, t)| t.grad().defined() && t.grad().abs().sum(Kind::Float).double_value(&[]) > 0.0);
                let behind = moved.map(|(n, _)| n.to_owned()).collect::<Vec<_>>();
                assert!(
                    !behind.is_empty() && behind.iter().all(|n| trunk.trained().contains(n)),
                    "{arch:?} {behind:?}"
                );
            }
        }
    }

    #[test]
    fn features_come_back_from_logits() {
        // fewer and more features than classes
        for (classes, width) in [(40, 0.02), (3, 0.25)] {
            let spec = ModelSpec { arch: Arch::MobileNet, width, classes };
            let model = Model::new(spec, Device::Cpu, Streams::new(3)).unwrap();
            let out = tch::no_grad(|| model.forward(&probe(), false));
            let find = |name: &str| tensor(&model, name).unwrap();
            let (w, b) = (find("linear.weight"), find("linear.bias"));
            let inverse = tch::no_grad(|| inverse_of(&model, &probe(), w, b, &out.logits)).unwrap();
            let h = (&out.logits - b).to_kind(Kind::Double).matmul(&inverse);
            assert_eq!(h.size(), [5, w.size()[1]]);
            if classes > 3 {
                assert!(same(&h.to_kind(Kind::Float), &out.features), "all features are seen by so many classes");
            }
        }
    }
}
