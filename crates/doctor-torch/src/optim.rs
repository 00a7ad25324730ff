//! The optimiser of a plan.

use hybridrepair_doctor::{Clipping, DoctorError, OptimizerPlan, Plan};
use hybridrepair_torch::{Params, Tensor};
use hybridrepair_train::{
    OptimSpec, Optimizer, Schedule, TrainError,
    optim::{Clip, Clipped},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A factor on the learning rate that an observer may lower while training runs.
#[derive(Clone, Debug)]
pub(crate) struct Factor(Arc<AtomicU64>);

impl Default for Factor {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1f64.to_bits())))
    }
}

impl Factor {
    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, factor: f64) {
        self.0.store(factor.to_bits(), Ordering::Relaxed);
    }
}

struct Scaled {
    inner: Box<dyn Optimizer>,
    factor: Factor,
}

impl Optimizer for Scaled {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn step(&mut self, params: &Params, lr: f64) {
        self.inner.step(params, lr * self.factor.get());
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.inner.state()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.inner.load_state(state, params)
    }
}

/// The bound on gradients of a plan.
pub(crate) fn clip(plan: &Plan) -> Option<Clip> {
    plan.clip.map(|c| match c {
        Clipping::Value(bound) => Clip::Value(bound),
        Clipping::Norm(bound) => Clip::Norm(bound),
    })
}

/// The optimiser of a plan, its rate under a factor.
pub(crate) fn optimizer(plan: &Plan, factor: &Factor) -> Result<Box<dyn Optimizer>, DoctorError> {
    let inner = spec(&plan.optimizer)?.build();
    let inner = match clip(plan) {
        Some(clip) => Box::new(Clipped { inner, clip }),
        None => inner,
    };
    Ok(Box::new(Scaled { inner, factor: factor.clone() }))
}

/// The rate of a plan over its epochs.
pub(crate) fn schedule(plan: &OptimizerPlan) -> Schedule {
    let OptimizerPlan { lr, warmup, .. } = *plan;
    match (plan.cosine, warmup > 0.0) {
        (true, _) => Schedule::Cosine { lr, warmup },
        (false, true) => Schedule::WarmUp { lr, warmup },
        (false, false) => Schedule::Constant { lr },
    }
}

/// The optimiser with what the plan says and defaults for the rest. Adam's kin take Keras' epsilon of 1e-7, which the
/// published cases were trained with.
pub(crate) fn spec(plan: &OptimizerPlan) -> Result<OptimSpec, DoctorError> {
    const EPS: f64 = 1e-7;
    let named = OptimSpec::named(&plan.name).map_err(|e| DoctorError::Trainer(e.to_string()))?;
    let decay = plan.weight_decay;
    Ok(match named {
        OptimSpec::Sgd { .. } => {
            OptimSpec::Sgd { momentum: plan.momentum, weight_decay: decay, nesterov: plan.nesterov }
        }
        OptimSpec::Adamw { betas, .. } => OptimSpec::Adamw { betas, eps: EPS, weight_decay: decay },
        OptimSpec::Adam { betas, .. } => OptimSpec::Adam { betas, eps: EPS, weight_decay: decay },
        OptimSpec::Nadam { betas, momentum_decay, .. } => {
            OptimSpec::Nadam { betas, eps: EPS, weight_decay: decay, momentum_decay }
        }
        OptimSpec::Adamax { betas, .. } => OptimSpec::Adamax { betas, eps: EPS, weight_decay: decay },
        OptimSpec::Rmsprop { centered, .. } => {
            OptimSpec::Rmsprop { alpha: 0.9, eps: EPS, weight_decay: decay, momentum: plan.momentum, centered }
        }
        OptimSpec::Adagrad { lr_decay, eps, .. } => OptimSpec::Adagrad { lr_decay, eps, weight_decay: decay },
        OptimSpec::Adadelta { rho, eps, .. } => OptimSpec::Adadelta { rho, eps, weight_decay: decay },
        OptimSpec::Adabound { betas, eps, final_lr, gamma, .. } => {
            OptimSpec::Adabound { betas, eps, weight_decay: decay, final_lr, gamma }
        }
    })
}
