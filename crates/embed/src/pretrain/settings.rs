use super::{MocoV3, PairData, SimClr, momentum::PROJECTOR};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_torch::{Device, Mlp, Model, ModelSpec, Tensor, TorchError};
use hybridrepair_train::{Objective, TrainError};
use serde::{Deserialize, Serialize};

/// How an extractor learns without labels, as in a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase", deny_unknown_fields)]
pub enum SelfSupervision {
    /// The cheap one: one network, in-batch negatives.
    Simclr {
        /// Similarities are divided by it.
        temperature: f64,
        /// Whether positives are left out of what a view is told apart from (Yeh et al. 2022).
        decoupled: bool,
        /// Whether the labels of the training pictures make those of one class alike (Khosla et al. 2020).
        source_labels: bool,
        /// Hidden and output length of the projection head, which is thrown away afterwards.
        projector: [usize; 2],
    },
    /// `MoCo` v3, the published one.
    Mocov3 {
        /// Similarities are divided by it.
        temperature: f64,
        /// What the momentum encoder keeps at the first step.
        momentum: f64,
        /// Hidden length of projector and predictor.
        hidden: usize,
        /// Length of the embeddings.
        dim: usize,
    },
}

impl SelfSupervision {
    /// `SimCLR` for small pictures and small batches.
    pub const SIMCLR: Self =
        Self::Simclr { temperature: 0.1, decoupled: true, source_labels: false, projector: [256, 128] };
    /// `MoCo` v3 with the published heads.
    pub const MOCOV3: Self = Self::Mocov3 { temperature: 1.0, momentum: 0.99, hidden: 4096, dim: 64 };

    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Simclr { .. } => "simclr",
            Self::Mocov3 { .. } => "mocov3",
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), TrainError> {
        let (temperature, lengths) = match self {
            Self::Simclr { temperature, projector, .. } => (*temperature, *projector),
            Self::Mocov3 { temperature, momentum, hidden, dim } => {
                if !(0.0..=1.0).contains(momentum) {
                    let given = momentum.to_string();
                    return Err(TrainError::Setting { what: "momentum", given, why: "is not in [0, 1]" });
                }
                (*temperature, [*hidden, *dim])
            }
        };
        if lengths.contains(&0) {
            let given = format!("{lengths:?}");
            return Err(TrainError::Setting { what: "lengths of the heads", given, why: "hold a 0" });
        }
        if temperature > 0.0 && temperature.is_finite() {
            return Ok(());
        }
        let why = "is not a positive number";
        Err(TrainError::Setting { what: "temperature", given: temperature.to_string(), why })
    }

    /// Whether it looks at labels of the source.
    pub fn uses_labels(&self) -> bool {
        matches!(self, Self::Simclr { source_labels: true, .. })
    }
}

/// A model with the heads that its training needs, and what it learns.
pub struct Learning {
    /// The encoder; heads are attached to it.
    pub model: Model,
    /// The loss.
    pub objective: Box<dyn Objective>,
}

/// Where an extractor begins.
pub struct Beginning<'a> {
    /// The encoder's architecture.
    pub spec: ModelSpec,
    /// Weights to begin with: those of equal name and shape are taken over.
    pub init: &'a [(String, Tensor)],
    /// Where it lies.
    pub device: Device,
    /// The run's randomness.
    pub streams: Streams,
}

/// Builds the encoder, its heads and the objective over `epochs`. `known` has a class or none for each picture of `data`.
///
/// # Errors
/// When a setting cannot be used.
pub fn learner(
    method: &SelfSupervision,
    begin: &Beginning<'_>,
    data: PairData,
    known: Vec<Option<ClassId>>,
    epochs: usize,
) -> Result<Learning, TrainError> {
    method.check()?;
    let mut model = Model::new(begin.spec, begin.device, begin.streams)?;
    take_over(&model, begin.init)?;
    let features = model.feature_dim();
    let streams = begin.streams;
    let objective: Box<dyn Objective> = match *method {
        SelfSupervision::Simclr { temperature, decoupled, source_labels, projector: [hidden, dim] } => {
            let projector = Mlp::attach(&mut model, PROJECTOR, &[features, hidden, dim], false, streams)?;
            let objective = SimClr::new(data, projector, temperature, decoupled);
            Box::new(if source_labels { objective.with_known(known) } else { objective })
        }
        SelfSupervision::Mocov3 { temperature, momentum, hidden, dim } => {
            let projector = Mlp::attach(&mut model, PROJECTOR, &[features, hidden, dim], true, streams)?;
            let predictor = Mlp::attach(&mut model, "predictor", &[dim, hidden, dim], false, streams)?;
            Box::new(MocoV3::new(data, (projector, predictor), temperature, momentum, epochs))
        }
    };
    Ok(Learning { model, objective })
}

/// Overwrites the tensors whose names and shapes are among `values`; a classifier's last layer is another one here.
fn take_over(model: &Model, values: &[(String, Tensor)]) -> Result<(), TorchError> {
    if values.is_empty() {
        return Ok(());
    }
    let (mut taken, mut now) = (0, model.params().snapshot());
    for (name, tensor) in &mut now {
        if let Some((_, value)) = values.iter().find(|(n, v)| n == name && v.size() == tensor.size()) {
            *tensor = value.shallow_clone();
            taken += 1;
        }
    }
    // all but the weight and bias of the last layer
    if taken + 2 < now.len() {
        let all = now.len();
        return Err(TorchError::Mismatch(format!(
            "only {taken} of the extractor's {all} tensors are in the model to begin with: take its architecture and width"
        )));
    }
    model.params().restore(&now)
}
