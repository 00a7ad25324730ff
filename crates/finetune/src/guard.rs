use hybridrepair_core::{
    ClassId,
    metrics::{Change, ClassChange, binomial_at_most, mcnemar},
};
use serde::{Deserialize, Serialize};

/// When a repaired model is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuardSettings {
    /// Whether it is looked at at all.
    pub on: bool,
    /// Share of its held-out samples that a class may lose.
    pub class_margin: f64,
    /// Loss of the mean accuracy of the classes that may pass.
    pub margin: f64,
    /// A loss counts when `McNemar`'s exact test says that it is no chance at this level.
    pub alpha: f64,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self { on: true, class_margin: 0.1, margin: 0.02, alpha: 1e-3 }
    }
}

/// What two models say to samples that no training has seen and no result is judged on.
#[derive(Clone, Debug)]
pub struct Watched<'a> {
    /// On held-out source samples with labels.
    pub source: &'a Change,
    /// Classes given to field samples before and after.
    pub field: (&'a [ClassId], &'a [ClassId]),
}

impl GuardSettings {
    /// Why the model must not go out, or `None` when nothing speaks against it.
    ///
    /// A class is protected by itself: a repair that gains elsewhere does not make up for it. A collapse is a field that is
    /// seen as less than half as many classes as before, counted by the exponential of the entropy of the predicted classes.
    pub fn objection(&self, watched: &Watched<'_>, class_names: &[String]) -> Option<String> {
        let real = |repaired, broken| broken > repaired && mcnemar(repaired, broken) < self.alpha;
        let change = watched.source;
        let classes = change.per_class.len().max(1) as f64;
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        for class in &change.per_class {
            let lost = class.before - class.after;
            if lost > self.class_margin && real(class.repaired, class.broken) {
                let name = class_names.get(class.class.column()).map_or("?", String::as_str);
                let (before, after, n) = (percent(class.before), percent(class.after), class.n);
                return Some(format!("class {name:?} fell from {before} to {after} on {n} held-out source samples"));
            }
        }
        // every class counts alike: where the source lacks a class that the field has, a repair shifts answers to it
        let balanced = |of: fn(&ClassChange) -> f64| change.per_class.iter().map(of).sum::<f64>() / classes;
        let (before, after) = (balanced(|c| c.before), balanced(|c| c.after));
        if before - after > self.margin && real(change.repaired, change.broken) {
            let (before, after, n) = (percent(before), percent(after), change.n);
            return Some(format!("mean class accuracy fell from {before} to {after} on {n} held-out source samples"));
        }
        Self::collapse(watched.field)
    }

    /// Why the classes given to field samples before and after are a collapse, or `None` when they are none.
    pub fn collapse(field: (&[ClassId], &[ClassId])) -> Option<String> {
        let (before, after) = (effective_classes(field.0), effective_classes(field.1));
        (after < 0.5 * before)
            .then(|| format!("the field is seen as {after:.1} classes, where it was {before:.1}: the model collapses"))
    }
}

/// A share of the agreement that a model expects of labels, by its own confidence, below which the labels are not believed. Models are
/// too sure of themselves in the field, above all where labels are bought; three times too sure is more than was seen.
const BELIEVED: f64 = 1.0 / 3.0;

impl GuardSettings {
    /// Why labels must not be trained on, or `None`: they agree with the model so much less than its confidence lets expect that
    /// classes were swapped, or rows shifted. `said` and `confidence` are the model's, one each per label.
    pub fn labels_objection(&self, labels: &[ClassId], said: &[ClassId], confidence: &[f32]) -> Option<String> {
        let n = labels.len();
        let agree = labels.iter().zip(said).filter(|(a, b)| a == b).count();
        let expected = confidence.iter().map(|&c| f64::from(c)).sum::<f64>();
        let least = BELIEVED * expected / n.max(1) as f64;
        (least > 0.0 && binomial_at_most(agree, n, least.min(1.0 - 1e-9)) < self.alpha).then(|| {
            format!(
                "the labels agree with the deployed model on {agree} of {n} pictures, where its confidence lets expect about {expected:.0}: \
                 classes or rows of the labels may be swapped"
            )
        })
    }
}

/// `exp(H)` of the frequencies of some classes: how many equally frequent classes would be as uneven.
fn effective_classes(classes: &[ClassId]) -> f64 {
    let most = classes.iter().map(|c| c.column() + 1).max().unwrap_or(0);
    let shares = hybridrepair_core::prior::class_frequencies(classes, most);
    shares.into_iter().filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: GuardSettings = GuardSettings { on: true, class_margin: 0.1, margin: 0.02, alpha: 1e-3 };

    fn ids(of: impl Iterator<Item = usize>) -> Vec<ClassId> {
        of.map(ClassId::from).collect()
    }

    /// 400 samples of 4 classes, all right before; `after` says what is said later.
    fn objection(after: impl Fn(usize) -> usize) -> Option<String> {
        let truth = ids((0..400).map(|i| i % 4));
        let after = ids((0..400).map(after));
        let change = Change::between(&truth, &after, &truth);
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        SETTINGS.objection(&Watched { source: &change, field: (&truth, &after) }, &names)
    }

    #[test]
    fn small_and_chance_losses_pass_and_a_destroyed_class_does_not() {
        assert_eq!(objection(|i| i % 4), None);
        // 9 of 100 of class b: below the margin
        assert_eq!(objection(|i| if i % 4 == 1 && i < 36 { 0 } else { i % 4 }), None);
        let why = objection(|i| if i % 4 == 1 { 2 } else { i % 4 }).unwrap();
        assert!(why.contains("\"b\" fell from 100.0 % to 0.0 % on 100"), "{why}");
        // 6 % of every class
        let why = objection(|i| if i % 16 < 4 && i < 96 { (i + 1) % 4 } else { i % 4 }).unwrap();
        assert!(why.starts_with("mean class accuracy fell from 100.0 % to 94.0 %"), "{why}");
    }

    #[test]
    fn swapped_labels_are_seen_and_hard_pictures_are_not_taken_for_them() {
        let said = ids((0..80).map(|i| i % 4));
        let swapped = ids((0..80).map(|i| (i + 1) % 4));
        // a third of them right at a confidence of 0.7
        let hard = ids((0..80).map(|i| if i % 3 == 0 { i % 4 } else { (i + 1) % 4 }));
        let confidence = [0.7; 80];
        let why = SETTINGS.labels_objection(&swapped, &said, &confidence).unwrap();
        assert!(why.contains("0 of 80 pictures, where its confidence lets expect about 56"), "{why}");
        assert_eq!(SETTINGS.labels_objection(&hard, &said, &confidence), None);
        // too few to tell
        assert_eq!(SETTINGS.labels_objection(&swapped[..8], &said[..8], &confidence[..8]), None);
        assert_eq!(SETTINGS.labels_objection(&[], &[], &[]), None);
    }

    #[test]
    fn a_field_that_falls_on_one_class_is_a_collapse() {
        let truth = ids((0..40).map(|i| i % 4));
        let change = Change::between(&truth, &truth, &truth);
        let field = (ids((0..100).map(|i| i % 4)), ids((0..100).map(|i| usize::from(i == 0))));
        let why = SETTINGS.objection(&Watched { source: &change, field: (&field.0, &field.1) }, &[]).unwrap();
        assert!(why.contains("1.1 classes, where it was 4.0"), "{why}");
    }
}
