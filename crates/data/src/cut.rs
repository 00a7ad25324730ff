//! Smaller versions of a data set, for experiments with a stated cut.

use crate::draw::below;
use crate::{DataError, Field, Splits};
use hybridrepair_core::{Stream, Streams};
use serde::{Deserialize, Serialize};

/// How many pictures of each split to keep; `None` keeps all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Of the training set.
    pub train: Option<usize>,
    /// Of the validation set.
    pub val: Option<usize>,
    /// Of the field pool.
    pub field: Option<usize>,
    /// Of the holdout.
    pub holdout: Option<usize>,
    /// Leaves out this many pictures of the field pool first: those that a cut of `field` to as many would keep. So a method
    /// developed on a slice of the pool can be judged on a pool without it.
    #[serde(default)]
    pub skip_field: usize,
}

impl Splits {
    /// Keeps the first so many pictures of each split in a random order of the seed; they stay in their old order.
    ///
    /// A smaller cut of one seed is part of a larger one, and cutting one split leaves the others' choice alone.
    ///
    /// # Errors
    /// When a split is cut to none, or to more than it has.
    pub fn cut(self, cut: &Cut, seed: u64) -> Result<Self, DataError> {
        let streams = Streams::new(seed);
        let rows = |name: &'static str, keep: Option<usize>, have: usize| {
            keep.map(|keep| kept(name, keep, have, &mut streams.named(&format!("cut.{name}")))).transpose()
        };
        let train = rows("train", cut.train, self.train.images.len())?;
        let val = rows("val", cut.val, self.val.images.len())?;
        let field = match cut.skip_field {
            0 => rows("field", cut.field, self.field.images.len())?,
            skip => Some(rest("field", skip, cut.field, self.field.images.len(), &mut streams.named("cut.field"))?),
        };
        let holdout = rows("holdout", cut.holdout, self.holdout.images.len())?;
        Ok(Self {
            train: train.map_or_else(|| self.train.clone(), |r| self.train.select(&r)),
            val: val.map_or_else(|| self.val.clone(), |r| self.val.select(&r)),
            field: field.map_or_else(|| self.field.clone(), |r| self.field.select(&r)),
            holdout: holdout.map_or_else(|| self.holdout.clone(), |r| self.holdout.select(&r)),
            ..self
        })
    }
}

impl Field {
    /// The chosen rows, in the given order; their labels stay sealed.
    ///
    /// # Panics
    /// When a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            images: self.images.select(rows),
            labels: self.labels.select(rows),
            ids: rows.iter().map(|&i| self.ids[i]).collect(),
            conditions: self.conditions.as_ref().map(|c| c.select(rows)),
        }
    }
}

fn kept(what: &'static str, keep: usize, have: usize, stream: &mut Stream) -> Result<Vec<usize>, DataError> {
    if keep == 0 {
        return Err(DataError::Value { what, given: "0".to_owned(), why: "pictures make no split" });
    }
    if keep > have {
        return Err(DataError::Value { what, given: keep.to_string(), why: "pictures are more than the split has" });
    }
    let mut rows: Vec<usize> = (0..have).collect();
    // the first steps of a shuffle
    for i in 0..keep {
        rows.swap(i, i + below(stream, have - i));
    }
    rows.truncate(keep);
    rows.sort_unstable();
    Ok(rows)
}

/// As [`kept`], after `skip` rows that the same shuffle brings first.
fn rest(
    what: &'static str,
    skip: usize,
    keep: Option<usize>,
    have: usize,
    stream: &mut Stream,
) -> Result<Vec<usize>, DataError> {
    let keep = keep.unwrap_or(have.saturating_sub(skip));
    let mut again = stream.clone();
    let skipped = kept(what, skip, have, stream)?;
    let with = kept(what, skip.saturating_add(keep.max(1)), have, &mut again)?;
    Ok(with.into_iter().filter(|row| skipped.binary_search(row).is_err()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Images, Labelled, Normalization};
    use hybridrepair_core::{ClassId, Ledger, Purpose, SampleId, SealedLabels};

    fn images(n: usize) -> Images {
        Images::new((0..n).flat_map(|i| [i as u8; 3]).collect(), 1, 1).unwrap()
    }

    fn splits() -> Splits {
        let classes = |n: usize| (0..n).map(ClassId::from).collect::<Vec<_>>();
        let ids = |n: usize| (0..n as u64).map(SampleId).collect::<Vec<_>>();
        let labelled = |n| Labelled { images: images(n), labels: classes(n), ids: ids(n) };
        let field = |n| Field {
            images: images(n),
            labels: SealedLabels::seal("field", classes(n)),
            ids: ids(n),
            conditions: Some(SealedLabels::seal("conditions", classes(n))),
        };
        Splits {
            name: "t".into(),
            class_names: (0..200).map(|c| c.to_string()).collect(),
            condition_names: Vec::new(),
            notes: Vec::new(),
            list: None,
            normalization: Normalization { mean: [0.0; 3], std: [1.0; 3] },
            train: labelled(100),
            val: labelled(50),
            field: field(200),
            holdout: field(30),
        }
    }

    fn rows(ids: &[SampleId]) -> Vec<u64> {
        ids.iter().map(|i| i.0).collect()
    }

    #[test]
    fn a_cut_keeps_pictures_labels_and_ids_together() {
        let cut = Cut { field: Some(40), train: Some(10), ..Cut::default() };
        let s = splits().cut(&cut, 3).unwrap();
        assert_eq!((s.train.images.len(), s.val.images.len()), (10, 50));
        assert_eq!((s.field.images.len(), s.holdout.images.len()), (40, 30));
        let mut ledger = Ledger::new(0);
        let truth = ledger.reveal(&s.field.labels, Purpose::Diagnose, "test");
        for (i, id) in s.field.ids.iter().enumerate() {
            assert_eq!(u64::from(s.field.images.get(i)[0]), id.0);
            assert_eq!(u64::from(truth[i].0), id.0);
        }
        assert_eq!(s.field.conditions.unwrap().len(), 40);
        assert!(s.train.ids.is_sorted() && s.field.ids.is_sorted());
    }

    #[test]
    fn smaller_cuts_are_parts_of_larger_ones() {
        let field = |n, seed| rows(&splits().cut(&Cut { field: Some(n), ..Cut::default() }, seed).unwrap().field.ids);
        let (small, large) = (field(20, 1), field(90, 1));
        assert!(small.iter().all(|r| large.contains(r)));
        assert_ne!(small, field(20, 2));
        assert_eq!(field(200, 1), (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn impossible_cuts_are_refused() {
        for cut in [Cut { val: Some(0), ..Cut::default() }, Cut { holdout: Some(31), ..Cut::default() }] {
            assert!(matches!(splits().cut(&cut, 0), Err(DataError::Value { .. })), "{cut:?}");
        }
    }

    #[test]
    fn a_slice_that_is_skipped_and_the_slice_itself_share_nothing() {
        let stream = || Streams::new(4).named("cut.field");
        let slice = kept("field", 10, 100, &mut stream()).unwrap();
        let pool = rest("field", 10, None, 100, &mut stream()).unwrap();
        let mut all = [slice.clone(), pool].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        let some = rest("field", 10, Some(20), 100, &mut stream()).unwrap();
        assert!(some.len() == 20 && some.iter().all(|row| !slice.contains(row)));
        assert!(rest("field", 100, None, 100, &mut stream()).is_err(), "nothing is left");
        assert!(rest("field", 10, Some(91), 100, &mut stream()).is_err());
    }
}
