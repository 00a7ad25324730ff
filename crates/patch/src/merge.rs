use crate::{Change, PatchError, PatchFile, Provenance};
use std::{collections::BTreeMap, str::FromStr};

/// Which value a weight gets that several patches change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// That of the first patch.
    First,
    /// That of the last patch.
    Last,
    /// The mean of all.
    Mean,
    /// The one nearest to the old value, the first of equal ones.
    Smallest,
}

impl FromStr for Conflict {
    type Err = PatchError;

    fn from_str(text: &str) -> Result<Self, PatchError> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            "mean" => Ok(Self::Mean),
            "smallest" => Ok(Self::Smallest),
            other => Err(PatchError::setting("rule", format!("{other:?}"), "is none of first, last, mean, smallest")),
        }
    }
}

/// One patch from several of the same model. Weights that several of them give different values need a rule.
///
/// A mean may have to be rounded to what the model's file holds; that is done when it is applied, so the merged patch is
/// made with the model at hand: pass its changes through [`PatchFile::new`].
///
/// # Errors
/// [`PatchError::Conflict`] without a rule, [`PatchError::OtherModel`] for patches of different models.
pub fn merge(patches: &[PatchFile], rule: Option<Conflict>) -> Result<PatchFile, PatchError> {
    let Some(first) = patches.first() else {
        return Err(PatchError::NoCase("no patches to merge".to_owned()));
    };
    let mut by_weight: BTreeMap<_, Vec<&Change>> = BTreeMap::new();
    for patch in patches {
        if patch.base_sha256 != first.base_sha256 {
            let (expected, got) = (first.base_sha256.clone(), patch.base_sha256.clone());
            return Err(PatchError::OtherModel { expected, got });
        }
        for change in &patch.changes {
            by_weight.entry(&change.weight).or_default().push(change);
        }
    }
    let differ = |list: &[&Change]| list.iter().any(|c| c.new.to_bits() != list[0].new.to_bits());
    let conflicts = by_weight.iter().filter(|(_, list)| differ(list)).map(|(w, _)| (*w).clone()).collect::<Vec<_>>();
    let pick = |list: &[&Change]| match rule {
        Some(Conflict::Last) => list[list.len() - 1].new,
        Some(Conflict::Mean) => (list.iter().map(|c| f64::from(c.new)).sum::<f64>() / list.len() as f64) as f32,
        Some(Conflict::Smallest) => {
            let far = |c: &Change| (c.new - c.old).abs();
            list.iter().fold(list[0], |best, c| if far(c) < far(best) { c } else { best }).new
        }
        Some(Conflict::First) | None => list[0].new,
    };
    if let (None, Some(weight)) = (rule, conflicts.first()) {
        return Err(PatchError::Conflict { count: conflicts.len(), first: weight.clone() });
    }
    let changes = by_weight.values().map(|list| Change { new: pick(list), ..list[0].clone() }).collect();
    let merged = patches.iter().map(|p| p.provenance.clone()).collect();
    let provenance = Provenance { tool: first.provenance.tool.clone(), merged, ..Provenance::default() };
    Ok(PatchFile { changes, provenance, ..first.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WeightRef;

    fn patch(changes: &[(usize, f32)]) -> PatchFile {
        let change = |&(i, new): &(usize, f32)| Change { weight: WeightRef::new("w", &[i]), old: 1.0, new };
        PatchFile {
            format_version: 1,
            base_sha256: "0".repeat(64),
            base: "m".to_owned(),
            changes: changes.iter().map(change).collect(),
            provenance: Provenance::default(),
        }
    }

    #[test]
    fn one_weight_twice_asks_for_a_rule() {
        let (a, b) = (patch(&[(0, 5.0), (1, 2.0)]), patch(&[(1, 0.5), (2, 7.0)]));
        let refused = merge(&[a.clone(), b.clone()], None).unwrap_err();
        assert!(matches!(refused, PatchError::Conflict { count: 1, .. }) && refused.to_string().contains("w[1]"));
        for (rule, want) in
            [(Conflict::First, 2.0), (Conflict::Last, 0.5), (Conflict::Mean, 1.25), (Conflict::Smallest, 0.5)]
        {
            let merged = merge(&[a.clone(), b.clone()], Some(rule)).unwrap();
            assert_eq!(merged.changes.iter().map(|c| c.new).collect::<Vec<_>>(), [5.0, want, 7.0], "{rule:?}");
            assert_eq!(merged.provenance.merged.len(), 2);
        }
        // the same value twice is no conflict
        assert_eq!(merge(&[a.clone(), a.clone()], None).unwrap().changes, a.changes);
        let other = PatchFile { base_sha256: "1".repeat(64), ..b };
        assert!(matches!(merge(&[a, other], Some(Conflict::First)), Err(PatchError::OtherModel { .. })));
        assert!(merge(&[], None).is_err());
        assert!("middle".parse::<Conflict>().is_err());
    }
}
