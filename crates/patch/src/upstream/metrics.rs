use crate::{PatchError, tensors::write_whole};
use hybridrepair_core::{ClassId, metrics::confusion};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// `test_class_metrics.txt`: one JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Recall of each class; 0 for a class without samples.
    pub per_class_accuracy: Vec<f64>,
    /// Share of the samples that are right.
    pub accuracy: f64,
    /// Mean F1 over the classes that occur.
    pub f1: f64,
    /// Mean recall over the classes that occur.
    pub recall: f64,
    /// Mean area under the ROC curve, one class against the rest, over the classes that occur and are not all there is.
    pub auc_under_roc: f64,
    /// Accuracy with weight 1.5 for true class 0 and 1 for the others.
    pub weighted_acc: f64,
    /// Of a repaired model: repair rate in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rr: Option<f64>,
    /// Of a repaired model: break rate in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub br: Option<f64>,
}

impl ClassMetrics {
    /// Of these scores (`n x C`, probabilities or logits) and true classes.
    pub fn new(scores: ArrayView2<'_, f32>, truth: &[ClassId]) -> Self {
        let classes = scores.ncols();
        let predicted = crate::head::classes_of(&scores.to_owned());
        let m = confusion(&predicted, truth, classes);
        let count = |i: usize, j: usize| f64::from(m[[i, j]]);
        let row = |i: usize| (0..classes).map(|j| count(i, j)).sum::<f64>();
        let column = |j: usize| (0..classes).map(|i| count(i, j)).sum::<f64>();
        let present = (0..classes).filter(|&c| row(c) > 0.0).collect::<Vec<_>>();
        let mean = |f: &dyn Fn(usize) -> f64| present.iter().map(|&c| f(c)).sum::<f64>() / present.len().max(1) as f64;
        let recall = |c: usize| if row(c) > 0.0 { count(c, c) / row(c) } else { 0.0 };
        let right = |w0: f64| (0..classes).map(|c| count(c, c) * if c == 0 { w0 } else { 1.0 }).sum::<f64>();
        let all = |w0: f64| (0..classes).map(|c| row(c) * if c == 0 { w0 } else { 1.0 }).sum::<f64>().max(1e-300);
        let areas = present.iter().filter_map(|&c| {
            let positive = truth.iter().map(|t| t.column() == c).collect::<Vec<_>>();
            auc(&scores.column(c).to_vec(), &positive)
        });
        let areas = areas.collect::<Vec<_>>();
        Self {
            per_class_accuracy: (0..classes).map(recall).collect(),
            accuracy: right(1.0) / all(1.0),
            f1: mean(&|c| 2.0 * count(c, c) / (row(c) + column(c)).max(1.0)),
            recall: mean(&recall),
            auc_under_roc: areas.iter().sum::<f64>() / areas.len().max(1) as f64,
            weighted_acc: right(1.5) / all(1.5),
            rr: None,
            br: None,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn read(path: &Path) -> Result<Self, PatchError> {
        let text = fs::read(path).map_err(PatchError::io(path))?;
        serde_json::from_slice(&text).map_err(|e| PatchError::format(path, e))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PatchError> {
        let text = serde_json::to_vec(self).map_err(|e| PatchError::format(path, e))?;
        write_whole(path, &text)
    }
}

/// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half; `None` where one of
/// the two is missing.
pub(crate) fn auc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let mut order = (0..scores.len()).collect::<Vec<_>>();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let mut end = at;
        while end < order.len() && scores[order[end]] == scores[order[at]] {
            end += 1;
        }
        // mean rank of equal scores, from 1
        let rank = (at + 1 + end) as f64 / 2.0;
        rank_sum += rank * order[at..end].iter().filter(|&&i| positive[i]).count() as f64;
        at = end;
    }
    let p = positive.iter().filter(|&&p| p).count() as f64;
    let n = positive.len() as f64 - p;
    (p > 0.0 && n > 0.0).then(|| (rank_sum - p * (p + 1.0) / 2.0) / (p * n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn by_hand_with_ties_and_a_missing_class() {
        // two classes occur of three; predictions 0, 1, 1, 0
        let scores = array![[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]];
        let truth = [0, 0, 1, 1].map(ClassId);
        let m = ClassMetrics::new(scores.view(), &truth);
        assert_eq!(m.per_class_accuracy, [0.5, 0.5, 0.0]);
        assert_eq!((m.accuracy, m.recall, m.f1), (0.5, 0.5, 0.5));
        // class 0: positives .6 .4, negatives .2 .6: pairs 1 + .5 + 1 + 0 = 2.5 of 4
        assert!((m.auc_under_roc - 0.625).abs() < 1e-12);
        assert!((m.weighted_acc - (1.5 + 1.0) / (3.0 + 2.0)).abs() < 1e-12);
        let one = ClassMetrics::new(scores.view(), &[0; 4].map(ClassId));
        assert_eq!(one.auc_under_roc, 0.0, "there is nothing to tell apart");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test_class_metrics.txt");
        let m = ClassMetrics { rr: Some(50.0), br: Some(0.1), ..m };
        m.write(&path).unwrap();
        assert_eq!(ClassMetrics::read(&path).unwrap(), m);
    }

    #[test]
    fn areas() {
        assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
        assert_eq!(auc(&[1.0; 4], &[false, true, true, false]), Some(0.5));
        assert_eq!(auc(&[1.0], &[true]), None);
    }
}
