use crate::{ClassId, CoreError, Embeddings, KnnGraph, LabelSet, Probs, Regions, Views};
use std::fmt;

/// Everything that a selection strategy may look at. There is no model in it and no label of the pool but bought ones.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Class probabilities of the model under repair, `n x C`.
    pub probs: Option<Probs>,
    /// Penultimate features of the model under repair, `n x D`, not normalised.
    pub features: Option<Embeddings>,
    /// Embeddings by the feature extractor, `n x d`.
    pub embeddings: Option<Embeddings>,
    /// Predictions on augmented views.
    pub views: Option<Views>,
    /// Groups of the pool.
    pub regions: Option<Regions>,
    /// Nearest neighbours in the embeddings.
    pub graph: Option<KnnGraph>,
    /// The data that the model was trained on.
    pub source: Option<Source>,
    /// Labels that are known already.
    pub known: LabelSet,
}

/// The source (training) data as evidence: these regions of feature space are covered already.
#[derive(Clone, Debug)]
pub struct Source {
    /// Embeddings by the feature extractor, `m x d`.
    pub embeddings: Option<Embeddings>,
    /// Penultimate features, `m x D`.
    pub features: Option<Embeddings>,
    /// Their labels.
    pub labels: Vec<ClassId>,
}

/// One kind of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// [`Evidence::probs`].
    Probs,
    /// [`Evidence::features`].
    Features,
    /// [`Evidence::embeddings`].
    Embeddings,
    /// [`Evidence::views`].
    Views,
    /// [`Evidence::regions`].
    Regions,
    /// [`Evidence::graph`].
    Graph,
    /// [`Evidence::source`].
    Source,
}

impl Need {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Probs, Self::Features, Self::Embeddings, Self::Views, Self::Regions, Self::Graph, Self::Source];

    /// The flag of `hybridrepair select` that gives it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Probs => "--logits",
            Self::Features => "--features",
            Self::Embeddings => "--embeddings",
            Self::Views => "--views",
            Self::Regions => "--regions",
            Self::Graph => "--graph",
            Self::Source => "--source-embeddings",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probs => "probabilities",
            Self::Features => "penultimate features",
            Self::Embeddings => "embeddings",
            Self::Views => "predictions on views",
            Self::Regions => "regions",
            Self::Graph => "a neighbour graph",
            Self::Source => "source data",
        })
    }
}

/// A set of kinds of evidence: what a strategy declares, and all that the pipeline computes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u8);

impl Needs {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// The set of these kinds.
    pub const fn of(needs: &[Need]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < needs.len() {
            bits |= 1 << needs[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Whether a kind is in the set.
    pub const fn contains(self, need: Need) -> bool {
        self.0 & (1 << need as u8) != 0
    }

    /// Either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds in the set.
    pub fn iter(self) -> impl Iterator<Item = Need> {
        Need::ALL.into_iter().filter(move |&n| self.contains(n))
    }
}

impl Evidence {
    /// Whether a kind of evidence is there.
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Probs => self.probs.is_some(),
            Need::Features => self.features.is_some(),
            Need::Embeddings => self.embeddings.is_some(),
            Need::Views => self.views.is_some(),
            Need::Regions => self.regions.is_some(),
            Need::Graph => self.graph.is_some(),
            Need::Source => self.source.is_some(),
        }
    }

    /// The first kind that is needed and not there.
    pub fn missing(&self, needs: Needs) -> Option<Need> {
        needs.iter().find(|&n| !self.has(n))
    }

    /// Only the declared kinds, to prove that a strategy looks at nothing else.
    #[must_use]
    pub fn restricted_to(&self, needs: Needs) -> Self {
        fn keep<T: Clone>(value: Option<&T>, on: bool) -> Option<T> {
            value.filter(|_| on).cloned()
        }
        Self {
            probs: keep(self.probs.as_ref(), needs.contains(Need::Probs)),
            features: keep(self.features.as_ref(), needs.contains(Need::Features)),
            embeddings: keep(self.embeddings.as_ref(), needs.contains(Need::Embeddings)),
            views: keep(self.views.as_ref(), needs.contains(Need::Views)),
            regions: keep(self.regions.as_ref(), needs.contains(Need::Regions)),
            graph: keep(self.graph.as_ref(), needs.contains(Need::Graph)),
            source: keep(self.source.as_ref(), needs.contains(Need::Source)),
            known: self.known.clone(),
        }
    }

    /// Checks that all arrays speak of the same `n` samples.
    ///
    /// # Errors
    /// Names the array whose rows differ.
    pub fn check(&self, n: usize) -> Result<(), CoreError> {
        let rows = [
            ("probabilities", self.probs.as_ref().map(Probs::len)),
            ("features", self.features.as_ref().map(Embeddings::len)),
            ("embeddings", self.embeddings.as_ref().map(Embeddings::len)),
            ("views", self.views.as_ref().map(Views::len)),
            ("regions", self.regions.as_ref().map(Regions::pool_len)),
            ("neighbour graph", self.graph.as_ref().map(KnnGraph::len)),
        ];
        for (what, got) in rows {
            if let Some(got) = got.filter(|&got| got != n) {
                return Err(CoreError::Rows { what, got, expected: n });
            }
        }
        match self.known.iter().find(|l| l.idx.row() >= n) {
            Some(label) => Err(CoreError::OutsidePool { idx: label.idx, len: n }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn evidence_says_what_is_missing_and_what_does_not_fit() {
        let mut ev = Evidence { probs: Some(Probs::new(array![[1.0], [1.0]]).unwrap()), ..Evidence::default() };
        let needs = Needs::of(&[Need::Probs, Need::Views]);
        assert_eq!(ev.missing(needs), Some(Need::Views));
        assert!(ev.check(2).is_ok());
        assert_eq!(ev.check(3), Err(CoreError::Rows { what: "probabilities", got: 2, expected: 3 }));
        assert!(ev.restricted_to(Needs::NONE).probs.is_none());
        ev.known.insert_bought(crate::PoolIdx(9), ClassId(0));
        assert!(ev.check(2).is_err());
    }
}
