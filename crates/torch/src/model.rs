use crate::{
    Arch, Layers, ModelSpec, Params, TorchError,
    arch::{
        Network,
        tap::{Tap, record},
    },
    script::{Archive, Script},
};
use hybridrepair_core::Streams;
use std::{path::Path, sync::Arc};
use tch::{Device, Tensor};

/// What a classifier says to a batch.
#[derive(Debug)]
pub struct Output {
    /// Class scores, `n x C`.
    pub logits: Tensor,
    /// Penultimate features, `n x D`.
    pub features: Tensor,
}

/// A classifier: layers and their named tensors on one device.
#[derive(Debug)]
pub struct Model {
    spec: ModelSpec,
    params: Params,
    network: Network,
    device: Device,
}

impl Model {
    /// A new model with `PyTorch`'s default initialisation, drawn from the stream `init`.
    ///
    /// # Errors
    /// When a setting is outside its range.
    pub fn new(spec: ModelSpec, device: Device, streams: Streams) -> Result<Self, TorchError> {
        let mut params = Params::new();
        let network = Network::build(&spec, &mut params, device, &mut streams.named("init"))?;
        Ok(Self { spec, params, network, device })
    }

    /// A model of layers that another crate has built over these tensors.
    pub fn of_layers(layers: Box<dyn Layers>, params: Params, classes: usize, device: Device) -> Self {
        let spec = ModelSpec { arch: Arch::Layers, width: 1.0, classes };
        Self { spec, params, network: Network::Layers(layers), device }
    }

    /// The model of a TorchScript file, for pictures of this height and width.
    ///
    /// Its `forward` takes `n x 3 x h x w` and gives logits or `(logits, features)`; with a method `features` beside it
    /// the features come from there, without either the logits stand for them.
    ///
    /// # Errors
    /// When the file is missing, is no TorchScript module, or gives something else.
    pub fn from_script(path: &Path, input: [usize; 2], device: Device) -> Result<Self, TorchError> {
        Self::of_archive(&Archive::read(path, input)?, device)
    }

    fn of_archive(archive: &Arc<Archive>, device: Device) -> Result<Self, TorchError> {
        let (script, params) = Script::load(archive, device)?;
        let spec = ModelSpec { arch: Arch::TorchScript, width: 1.0, classes: script.classes };
        Ok(Self { spec, params, network: Network::Script(script), device })
    }

    /// Writes a TorchScript model with its present weights, for `torch.jit.load`; other models are not written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_script(&self, path: &Path) -> Result<(), TorchError> {
        match &self.network {
            Network::Script(script) => script.save(path),
            _ => Ok(()),
        }
    }

    /// Checks that training moves all that it should, which is not so for a traced or frozen TorchScript module.
    ///
    /// # Errors
    /// Says why not.
    pub fn check_trainable(&self) -> Result<(), TorchError> {
        match &self.network {
            Network::Script(script) => script.check_trainable(self.device),
            _ => Ok(()),
        }
    }

    /// A model of the same architecture, on the same device, with the same values.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn duplicate(&self) -> Result<Self, TorchError> {
        let twin = match &self.network {
            Network::Script(script) => Self::of_archive(script.archive(), self.device)?,
            _ => Self::new(self.spec, self.device, Streams::new(0))?,
        };
        twin.params.restore(&self.params.snapshot())?;
        Ok(twin)
    }

    /// Architecture, width and classes.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The named tensors.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Where the tensors lie.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Length of the penultimate feature vector.
    pub fn feature_dim(&self) -> usize {
        self.network.features()
    }

    /// Adds a number to each class's logit for good, through the bias of the last layer; `false` when the last trained tensor
    /// is no bias with one number per class, and then nothing is changed.
    pub fn add_to_logits(&self, numbers: &[f32]) -> bool {
        let last = self.params.trained().last();
        let Some((_, bias)) = last.filter(|(_, t)| t.size() == [numbers.len() as i64]) else { return false };
        let change = Tensor::from_slice(numbers).to_device(self.device);
        let _ = tch::no_grad(|| bias.shallow_clone().g_add_(&change));
        true
    }

    /// Number of steps that the network can be cut into before its head.
    pub fn steps(&self) -> usize {
        self.network.steps()
    }

    /// The step that a tensor belongs to; [`Model::steps`] for the head.
    pub fn step_of(&self, tensor: &str) -> usize {
        self.network.step_of(tensor)
    }

    /// What comes out of the first `upto` steps in eval mode, to be kept while only later layers change.
    pub fn prefix(&self, x: &Tensor, upto: usize) -> Tensor {
        self.network.run(x, 0..upto, false)
    }

    /// The rest of the network in eval mode, on what [`Model::prefix`] gave.
    pub fn tail(&self, x: &Tensor, from: usize) -> Output {
        self.network.tail(x, from, false)
    }

    /// As [`Model::forward`] in eval mode, with what went in and out of each convolution and dense layer. A TorchScript
    /// module shows none.
    pub fn forward_tapped(&self, x: &Tensor) -> (Output, Vec<Tap>) {
        record(|| self.network.forward(x, false))
    }

    /// Logits and features of a batch `n x 3 x h x w`. With `train`, batch norm uses and moves batch statistics.
    pub fn forward(&self, x: &Tensor, train: bool) -> Output {
        self.network.forward(x, train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arch;
    use tch::Kind;

    fn spec(width: f64, classes: usize) -> ModelSpec {
        ModelSpec { arch: Arch::MobileNet, width, classes }
    }

    fn of(arch: Arch, width: f64, classes: usize) -> Model {
        Model::new(ModelSpec { arch, width, classes }, Device::Cpu, Streams::new(0)).unwrap()
    }

    #[test]
    fn parameter_counts_are_the_published_ones() {
        for (arch, classes, count) in [
            (Arch::MobileNet, 10, 3_217_226),
            (Arch::MobileNet, 43, 3_251_051),
            (Arch::ResNet18, 10, 11_181_642),
            (Arch::ResNet18, 43, 11_198_571),
            (Arch::ShuffleNetG2, 10, 887_582),
            (Arch::ShuffleNetG2, 43, 914_015),
            // the convolutions of VGG16 (14,714,688), 512 x 4,096 and the classifier
            (Arch::Vgg16, 10, 16_856_906),
            (Arch::DenseNet121, 10, 6_964_106),
            (Arch::DenseNet121, 1000, 7_978_856),
        ] {
            assert_eq!(of(arch, 1.0, classes).params().count(), count, "{arch:?} with {classes} classes");
        }
    }

    #[test]
    fn every_architecture_runs_at_every_width_and_has_the_length_of_features_that_it_says() {
        for arch in Arch::ALL {
            for width in [0.05, 0.25, 0.5, 1.0] {
                let model = of(arch, width, 7);
                let out = model.forward(&Tensor::zeros([2, 3, 32, 32], (Kind::Float, Device::Cpu)), true);
                let d = model.feature_dim() as i64;
                assert_eq!((out.logits.size(), out.features.size()), (vec![2, 7], vec![2, d]), "{arch:?} {width}");
            }
        }
        assert_eq!(Arch::ALL.map(|a| of(a, 1.0, 10).feature_dim()), [1024, 512, 800, 4096, 1024]);
    }

    #[test]
    fn cut_anywhere_a_network_says_the_same() {
        for arch in Arch::ALL {
            let model = of(arch, 0.25, 3);
            let x = Tensor::linspace(-1.0, 1.0, 2 * 3 * 32 * 32, (Kind::Float, Device::Cpu)).view([2, 3, 32, 32]);
            let (whole, taps) = model.forward_tapped(&x);
            for cut in 0..=model.steps() {
                assert_eq!(model.tail(&model.prefix(&x, cut), cut).logits, whole.logits, "{arch:?} at {cut}");
            }
            // every weight of more than one dimension is tapped once, and a later layer never belongs to an earlier step
            let weights = model.params().all().filter(|(_, t)| t.dim() > 1).map(|(n, _)| n).collect::<Vec<_>>();
            let mut tapped = taps.iter().map(|t| t.weight.as_str()).collect::<Vec<_>>();
            assert!(tapped.windows(2).all(|w| model.step_of(w[0]) <= model.step_of(w[1])), "{arch:?}");
            assert_eq!(model.step_of(tapped[0]), 0, "{arch:?}");
            tapped.sort_unstable();
            let mut sorted = weights;
            sorted.sort_unstable();
            assert_eq!(tapped, sorted, "{arch:?}");
        }
    }

    #[test]
    fn names_and_shapes_are_pytorchs() {
        let model = Model::new(spec(0.25, 10), Device::Cpu, Streams::new(0)).unwrap();
        let names = model.params().all().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(names[..3], ["conv1.weight", "bn1.weight", "bn1.bias"]);
        assert!(names.contains(&"layers.12.bn2.running_var"));
        assert_eq!(names.last(), Some(&"linear.bias"));
        for (arch, known) in [
            (Arch::ResNet18, ["layer2.0.downsample.1.running_var", "layer4.1.bn2.bias", "fc.weight"]),
            (Arch::ShuffleNetG2, ["layer1.0.conv1.weight", "layer2.7.bn3.weight", "linear.weight"]),
        ] {
            let model = of(arch, 0.25, 10);
            assert!(known.iter().all(|k| model.params().all().any(|(n, _)| n == *k)), "{arch:?}");
        }
        assert_eq!(model.feature_dim(), 256);
        let out = model.forward(&Tensor::zeros([2, 3, 32, 32], (Kind::Float, Device::Cpu)), false);
        assert_eq!((out.logits.size(), out.features.size()), (vec![2, 10], vec![2, 256]));
    }

    #[test]
    fn a_width_or_class_count_out_of_range_is_refused() {
        for bad in [spec(0.0, 10), spec(f64::NAN, 10), spec(9.0, 10), spec(1.0, 0)] {
            assert!(Model::new(bad, Device::Cpu, Streams::new(0)).is_err());
        }
    }

    #[test]
    fn a_duplicate_says_the_same_and_lives_its_own_life() {
        let a = Model::new(spec(0.1, 3), Device::Cpu, Streams::new(1)).unwrap();
        let b = a.duplicate().unwrap();
        let x = Tensor::ones([1, 3, 32, 32], (Kind::Float, Device::Cpu));
        assert_eq!(a.forward(&x, false).logits, b.forward(&x, false).logits);
        let _ = a.forward(&x, true);
        assert_ne!(a.forward(&x, false).logits, b.forward(&x, false).logits);
    }
}
