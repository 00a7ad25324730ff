use crate::{PatchError, head::finite};
use hybridrepair_core::{ClassId, CoreError, Streams};
use ndarray::Array2;
use rand::seq::SliceRandom;

/// Labelled samples in front of the last layer.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Penultimate features, `n x D`.
    pub features: Array2<f32>,
    /// True classes, `n`.
    pub labels: Vec<ClassId>,
}

impl Samples {
    /// Checks lengths, numbers and classes.
    ///
    /// # Errors
    /// Names what does not fit.
    pub fn new(features: Array2<f32>, labels: Vec<ClassId>, classes: usize) -> Result<Self, PatchError> {
        if labels.len() != features.nrows() {
            return Err(CoreError::Rows { what: "the labels", got: labels.len(), expected: features.nrows() }.into());
        }
        if let Some(&class) = labels.iter().find(|c| c.column() >= classes) {
            return Err(CoreError::OutsideClasses { class, classes }.into());
        }
        finite("the features", features.view())?;
        Ok(Self { features, labels })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The chosen rows, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            features: self.features.select(ndarray::Axis(0), rows),
            labels: rows.iter().map(|&i| self.labels[i]).collect(),
        }
    }
}

/// Rows cut into those for the search and those that choose its result: `share` of each class, rounded, goes to the
/// second. Both lists are in row order.
pub fn roles(labels: &[ClassId], share: f64, streams: Streams) -> (Vec<usize>, Vec<usize>) {
    let classes = labels.iter().map(|c| c.column() + 1).max().unwrap_or(0);
    let (mut search, mut choose) = (Vec::new(), Vec::new());
    for class in 0..classes {
        let mut rows = (0..labels.len()).filter(|&i| labels[i].column() == class).collect::<Vec<_>>();
        rows.shuffle(&mut streams.at("patch-roles", class as u64, 0));
        let kept = (rows.len() as f64 * share).round() as usize;
        choose.extend_from_slice(&rows[..kept]);
        search.extend_from_slice(&rows[kept..]);
    }
    search.sort_unstable();
    choose.sort_unstable();
    (search, choose)
}

/// What shall be repaired and what shall stay: rows of one set of samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cases {
    /// Rows that are wrong and shall be right.
    pub negatives: Vec<usize>,
    /// Rows that are right and shall stay so.
    pub positives: Vec<usize>,
}

impl Cases {
    /// Negatives are the wrong samples of a class (of all classes without one), of those that are taken for `as_class`
    /// if that is given; positives are all that are right.
    ///
    /// # Errors
    /// When nothing is wrong, or nothing is right.
    pub fn new(
        predicted: &[ClassId],
        labels: &[ClassId],
        class: Option<ClassId>,
        as_class: Option<ClassId>,
    ) -> Result<Self, PatchError> {
        let wanted = |i: &usize| {
            predicted[*i] != labels[*i]
                && class.is_none_or(|c| labels[*i] == c)
                && as_class.is_none_or(|c| predicted[*i] == c)
        };
        let negatives = (0..labels.len()).filter(wanted).collect::<Vec<_>>();
        let positives = (0..labels.len()).filter(|&i| predicted[i] == labels[i]).collect::<Vec<_>>();
        let of = class.map_or(String::new(), |c| format!(" of class {c}"));
        let taken = as_class.map_or(String::new(), |c| format!(" taken for class {c}"));
        if negatives.is_empty() {
            return Err(PatchError::NoCase(format!("nothing to repair: no sample{of} is wrong{taken}")));
        }
        if positives.is_empty() {
            return Err(PatchError::NoCase("nothing to keep: no sample is right".to_owned()));
        }
        Ok(Self { negatives, positives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(c: &[u32]) -> Vec<ClassId> {
        c.iter().map(|&c| ClassId(c)).collect()
    }

    #[test]
    fn wrong_and_right_ones() {
        let (said, truth) = (classes(&[0, 1, 2, 2, 0]), classes(&[0, 0, 0, 2, 1]));
        let cases = Cases::new(&said, &truth, Some(ClassId(0)), None).unwrap();
        assert_eq!((cases.negatives, cases.positives), (vec![1, 2], vec![0, 3]));
        assert_eq!(Cases::new(&said, &truth, Some(ClassId(0)), Some(ClassId(2))).unwrap().negatives, [2]);
        assert_eq!(Cases::new(&said, &truth, None, None).unwrap().negatives, [1, 2, 4]);
        let none = Cases::new(&said, &truth, Some(ClassId(2)), None).unwrap_err().to_string();
        assert!(none.contains("class 2"), "{none}");
    }

    #[test]
    fn every_class_is_in_both_roles() {
        let labels = (0..100).map(|i| ClassId(u32::from(i >= 60))).collect::<Vec<_>>();
        let (search, choose) = roles(&labels, 0.25, Streams::new(1));
        assert_eq!(choose.iter().filter(|&&i| i < 60).count(), 15);
        assert_eq!((search.len(), choose.len()), (75, 25));
        let mut all = [search, choose].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}
