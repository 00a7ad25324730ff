use crate::{ModelSpec, Params, TorchError, arch::Network};
use hybridrepair_core::Streams;
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

    /// A model of the same architecture, on the same device, with the same values.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn duplicate(&self) -> Result<Self, TorchError> {
        let twin = Self::new(self.spec, self.device, Streams::new(0))?;
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

    #[test]
    fn parameter_counts_are_the_published_ones() {
        for (classes, count) in [(10, 3_217_226), (43, 3_251_051)] {
            let model = Model::new(spec(1.0, classes), Device::Cpu, Streams::new(0)).unwrap();
            assert_eq!(model.params().count(), count);
        }
    }

    #[test]
    fn names_and_shapes_are_pytorchs() {
        let model = Model::new(spec(0.25, 10), Device::Cpu, Streams::new(0)).unwrap();
        let names = model.params().all().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(names[..3], ["conv1.weight", "bn1.weight", "bn1.bias"]);
        assert!(names.contains(&"layers.12.bn2.running_var"));
        assert_eq!(names.last(), Some(&"linear.bias"));
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
