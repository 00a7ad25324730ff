mod densenet;
mod layers;
mod mobilenet;
mod resnet;
mod shufflenet;
pub(crate) mod tap;
mod vgg;

use crate::{Params, TorchError, model::Output, script::Script};
use densenet::DenseNet121;
use hybridrepair_core::Stream;
use mobilenet::MobileNet;
use resnet::ResNet;
use serde::{Deserialize, Serialize};
use shufflenet::ShuffleNetG2;
use std::str::FromStr;
use tch::{Device, Tensor};
use vgg::Vgg16;

/// The architectures that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// `MobileNet` v1 for small pictures (Howard et al. 2017).
    MobileNet,
    /// `ResNet`-50 with the `ImageNet` stem (He et al. 2016).
    ResNet50,
    /// `ResNet`-18 with the `ImageNet` stem (He et al. 2016).
    ResNet18,
    /// `ShuffleNet` v1 with two groups, for small pictures (Zhang et al. 2018).
    ShuffleNetG2,
    /// `VGG16` with one dense layer, for small pictures (Simonyan and Zisserman 2015).
    Vgg16,
    /// `DenseNet`-121 with the `ImageNet` stem (Huang et al. 2017).
    DenseNet121,
    /// A TorchScript module: its layers are its own.
    TorchScript,
    /// Layers that another crate has built, from a specification.
    Layers,
}

impl Arch {
    /// All that are built in.
    pub const ALL: [Self; 6] =
        [Self::MobileNet, Self::ResNet50, Self::ResNet18, Self::ShuffleNetG2, Self::Vgg16, Self::DenseNet121];

    /// Its name on the command line and in checkpoints.
    pub fn name(self) -> &'static str {
        match self {
            Self::MobileNet => "mobilenet",
            Self::ResNet50 => "resnet50",
            Self::ResNet18 => "resnet18",
            Self::ShuffleNetG2 => "shufflenetg2",
            Self::Vgg16 => "vgg16",
            Self::DenseNet121 => "densenet121",
            Self::TorchScript => "torchscript",
            Self::Layers => "layers",
        }
    }
}

impl FromStr for Arch {
    type Err = TorchError;

    fn from_str(text: &str) -> Result<Self, TorchError> {
        Self::ALL.into_iter().find(|a| a.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            TorchError::Spec(format!("unknown architecture {text:?}; known are {known}"))
        })
    }
}

/// What must be known to build a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// The architecture.
    pub arch: Arch,
    /// Factor on the number of channels in every layer, in (0, 4]; 1 is the published network.
    pub width: f64,
    /// Number of classes.
    pub classes: usize,
}

impl ModelSpec {
    /// Checks width and number of classes.
    ///
    /// # Errors
    /// Names what is outside its range.
    pub fn check(&self) -> Result<(), TorchError> {
        if !(self.width > 0.0 && self.width <= 4.0) {
            return Err(TorchError::Spec(format!("width {} is outside (0, 4]", self.width)));
        }
        if self.classes == 0 {
            return Err(TorchError::Spec("0 classes".to_owned()));
        }
        Ok(())
    }
}

/// The layers of a model; the tensors lie in [`Params`].
#[derive(Debug)]
pub(crate) enum Network {
    MobileNet(MobileNet),
    ResNet(ResNet),
    ShuffleNetG2(ShuffleNetG2),
    Vgg16(Vgg16),
    DenseNet121(DenseNet121),
    Script(Script),
    Layers(Box<dyn Layers>),
}

/// A network that is not built in.
pub trait Layers: std::fmt::Debug + Send {
    /// Logits and penultimate features of a batch. With `train`, batch norm uses and moves batch statistics. Layers with
    /// weights tell [`super::note_tap`] what passes them.
    fn forward(&self, x: &Tensor, train: bool) -> Output;

    /// Length of the penultimate feature vector.
    fn features(&self) -> usize;
}

impl Network {
    pub(crate) fn build(
        spec: &ModelSpec,
        params: &mut Params,
        device: Device,
        rng: &mut Stream,
    ) -> Result<Self, TorchError> {
        spec.check()?;
        let mut build = layers::Builder { params, device, rng };
        Ok(match spec.arch {
            Arch::MobileNet => Self::MobileNet(MobileNet::new(&mut build, spec.width, spec.classes)),
            Arch::ResNet50 => Self::ResNet(ResNet::resnet50(&mut build, spec.width, spec.classes)),
            Arch::ResNet18 => Self::ResNet(ResNet::resnet18(&mut build, spec.width, spec.classes)),
            Arch::ShuffleNetG2 => Self::ShuffleNetG2(ShuffleNetG2::new(&mut build, spec.width, spec.classes)),
            Arch::Vgg16 => Self::Vgg16(Vgg16::new(&mut build, spec.width, spec.classes)),
            Arch::DenseNet121 => Self::DenseNet121(DenseNet121::new(&mut build, spec.width, spec.classes)),
            Arch::TorchScript => {
                return Err(TorchError::Spec("a TorchScript model is read from its file, not built".to_owned()));
            }
            Arch::Layers => {
                return Err(TorchError::Spec("these layers are built from their specification".to_owned()));
            }
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, train: bool) -> Output {
        match self {
            Self::Script(net) => net.forward(x, train),
            Self::Layers(net) => net.forward(x, train),
            _ => self.tail(&self.run(x, 0..self.steps(), train), self.steps(), train),
        }
    }

    /// Number of steps before the head: a stem, blocks. A TorchScript module and the layers of others cannot be cut and have
    /// none.
    pub(crate) fn steps(&self) -> usize {
        match self {
            Self::MobileNet(net) => net.steps(),
            Self::ResNet(net) => net.steps(),
            Self::ShuffleNetG2(net) => net.steps(),
            Self::Vgg16(net) => net.steps(),
            Self::DenseNet121(net) => net.steps(),
            Self::Script(_) | Self::Layers(_) => 0,
        }
    }

    /// The step that a tensor belongs to; [`Network::steps`] for the head.
    pub(crate) fn step_of(&self, tensor: &str) -> usize {
        match self {
            Self::MobileNet(net) => net.step_of(tensor),
            Self::ResNet(net) => net.step_of(tensor),
            Self::ShuffleNetG2(net) => net.step_of(tensor),
            Self::Vgg16(net) => net.step_of(tensor),
            Self::DenseNet121(net) => net.step_of(tensor),
            Self::Script(_) | Self::Layers(_) => 0,
        }
    }

    /// Runs some steps on what the one before them gave.
    pub(crate) fn run(&self, x: &Tensor, steps: std::ops::Range<usize>, train: bool) -> Tensor {
        steps.fold(x.shallow_clone(), |x, i| match self {
            Self::MobileNet(net) => net.step(i, &x, train),
            Self::ResNet(net) => net.step(i, &x, train),
            Self::ShuffleNetG2(net) => net.step(i, &x, train),
            Self::Vgg16(net) => net.step(i, &x),
            Self::DenseNet121(net) => net.step(i, &x, train),
            Self::Script(_) | Self::Layers(_) => x,
        })
    }

    /// The rest of the network from this step on.
    pub(crate) fn tail(&self, x: &Tensor, from: usize, train: bool) -> Output {
        let x = self.run(x, from..self.steps(), train);
        match self {
            Self::MobileNet(net) => net.head(&x),
            Self::ResNet(net) => net.head(&x),
            Self::ShuffleNetG2(net) => net.head(&x),
            Self::Vgg16(net) => net.head(x),
            Self::DenseNet121(net) => net.head(&x, train),
            Self::Script(net) => net.forward(&x, train),
            Self::Layers(net) => net.forward(&x, train),
        }
    }

    /// Length of the penultimate feature vector.
    pub(crate) fn features(&self) -> usize {
        match self {
            Self::MobileNet(net) => net.features(),
            Self::ResNet(net) => net.features(),
            Self::ShuffleNetG2(net) => net.features(),
            Self::Vgg16(net) => net.features(),
            Self::DenseNet121(net) => net.features(),
            Self::Script(net) => net.features,
            Self::Layers(net) => net.features(),
        }
    }
}
