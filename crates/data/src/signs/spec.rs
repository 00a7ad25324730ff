use super::canvas::SIDE;
use super::classes::{CLASSES, CONDITIONS, Domain, Subject};
use super::dice::Dice;
use super::face::faces;
use super::picture::draw;
use crate::{DataError, Field, Images, Labelled, Normalization, Splits};
use hybridrepair_core::{ClassId, SampleId, SealedLabels, Streams};
use rayon::prelude::*;

/// Version of the generator. A change of a single byte of any picture is a new version.
pub const SIGNS_VERSION: u32 = 1;

/// Pictures per split at most: 12 GiB of bytes.
const MOST: usize = 1 << 22;

/// Channel statistics of the training domain, measured once on 200,000 pictures.
const NORMALIZATION: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };

/// How many pictures to draw, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignsSpec {
    /// Seed of the pictures; it is part of the data set and has nothing to do with the seed of a run.
    pub seed: u64,
    /// Training pictures.
    pub train: usize,
    /// Validation pictures, from the training domain.
    pub val: usize,
    /// Pictures of the field pool.
    pub field: usize,
    /// Pictures of the holdout, from the domain of the field pool.
    pub holdout: usize,
}

impl SignsSpec {
    /// The standard set, which all published tables use.
    pub fn standard() -> Self {
        Self { seed: 1, train: 6000, val: 1000, field: 8000, holdout: 4000 }
    }

    /// Names of the classes, in the order of the logits.
    pub fn class_names() -> Vec<String> {
        CLASSES.iter().map(|c| c.0.to_owned()).collect()
    }

    /// Names of the conditions, in the order of [`Field::conditions`].
    pub fn condition_names() -> Vec<String> {
        CONDITIONS.iter().map(|c| c.1.to_owned()).collect()
    }
}

impl Default for SignsSpec {
    fn default() -> Self {
        Self::standard()
    }
}

/// Draws the data set.
///
/// Pictures are 32 x 32. A smaller split is the beginning of a larger one of the same seed.
///
/// # Errors
/// When a split is larger than 4,194,304 pictures.
pub fn signs(spec: &SignsSpec) -> Result<Splits, DataError> {
    let field = |number, name, domain_size| -> Result<Field, DataError> {
        let drawn = Drawn::new(spec.seed, number, name, Domain::Field, domain_size)?;
        Ok(Field {
            images: drawn.images,
            labels: SealedLabels::seal(name, drawn.classes),
            ids: drawn.ids,
            conditions: Some(SealedLabels::seal(format!("{name} conditions"), drawn.conditions)),
        })
    };
    let labelled = |number, name, size| -> Result<Labelled, DataError> {
        let drawn = Drawn::new(spec.seed, number, name, Domain::Training, size)?;
        Ok(Labelled { images: drawn.images, labels: drawn.classes, ids: drawn.ids })
    };
    Ok(Splits {
        name: "signs".to_owned(),
        class_names: SignsSpec::class_names(),
        condition_names: SignsSpec::condition_names(),
        normalization: NORMALIZATION,
        train: labelled(0, "train", spec.train)?,
        val: labelled(1, "val", spec.val)?,
        field: field(2, "field", spec.field)?,
        holdout: field(3, "holdout", spec.holdout)?,
    })
}

struct Drawn {
    images: Images,
    classes: Vec<ClassId>,
    conditions: Vec<ClassId>,
    ids: Vec<SampleId>,
}

impl Drawn {
    /// Draws a split; `number` keeps the ids of the splits apart.
    fn new(seed: u64, number: u64, name: &'static str, domain: Domain, n: usize) -> Result<Self, DataError> {
        if n > MOST {
            return Err(DataError::Value { what: name, given: n.to_string(), why: "is above 4194304 pictures" });
        }
        let (streams, stream, faces) = (Streams::new(seed), format!("signs.{name}"), faces());
        let stride = SIDE * SIDE * Images::CHANNELS;
        let mut data = vec![0u8; n * stride];
        let subjects: Vec<Subject> = data
            .par_chunks_mut(stride)
            .enumerate()
            .map(|(i, out)| {
                let mut dice = Dice::new(streams.at(&stream, i as u64, 0));
                let subject = Subject::draw(domain, &mut dice);
                draw(subject, &faces[subject.class], &mut dice, out);
                subject
            })
            .collect();
        Ok(Self {
            images: Images::new(data, SIDE, SIDE)?,
            classes: subjects.iter().map(|s| ClassId::from(s.class)).collect(),
            conditions: subjects.iter().map(|s| ClassId::from(s.condition)).collect(),
            ids: (0..n as u64).map(|i| SampleId(number << 32 | i)).collect(),
        })
    }
}
