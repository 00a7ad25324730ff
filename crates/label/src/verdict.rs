use hybridrepair_core::{ClassId, Entry, PoolIdx};
use std::collections::BTreeMap;

/// What the answers on one picture come to. Of each annotator the last answer counts; "cannot tell" is no vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More votes for this class than for any other.
    Label {
        /// The class.
        class: ClassId,
        /// Votes for it.
        votes: usize,
        /// Annotators who answered.
        of: usize,
    },
    /// Several classes have the most votes.
    Tie {
        /// Those classes, in ascending order.
        classes: Vec<ClassId>,
        /// Annotators who answered.
        of: usize,
    },
    /// Everybody says that it cannot be told.
    CannotTell {
        /// Annotators who answered.
        of: usize,
    },
}

impl Verdict {
    /// Of the last answers of all annotators.
    pub(crate) fn of<K: Ord>(answers: &BTreeMap<K, Option<ClassId>>) -> Self {
        let mut votes: BTreeMap<ClassId, usize> = BTreeMap::new();
        for class in answers.values().flatten() {
            *votes.entry(*class).or_default() += 1;
        }
        let of = answers.len();
        let most = votes.values().copied().max().unwrap_or(0);
        let classes = votes.into_iter().filter(|(_, n)| *n == most).map(|(class, _)| class).collect::<Vec<_>>();
        match classes[..] {
            [] => Self::CannotTell { of },
            [class] => Self::Label { class, votes: most, of },
            _ => Self::Tie { classes, of },
        }
    }

    /// Annotators who answered.
    pub fn answers(&self) -> usize {
        match self {
            Self::Label { of, .. } | Self::Tie { of, .. } | Self::CannotTell { of } => *of,
        }
    }

    /// Whether some who answered say something else, "cannot tell" among it.
    pub fn is_disputed(&self) -> bool {
        match self {
            Self::Label { votes, of, .. } => votes < of,
            Self::Tie { .. } => true,
            Self::CannotTell { .. } => false,
        }
    }
}

/// The last answer of every annotator on every picture.
pub fn last_answers(entries: &[Entry]) -> BTreeMap<PoolIdx, BTreeMap<&str, Option<ClassId>>> {
    let mut last: BTreeMap<PoolIdx, BTreeMap<&str, Option<ClassId>>> = BTreeMap::new();
    for entry in entries.iter().filter(|e| e.is_answer()) {
        if let Some(idx) = entry.idx {
            last.entry(idx).or_default().insert(&entry.by, entry.class);
        }
    }
    last
}

/// What the answers of a ledger come to, per picture that has one.
pub fn verdicts(entries: &[Entry]) -> BTreeMap<PoolIdx, Verdict> {
    last_answers(entries).into_iter().map(|(idx, answers)| (idx, Verdict::of(&answers))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Ledger, Purpose, Reply};

    fn verdict(answers: &[(&str, Option<u32>)]) -> Verdict {
        let mut ledger = Ledger::new(0);
        for (by, class) in answers {
            ledger.record(Reply {
                idx: PoolIdx(3),
                class: class.map(ClassId),
                purpose: Purpose::Annotate,
                what: "t".into(),
                by: (*by).to_owned(),
                seconds: None,
                cost: 1.0,
                answered: None,
            });
        }
        verdicts(ledger.entries()).remove(&PoolIdx(3)).unwrap()
    }

    #[test]
    fn the_majority_counts_ties_are_shown_and_the_last_word_of_each_stands() {
        let label = |class, votes, of| Verdict::Label { class: ClassId(class), votes, of };
        assert_eq!(verdict(&[("a", Some(1))]), label(1, 1, 1));
        assert_eq!(verdict(&[("a", Some(1)), ("b", Some(2)), ("c", Some(1))]), label(1, 2, 3));
        let tie = verdict(&[("a", Some(2)), ("b", Some(1))]);
        assert_eq!(tie, Verdict::Tie { classes: vec![ClassId(1), ClassId(2)], of: 2 });
        assert!(tie.is_disputed());
        assert_eq!(verdict(&[("a", Some(2)), ("b", Some(1)), ("a", Some(1))]), label(1, 2, 2), "a correction");
        assert_eq!(verdict(&[("a", None), ("b", Some(1))]), label(1, 1, 2));
        assert_eq!(verdict(&[("a", None), ("b", None)]), Verdict::CannotTell { of: 2 });
        assert_eq!(verdict(&[("a", Some(1)), ("a", None)]), Verdict::CannotTell { of: 1 });
    }
}
