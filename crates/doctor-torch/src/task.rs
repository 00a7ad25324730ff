use crate::{Arrays, TrainerError, build};
use hybridrepair_core::Streams;
use hybridrepair_doctor::{Facts, Loss, Plan, Scaling, Score};
use hybridrepair_torch::{Device, Kind, Model, Tensor};
use hybridrepair_train::{At, Objective, StepLoss, TrainError, one_hot, shuffled_batches};

/// Rows of one forward pass when a part of the data is judged.
const ROWS: i64 = 1024;

/// What is trained: the data, and how a plan becomes a model.
pub trait Task {
    /// What the rules must know beside the readings.
    fn facts(&self, plan: &Plan, epochs: usize, interval: usize) -> Facts;

    /// A model with the plan's initial weights.
    ///
    /// # Errors
    /// When the plan does not fit the data.
    fn model(&self, plan: &Plan) -> Result<Model, TrainerError>;

    /// What a step learns. It reports the training accuracy of an epoch as `train_acc`.
    ///
    /// # Errors
    /// When the plan does not fit the data.
    fn objective(&self, plan: &Plan) -> Result<Box<dyn Objective>, TrainerError>;

    /// Loss and accuracy on the validation part.
    ///
    /// # Errors
    /// When libtorch fails.
    fn evaluate(&self, plan: &Plan, model: &Model) -> Result<Score, TrainerError>;

    /// Input and classes of the first `rows` training samples, for a probe.
    fn first_rows(&self, plan: &Plan, rows: usize) -> (Tensor, Tensor);

    /// The randomness of the training.
    fn streams(&self) -> Streams;
}

/// Mean loss of logits against classes.
pub fn loss_of(loss: Loss, logits: &Tensor, classes: &Tensor) -> Tensor {
    match loss {
        // one unit's probability is the softmax over 0 and its logit
        Loss::CrossEntropy | Loss::BinaryCrossEntropy => logits.cross_entropy_for_logits(classes),
        Loss::MeanSquared | Loss::MeanAbsolute => {
            let difference = logits.softmax(-1, Kind::Float) - one_hot(classes, logits.size()[1]);
            let size = if loss == Loss::MeanSquared { difference.square() } else { difference.abs() };
            size.mean(Kind::Float)
        }
    }
}

/// Arrays in memory.
#[derive(Debug)]
pub struct ArrayTask {
    data: Arrays,
    streams: Streams,
    device: Device,
    /// The scaled parts by scaling, made when first asked for.
    parts: std::sync::Mutex<Vec<(Scaling, Part, Part)>>,
}

/// Input and classes.
#[derive(Debug)]
struct Part {
    x: Tensor,
    y: Tensor,
}

impl Part {
    fn share(&self) -> Self {
        Self { x: self.x.shallow_clone(), y: self.y.shallow_clone() }
    }
}

impl ArrayTask {
    /// A task on these arrays.
    pub fn new(data: Arrays, streams: Streams, device: Device) -> Self {
        Self { data, streams, device, parts: std::sync::Mutex::default() }
    }

    /// The arrays.
    pub fn data(&self) -> &Arrays {
        &self.data
    }

    fn parts(&self, scaling: Scaling) -> (Part, Part) {
        let mut made = self.parts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, train, val)) = made.iter().find(|(s, ..)| *s == scaling) {
            return (train.share(), val.share());
        }
        let shape = [&[-1], self.data.shape.iter().map(|&s| s as i64).collect::<Vec<_>>().as_slice()].concat();
        let part = |x: &[f32], y: &[usize]| {
            let classes = y.iter().map(|&c| c as i64).collect::<Vec<_>>();
            Part {
                x: Tensor::from_slice(x).view(shape.as_slice()).to_device(self.device),
                y: Tensor::from_slice(&classes).to_device(self.device),
            }
        };
        let (train, val) = self.data.scaled(scaling);
        let (train, val) = (part(&train, &self.data.train.1), part(&val, &self.data.val.1));
        made.push((scaling, train.share(), val.share()));
        (train, val)
    }
}

impl Task for ArrayTask {
    fn facts(&self, plan: &Plan, epochs: usize, interval: usize) -> Facts {
        Facts {
            epochs,
            interval,
            classes: self.data.classes,
            chance: self.data.chance(),
            train_samples: self.data.train.1.len(),
            val_samples: self.data.val.1.len(),
            output: plan.output(),
        }
    }

    fn model(&self, plan: &Plan) -> Result<Model, TrainerError> {
        let net = plan.net.as_ref().ok_or_else(|| TrainerError::Arrays("arrays need a network: [net]".to_owned()))?;
        let (input, classes) = (net.input_size(), net.classes());
        if input != self.data.width() {
            return Err(TrainerError::Arrays(format!(
                "the network takes {input} numbers, samples have {}",
                self.data.width()
            )));
        }
        if self.data.classes > classes {
            return Err(TrainerError::Arrays(format!(
                "the network tells {classes} classes, there are {}",
                self.data.classes
            )));
        }
        Ok(build(net, plan.draw, self.device, self.streams)?)
    }

    fn objective(&self, plan: &Plan) -> Result<Box<dyn Objective>, TrainerError> {
        let (train, _) = self.parts(plan.scaling);
        Ok(Box::new(Lesson {
            train,
            n: self.data.train.1.len(),
            batch_size: plan.batch_size,
            loss: plan.loss,
            streams: self.streams,
            batches: Vec::new(),
            right: 0,
            seen: 0,
        }))
    }

    fn evaluate(&self, plan: &Plan, model: &Model) -> Result<Score, TrainerError> {
        let (_, val) = self.parts(plan.scaling);
        let n = val.y.size()[0];
        let (mut loss, mut right) = (0.0, 0.0);
        tch::no_grad(|| {
            for start in (0..n).step_by(ROWS as usize) {
                let rows = ROWS.min(n - start);
                let (x, y) = (val.x.narrow(0, start, rows), val.y.narrow(0, start, rows));
                let logits = model.forward(&x, false).logits;
                loss += loss_of(plan.loss, &logits, &y).double_value(&[]) * rows as f64;
                right += logits.argmax(1, false).eq_tensor(&y).sum(Kind::Int64).int64_value(&[]) as f64;
            }
        });
        Ok(Score { loss: loss / n as f64, acc: right / n as f64 })
    }

    fn first_rows(&self, plan: &Plan, rows: usize) -> (Tensor, Tensor) {
        let (train, _) = self.parts(plan.scaling);
        let rows = (rows as i64).min(train.y.size()[0]);
        (train.x.narrow(0, 0, rows), train.y.narrow(0, 0, rows))
    }

    fn streams(&self) -> Streams {
        self.streams
    }
}

/// Classes of rows in random order.
struct Lesson {
    train: Part,
    n: usize,
    batch_size: usize,
    loss: Loss,
    streams: Streams,
    batches: Vec<Vec<usize>>,
    right: i64,
    seen: usize,
}

impl Objective for Lesson {
    fn name(&self) -> &'static str {
        "arrays"
    }

    fn begin_epoch(&mut self, _: &Model, epoch: usize) -> Result<(), TrainError> {
        let mut rng = self.streams.at("train.order", epoch as u64, 0);
        self.batches = shuffled_batches(self.n, self.batch_size, false, &mut rng);
        (self.right, self.seen) = (0, 0);
        Ok(())
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        let Some(batch) = self.batches.get(at.step) else { return Ok(None) };
        let rows = batch.iter().map(|&i| i as i64).collect::<Vec<_>>();
        let rows = Tensor::from_slice(&rows).to_device(self.train.x.device());
        let (x, y) = (self.train.x.index_select(0, &rows), self.train.y.index_select(0, &rows));
        let logits = model.forward(&x, true).logits;
        let loss = loss_of(self.loss, &logits, &y);
        self.right += logits.argmax(1, false).eq_tensor(&y).sum(Kind::Int64).int64_value(&[]);
        self.seen += batch.len();
        Ok(Some(StepLoss { loss, images_trained: batch.len() as u64, images_forward: 0 }))
    }

    fn planned_steps(&self) -> usize {
        self.batches.len()
    }

    fn end_epoch(&mut self, _: &Model, _: usize) -> Result<Vec<(String, f64)>, TrainError> {
        Ok(vec![("train_acc".to_owned(), self.right as f64 / self.seen.max(1) as f64)])
    }
}
