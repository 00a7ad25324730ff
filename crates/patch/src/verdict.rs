use crate::{Cases, Found, Head, Objective, Outcome, PatchError, Samples, evaluate_whole};
use hybridrepair_core::ClassId;

/// Decides whether a patch is kept, on samples that took no part in its search.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The layer as it is.
    pub head: &'a Head,
    /// The choosing samples; there may be none.
    pub choice: &'a Samples,
    /// The class under repair; all without one.
    pub class: Option<ClassId>,
    /// What was maximised, within which limits.
    pub objective: Objective,
    /// Classes of which no right sample may break.
    pub protected: &'a [ClassId],
}

/// What the choosing samples say about a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How much the objective rises on the choosing samples (on those of the search if none of the choosing ones is wrong);
    /// not above 0 when a limit is passed there. Patches of one search are compared by it.
    pub gain: f64,
    /// Why the patch is not kept; none if it is.
    pub refused: Option<String>,
}

/// Below this probability it is no chance that none of the choosing samples is repaired.
const CHANCE: f64 = 0.05;

impl Judge<'_> {
    /// Judges what a search has found. A patch is kept when it repairs something on the samples of the search and, unless
    /// that may be chance, on those that choose, keeps within its limits there, and the objective rises: a higher
    /// score alone may come from wrong samples that have come nearer, and stay wrong.
    ///
    /// # Errors
    /// When the features do not fit the layer.
    pub fn judge(&self, found: &Found) -> Result<Verdict, PatchError> {
        let search = &found.outcome;
        if found.changes.iter().all(|c| c.new.to_bits() == c.old.to_bits()) {
            return Ok(Verdict {
                gain: 0.0,
                refused: Some("nothing better than the model as it is was found".to_owned()),
            });
        }
        let said = |o: &Outcome| {
            format!("repairs {} of {} and breaks {} of {}", o.repaired, o.negatives, o.broken, o.positives)
        };
        let before = self.head.logits(self.choice.features.view())?;
        let predicted = crate::head::classes_of(&before);
        let Ok(cases) = Cases::new(&predicted, &self.choice.labels, self.class, None) else {
            // nothing is wrong among the choosing samples: the search has the only ones
            let score = found.trace.as_ref().map_or(f64::from(u8::from(search.repaired > 0)), |t| t.score);
            let gain = score - found.identity;
            let refused = (gain <= 0.0 || search.repaired == 0).then(|| format!("the best found {}", said(search)));
            return Ok(Verdict { gain, refused });
        };
        let (n, m) = (cases.negatives.len(), cases.positives.len());
        let score = |logits: &ndarray::Array2<f32>| {
            self.objective.score(&evaluate_whole(logits, &self.choice.labels, &cases, self.protected), n, m)
        };
        let after = self.head.patched(&found.changes)?.logits(self.choice.features.view())?;
        let gain = score(&after) - score(&before);
        let choice = Outcome::new(&predicted, &crate::head::classes_of(&after), &self.choice.labels, self.class);
        let why = format!("the best found {}; on the samples that choose it {}", said(search), said(&choice));
        // of a few wrong samples none may be repaired by chance alone, at the rate of the search
        let chance = (1.0 - search.repair_rate()).powi(choice.negatives as i32);
        let nothing = search.repaired == 0 || (choice.repaired == 0 && chance < CHANCE);
        let refused = (gain <= 0.0 || nothing).then_some(why);
        Ok(Verdict { gain, refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Fitness, Guard};
    use ndarray::array;

    fn found(head: &Head, samples: &Samples, changes: Vec<Change>) -> Found {
        let said = |h: &Head| h.predict(samples.features.view()).unwrap();
        let after = said(&head.patched(&changes).unwrap());
        let outcome = Outcome::new(&said(head), &after, &samples.labels, Some(ClassId(1)));
        Found { localized: Vec::new(), changes, trace: None, identity: 0.0, outcome }
    }

    #[test]
    fn a_higher_score_that_repairs_nothing_is_refused() {
        let head = Head::new(array![[1.0], [-1.0]], array![0.0, 0.0], "fc").unwrap();
        // right with a small margin, and a wrong one of class 1 that is far away
        let samples = Samples::new(array![[0.1], [0.2], [-0.1], [5.0]], [0, 0, 1, 1].map(ClassId).to_vec(), 2).unwrap();
        let objective = Objective { fitness: Fitness::Balanced { lambda: 0.5 }, guard: Guard::default() };
        let judge = Judge { head: &head, choice: &samples, class: Some(ClassId(1)), objective, protected: &[] };
        let change = |class: usize, feature, old: f32, new: f32| {
            vec![Change { weight: head.weight_ref(class, feature), old, new }]
        };
        let surer = judge.judge(&found(&head, &samples, change(1, Some(0), -1.0, -0.9))).unwrap();
        assert!(surer.gain > 0.0, "the wrong one comes nearer: {surer:?}");
        assert!(surer.refused.unwrap().contains("repairs 0 of 1"));
        let repaired = judge.judge(&found(&head, &samples, change(1, Some(0), -1.0, 1.5))).unwrap();
        assert!(repaired.refused.is_none_or(|why| why.contains("breaks")));
        let same = judge.judge(&found(&head, &samples, change(1, None, 0.0, 0.0))).unwrap();
        assert!(same.refused.unwrap().contains("nothing better"));
        // without choosing samples the search decides
        let none = samples.select(&[]);
        let alone = Judge { choice: &none, ..judge };
        assert!(alone.judge(&found(&head, &samples, change(1, Some(0), -1.0, -0.9))).unwrap().refused.is_some());
        assert_eq!(alone.judge(&found(&head, &samples, change(1, Some(0), -1.0, 1.5))).unwrap().refused, None);
    }
}
