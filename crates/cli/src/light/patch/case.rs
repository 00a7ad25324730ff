use crate::{
    Exit, Failure,
    args::{CaseArgs, Sampling, Watched},
};
use hybridrepair_core::ClassId;
use hybridrepair_data::npy;
use hybridrepair_patch::{Cases, Head, HeadCase, Positives, Precision, Samples, TensorFile};
use ndarray::Array2;
use std::path::Path;

/// Difference of logits below which a right sample is close to the class under repair.
const CLOSE: f32 = 1.0;

/// A model's last layer and labelled samples in front of it.
#[derive(Debug)]
pub struct CaseData {
    /// The model's file.
    pub file: TensorFile,
    /// Its last layer.
    pub head: Head,
    /// How that is stored.
    pub precision: Precision,
    /// Samples to repair on.
    pub samples: Samples,
    /// Samples that nothing is chosen on.
    pub test: Option<Samples>,
    /// A name per class.
    pub class_names: Vec<String>,
    /// What the samples are, for the patch.
    pub what: String,
}

impl CaseData {
    /// Of these features and labels.
    ///
    /// # Errors
    /// When the model is no safetensors file with such a layer, or the arrays do not fit it.
    pub fn new(
        args: &CaseArgs,
        samples: (Array2<f32>, Vec<ClassId>),
        test: Option<(Array2<f32>, Vec<ClassId>)>,
        class_names: Option<Vec<String>>,
        what: String,
    ) -> Result<Self, Failure> {
        let file = TensorFile::read(&args.checkpoint)?;
        let head = Head::read(&file, args.head.as_deref())?;
        let classes = head.classes();
        let samples = Samples::new(samples.0, samples.1, classes)?;
        head.logits(samples.features.view())?;
        let test = test.map(|(x, y)| Samples::new(x, y, classes)).transpose()?;
        let class_names = class_names.unwrap_or_else(|| (0..classes).map(|c| c.to_string()).collect());
        Ok(Self { precision: file.precision(&head.weight_name)?, file, head, samples, test, class_names, what })
    }

    pub(super) fn from_arrays(args: &CaseArgs, test: Option<(&Path, &Path)>) -> Result<Self, Failure> {
        let read = |features: &Path, labels: &Path| {
            let classes = npy::read_i64_1d(labels)?;
            let wrong = |v: i64| Failure::new(Exit::Input, format!("{}: {v} is no class", labels.display()));
            let classes = classes.iter().map(|&v| u32::try_from(v).map(ClassId).map_err(|_| wrong(v)));
            Ok::<_, Failure>((npy::read_f32_2d(features)?, classes.collect::<Result<Vec<_>, _>>()?))
        };
        let (Some(features), Some(labels)) = (&args.features, &args.labels) else {
            return Err(Failure::new(Exit::Usage, "no samples are given").help("pass --features and --labels"));
        };
        let what = format!("{} with {}", features.display(), labels.display());
        let samples = read(features, labels)?;
        let test = test.map(|(x, y)| read(x, y)).transpose()?;
        Self::new(args, samples, test, None, what)
    }

    /// A class by name or number.
    ///
    /// # Errors
    /// When there is none.
    pub fn class(&self, text: &str) -> Result<ClassId, Failure> {
        let named = self.class_names.iter().position(|n| n == text);
        let numbered = text.parse::<usize>().ok().filter(|&c| c < self.class_names.len());
        named.or(numbered).map(ClassId::from).ok_or_else(|| {
            let known = self.class_names.join(", ");
            Failure::new(Exit::Usage, format!("unknown class {text:?}")).help(format!("classes are {known}"))
        })
    }

    /// The class of the arguments, or the one with the lowest accuracy on these samples, the first of equal ones.
    pub(super) fn class_of(&self, args: &CaseArgs, samples: &Samples) -> Result<ClassId, Failure> {
        if let Some(text) = &args.class {
            return self.class(text);
        }
        let said = self.head.predict(samples.features.view())?;
        let mut counts = vec![(0usize, 0usize); self.head.classes()];
        for (p, t) in said.iter().zip(&samples.labels) {
            counts[t.column()].0 += 1;
            counts[t.column()].1 += usize::from(p == t);
        }
        let accuracy = |c: usize| counts[c].1 as f64 / counts[c].0 as f64;
        let present = (0..counts.len()).filter(|&c| counts[c].0 > 0);
        let worst = present.reduce(|a, b| if accuracy(b) < accuracy(a) { b } else { a });
        worst.map(ClassId::from).ok_or_else(|| Failure::new(Exit::Input, "there are no samples"))
    }

    /// Wrong and watched right samples.
    pub(super) fn cases(&self, args: &CaseArgs, class: ClassId) -> Result<(Cases, Option<ClassId>), Failure> {
        let logits = self.head.logits(self.samples.features.view())?;
        let said = self.head.predict(self.samples.features.view())?;
        let as_class = args.as_class.as_deref().map(|t| self.class(t)).transpose()?;
        let mut cases = Cases::new(&said, &self.samples.labels, Some(class), as_class)?;
        let streams = hybridrepair_core::Streams::new(args.runtime.seed.unwrap_or(0));
        let mut rng = streams.named("patch-positives");
        cases.positives =
            positives(args).sample(&cases.positives, &self.samples.labels, &logits, Some(class), &mut rng)?;
        Ok((cases, as_class))
    }

    /// The case for a localizer.
    pub(super) fn head_case<'a>(&'a self, cases: &'a Cases, class: ClassId) -> HeadCase<'a> {
        HeadCase { head: &self.head, samples: &self.samples, cases, class: Some(class) }
    }
}

/// Which right samples are watched.
pub(super) fn positives(args: &CaseArgs) -> Positives {
    match (args.positives, args.sampling) {
        (Watched::All, _) => Positives::All,
        (Watched::Count(count), Sampling::Balanced) => Positives::Balanced { count, margin: CLOSE },
        (Watched::Count(n), Sampling::Uniform) => Positives::Uniform(n),
        (Watched::Count(n), Sampling::Published) => Positives::Published(n),
    }
}
