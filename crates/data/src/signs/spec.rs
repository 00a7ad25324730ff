use super::canvas::SIDE;
use super::classes::{CLASSES, CONDITIONS, Domain, Subject};
use super::dice::Dice;
use super::face::faces;
use super::picture::draw;
use crate::dataset::Dataset;
use crate::{DataError, Field, Images, Labelled, Normalization, Splits, TrainTransform};
use hybridrepair_core::{ClassId, SampleId, SealedLabels, Streams};
use rayon::prelude::*;

/// The built-in data set. A mirrored arrow points the other way, so its pictures are not flipped.
pub(crate) static SIGNS: Dataset = Dataset {
    name: "signs",
    about: "road signs drawn by the program; needs no files",
    classes: Some(CLASSES.len()),
    folder: None,
    transform: TrainTransform { flip: false, padding: 2 },
    load: |_, options| signs(&options.signs),
};

/// Version of the generator. A change of a single byte of any picture is a new version.
pub const SIGNS_VERSION: u32 = 1;

/// Pictures per split at most: 12 GiB of bytes.
const MOST: usize = 1 << 22;

/// Channel statistics of the training split of the standard set.
const NORMALIZATION: Normalization = Normalization { mean: [0.5536, 0.4923, 0.4762], std: [0.2012, 0.1860, 0.2158] };

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
        CLASSES.iter().map(|c| c.name.to_owned()).collect()
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
        notes: Vec::new(),
        list: None,
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
            ids: (0..n as u64).map(|i| SampleId((number << 32) | i)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Ledger, Purpose};
    use sha2::{Digest, Sha256};

    fn small() -> SignsSpec {
        SignsSpec { train: 200, val: 40, field: 300, holdout: 60, ..SignsSpec::standard() }
    }

    fn revealed(sealed: &SealedLabels) -> Vec<ClassId> {
        Ledger::new(0).reveal(sealed, Purpose::Diagnose, "test").to_vec()
    }

    /// Everything in a set as one list of bytes.
    fn bytes(s: &Splits) -> Vec<u8> {
        let mut all = Vec::new();
        let mut push = |images: &Images, lists: &[&[ClassId]]| {
            all.extend_from_slice(images.as_slice());
            all.extend(lists.iter().flat_map(|list| list.iter().map(|c| c.0 as u8)));
        };
        for split in [&s.train, &s.val] {
            push(&split.images, &[&split.labels]);
        }
        for split in [&s.field, &s.holdout] {
            let conditions = revealed(split.conditions.as_ref().unwrap());
            push(&split.images, &[&revealed(&split.labels), &conditions]);
        }
        all
    }

    #[test]
    fn version_1_is_frozen() {
        // another digest is another data set: raise SIGNS_VERSION and redo every published table
        let digest = Sha256::digest(bytes(&signs(&small()).unwrap()));
        let start = u64::from_be_bytes(digest[..8].try_into().unwrap());
        assert_eq!((SIGNS_VERSION, format!("{start:016x}").as_str()), (1, "59ef5f256dc88ae6"));
    }

    #[test]
    fn any_number_of_threads_draws_the_same() {
        let drawn = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bytes(&signs(&small()).unwrap()))
        });
        assert_eq!(drawn[0], drawn[1]);
        assert_eq!(drawn[0], drawn[2]);
    }

    #[test]
    fn a_smaller_split_is_the_beginning_of_a_larger_one() {
        let (large, few) = (signs(&small()).unwrap(), SignsSpec { field: 7, ..small() });
        let few = signs(&few).unwrap();
        assert_eq!(few.field.images.len(), 7);
        assert_eq!(few.field.images.as_slice(), &large.field.images.as_slice()[..7 * 3072]);
        assert_eq!(few.field.ids, large.field.ids[..7]);
    }

    #[test]
    fn seeds_and_splits_draw_different_pictures() {
        let (a, b) = (signs(&small()).unwrap(), signs(&SignsSpec { seed: 2, ..small() }).unwrap());
        assert_ne!(a.train.images.get(0), b.train.images.get(0));
        assert_ne!(a.train.images.get(0), a.val.images.get(0));
        assert_ne!(a.field.images.get(0), a.holdout.images.get(0));
    }

    #[test]
    fn a_split_has_a_label_and_an_id_of_its_own_per_picture() {
        let s = signs(&small()).unwrap();
        assert_eq!((s.classes(), s.condition_names.len()), (16, 9));
        s.train.check("train", s.classes()).unwrap();
        s.val.check("val", s.classes()).unwrap();
        for (split, n) in [(&s.field, 300), (&s.holdout, 60)] {
            assert_eq!((split.images.len(), split.labels.len(), split.ids.len()), (n, n, n));
            assert!(revealed(&split.labels).iter().all(|c| c.column() < 16));
            assert!(revealed(split.conditions.as_ref().unwrap()).iter().all(|c| c.column() < 9));
        }
        let ids = [&s.train.ids, &s.val.ids, &s.field.ids, &s.holdout.ids];
        let distinct: std::collections::BTreeSet<_> = ids.into_iter().flatten().collect();
        assert_eq!(distinct.len(), 600);
    }

    #[test]
    fn sizes_are_checked_and_may_be_zero() {
        let error = signs(&SignsSpec { train: MOST + 1, ..small() }).unwrap_err();
        assert_eq!(error.to_string(), "train 4194305 is above 4194304 pictures");
        let empty = SignsSpec { train: 0, val: 0, field: 0, holdout: 0, seed: 0 };
        assert!(signs(&empty).unwrap().field.images.is_empty());
    }

    #[test]
    fn the_normalization_is_that_of_the_training_domain() {
        let s = signs(&SignsSpec { train: 3000, field: 0, ..small() }).unwrap();
        for k in 0..3 {
            let channel = || s.train.images.as_slice().iter().skip(k).step_by(3).map(|&v| f64::from(v) / 255.0);
            let n = channel().count() as f64;
            let mean = channel().sum::<f64>() / n;
            let std = (channel().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
            assert!((mean - f64::from(NORMALIZATION.mean[k])).abs() < 0.01, "mean {mean}");
            assert!((std - f64::from(NORMALIZATION.std[k])).abs() < 0.01, "std {std}");
        }
    }
}
