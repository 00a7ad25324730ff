//! Small dense networks on a model's features: the projection and prediction heads of self-supervised training.

use crate::{Model, TorchError};
use hybridrepair_core::Streams;
use rand::Rng;
use tch::{Device, Kind, Tensor};

/// Dense layers with batch norm and `ReLU` between them, in the layout of `MoCo` v3: `NAME.0` dense without bias, `NAME.1`
/// batch norm, `NAME.2` `ReLU`, `NAME.3` dense ..., and perhaps a batch norm without weights at the end.
///
/// Its tensors belong to the model that it was attached to, and are trained and saved with it.
#[derive(Debug)]
pub struct Mlp {
    layers: Vec<Layer>,
    dims: (usize, usize),
}

#[derive(Debug)]
enum Layer {
    Dense { weight: Tensor, bias: Option<Tensor> },
    Norm { affine: Option<(Tensor, Tensor)>, mean: Tensor, var: Tensor },
    Relu,
}

impl Mlp {
    /// A head of these sizes (input first), with `PyTorch`'s default initialisation drawn from the stream `NAME.init`; with
    /// `last_norm`, batch norm without weights comes after the last layer.
    ///
    /// # Errors
    /// When there are fewer than two sizes, or one is 0.
    pub fn attach(
        model: &mut Model,
        name: &str,
        sizes: &[usize],
        last_norm: bool,
        streams: Streams,
    ) -> Result<Self, TorchError> {
        if sizes.len() < 2 || sizes.contains(&0) {
            return Err(TorchError::Spec(format!("{name} of sizes {sizes:?} has no layer")));
        }
        let mut rng = streams.named(&format!("{name}.init"));
        let mut tensors = Vec::new();
        let last = sizes.len() - 2;
        for (i, pair) in sizes.windows(2).enumerate() {
            let (input, output) = (pair[0] as i64, pair[1] as i64);
            let bound = 1.0 / (input as f64).sqrt();
            let values = (0..input * output).map(|_| rng.gen_range(-bound..bound) as f32).collect::<Vec<_>>();
            tensors.push((format!("{}.weight", 3 * i), Tensor::from_slice(&values).view([output, input])));
            let norm = |part: &str| format!("{}.{part}", 3 * i + 1);
            let cpu = (Kind::Float, Device::Cpu);
            if i < last {
                tensors.push((norm("weight"), Tensor::ones([output], cpu)));
                tensors.push((norm("bias"), Tensor::zeros([output], cpu)));
            }
            if i < last || last_norm {
                tensors.push((norm("running_mean"), Tensor::zeros([output], cpu)));
                tensors.push((norm("running_var"), Tensor::ones([output], cpu)));
            }
        }
        Self::of_tensors(model, name, &tensors)
    }

    /// The head that these tensors make (`0.weight`, `1.running_mean` ..., as a state dict of `nn.Sequential` has them):
    /// dense layers and batch norms by number, with a `ReLU` where a number is left out.
    ///
    /// # Errors
    /// When they do not make a network.
    pub fn of_tensors(model: &mut Model, name: &str, tensors: &[(String, Tensor)]) -> Result<Self, TorchError> {
        let wrong = |why: String| TorchError::Mismatch(format!("head {name:?}: {why}"));
        let find = |i: usize, part: &str| {
            let wanted = format!("{i}.{part}");
            tensors.iter().find(|(n, _)| *n == wanted).map(|(_, t)| t)
        };
        let number = |n: &str| n.split('.').next().and_then(|i| i.parse::<usize>().ok());
        let count = tensors.iter().filter_map(|(n, _)| number(n)).max().map_or(0, |i| i + 1);
        let (mut layers, mut dims): (Vec<Layer>, Option<(i64, i64)>) = (Vec::new(), None);
        for i in 0..count {
            let mut attach =
                |part: &str, t: &Tensor, trained: bool| model.attach(&format!("{name}.{i}.{part}"), t, trained);
            if let Some(w) = find(i, "weight").filter(|w| w.dim() == 2) {
                let [output, input] = w.size()[..] else { continue };
                if let Some((_, before)) = dims.filter(|(_, before)| *before != input) {
                    return Err(wrong(format!("layer {i} takes {input} numbers, the one before it gives {before}")));
                }
                dims = Some((dims.map_or(input, |d| d.0), output));
                let bias = find(i, "bias").map(|b| attach("bias", b, true));
                layers.push(Layer::Dense { weight: attach("weight", w, true), bias });
            } else if let (Some(mean), Some(var)) = (find(i, "running_mean"), find(i, "running_var")) {
                if dims.is_none_or(|(_, n)| mean.size() != [n] || var.size() != [n]) {
                    return Err(wrong(format!("batch norm {i} does not fit the layer before it")));
                }
                let affine = find(i, "weight").zip(find(i, "bias"));
                let affine = affine.map(|(w, b)| (attach("weight", w, true), attach("bias", b, true)));
                let (mean, var) = (attach("running_mean", mean, false), attach("running_var", var, false));
                layers.push(Layer::Norm { affine, mean, var });
            } else if tensors.iter().any(|(n, _)| number(n) == Some(i)) {
                return Err(wrong(format!("layer {i} is neither dense nor batch norm")));
            } else {
                layers.push(Layer::Relu);
            }
        }
        let (input, output) = dims.ok_or_else(|| wrong("it has no dense layer".to_owned()))?;
        Ok(Self { layers, dims: (input as usize, output as usize) })
    }

    /// Length of what goes in.
    pub fn input(&self) -> usize {
        self.dims.0
    }

    /// Length of what comes out.
    pub fn output(&self) -> usize {
        self.dims.1
    }

    /// `n x input` to `n x output`. With `train`, batch norm uses and moves batch statistics.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.layers.iter().fold(x.shallow_clone(), |x, layer| match layer {
            Layer::Dense { weight, bias } => x.linear(weight, bias.as_ref()),
            Layer::Norm { affine, mean, var } => {
                let (w, b) = affine.as_ref().map_or((None, None), |(w, b)| (Some(w), Some(b)));
                x.batch_norm(w, b, Some(mean), Some(var), train, 0.1, 1e-5, true)
            }
            Layer::Relu => x.relu(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, ModelSpec};

    fn model() -> Model {
        let spec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 1 };
        Model::new(spec, Device::Cpu, Streams::new(0)).unwrap()
    }

    #[test]
    fn a_head_has_the_published_layout_and_is_saved_with_its_model() {
        let mut a = model();
        let before = a.params().all().count();
        let head = Mlp::attach(&mut a, "projector", &[102, 16, 8], true, Streams::new(1)).unwrap();
        let names = a.params().all().skip(before).map(|(n, _)| n.to_owned()).collect::<Vec<_>>();
        let short = names.iter().map(|n| n.trim_start_matches("projector.")).collect::<Vec<_>>();
        assert_eq!(
            short,
            [
                "0.weight",
                "1.weight",
                "1.bias",
                "1.running_mean",
                "1.running_var",
                "3.weight",
                "4.running_mean",
                "4.running_var"
            ]
        );
        assert_eq!((head.input(), head.output()), (102, 8));
        // read back from its own tensors it says the same
        let mut b = model();
        let tensors = a.params().snapshot().into_iter().skip(before);
        let tensors = tensors.map(|(n, t)| (n.trim_start_matches("projector.").to_owned(), t)).collect::<Vec<_>>();
        let twin = Mlp::of_tensors(&mut b, "projector", &tensors).unwrap();
        let x = Tensor::linspace(-1.0, 1.0, 5 * 102, (Kind::Float, Device::Cpu)).view([5, 102]);
        assert_eq!(head.forward(&x, false), twin.forward(&x, false));
        // a duplicate of the model is the model alone
        assert_eq!(a.duplicate().unwrap().params().all().count(), before);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let mut m = model();
        let t = |shape: &[i64]| Tensor::zeros(shape, (Kind::Float, Device::Cpu));
        for bad in [
            vec![],
            vec![("0.weight".to_owned(), t(&[4, 3])), ("1.weight".to_owned(), t(&[4, 5]))],
            vec![("0.weight".to_owned(), t(&[4, 3, 1, 1]))],
            vec![
                ("0.weight".to_owned(), t(&[4, 3])),
                ("1.running_mean".to_owned(), t(&[3])),
                ("1.running_var".to_owned(), t(&[3])),
            ],
        ] {
            assert!(matches!(Mlp::of_tensors(&mut m, "p", &bad), Err(TorchError::Mismatch(_))));
        }
        assert!(Mlp::attach(&mut m, "p", &[3], false, Streams::new(0)).is_err());
        assert!(Mlp::attach(&mut m, "p", &[3, 0], false, Streams::new(0)).is_err());
    }
}
