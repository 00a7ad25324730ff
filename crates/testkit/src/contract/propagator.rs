//! The contract of propagators.

use super::in_worlds;
use hybridrepair_core::{LabelSet, Provenance, Selection, Streams};
use hybridrepair_propagate::Propagator;
use hybridrepair_select::strategy;
use std::collections::BTreeSet;

/// All clauses, in many small worlds: labels are of this pool, finite and of bought classes; a bought label keeps its
/// class, its provenance and its weight, everything else is propagated; nothing bought gives nothing; the same twice.
pub fn keeps_the_contract(propagator: &dyn Propagator) {
    in_worlds(propagator.name(), 64, |world, budget| {
        let evidence = &world.evidence;
        let select = |name: &str| {
            let rng = &mut Streams::new(1).named("contract");
            strategy(name).unwrap().select(&world.pool, evidence, budget, rng).unwrap()
        };
        for selection in [select("hybrid"), select("random")] {
            let mut bought = evidence.known.clone();
            for pick in &selection.picks {
                bought.insert_bought(pick.idx, world.truth[pick.idx.row()]);
            }
            let spread = |labels: &LabelSet| {
                let (regions, x) = (evidence.regions.as_ref(), evidence.embeddings.as_ref());
                propagator.propagate(labels, &selection, regions, x).unwrap()
            };
            let labels = spread(&bought);
            assert_eq!(labels, spread(&bought), "twice");
            let classes: BTreeSet<_> = bought.iter().map(|l| l.class).collect();
            for label in labels.iter() {
                assert!(label.idx.row() < world.pool.len());
                assert!(label.weight.is_finite() && label.weight >= 0.0);
                assert!(classes.contains(&label.class), "a class that nobody bought");
                match bought.get(label.idx) {
                    Some(paid) => assert_eq!(label, paid),
                    None => assert_eq!(label.provenance, Provenance::Propagated),
                }
            }
            assert!(spread(&LabelSet::new()).is_empty());
        }
        let none = propagator.propagate(&LabelSet::new(), &Selection::default(), None, None);
        assert!(none.is_err() || none.is_ok_and(|labels| labels.is_empty()));
    });
}
