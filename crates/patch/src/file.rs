use crate::{Change, Outcome, PatchError, TensorFile, tensors::write_whole};
use hybridrepair_core::ClassId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fs, path::Path};

/// How a patch came to be, and what it does. Nothing in it depends on the time or the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Program and release that wrote it.
    pub tool: String,
    /// What was repaired on: a data set and its part, or files.
    pub data: String,
    /// The class under repair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// How the weights were found.
    pub localizer: String,
    /// How the values were found.
    pub search: String,
    /// The seed of all randomness.
    pub seed: u64,
    /// Labels that were looked at.
    pub labels: usize,
    /// What it does to the samples that were searched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_search: Option<Outcome>,
    /// What it does to the samples that chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_choice: Option<Outcome>,
    /// What it does to samples that nothing was chosen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_test: Option<Outcome>,
    /// For a merged patch: what it was merged from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Provenance>,
}

/// A few changed weights of one model, to be applied and taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchFile {
    /// Version of this format.
    pub format_version: u32,
    /// SHA-256 of the model's file.
    pub base_sha256: String,
    /// Name of the model's file, for people.
    pub base: String,
    /// The weights, each once, in the order of their names and coordinates.
    pub changes: Vec<Change>,
    /// How it came to be.
    pub provenance: Provenance,
}

/// What applying or reverting a patch gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Weights that were written.
    pub weights: usize,
    /// SHA-256 of the new file.
    pub sha256: String,
}

impl PatchFile {
    /// The version that is written.
    pub const VERSION: u32 = 1;

    /// A patch of this model. Changes that change nothing are left out; new values are rounded to what the file holds.
    ///
    /// # Errors
    /// When a weight is not in the model, stands twice, or would not be finite.
    pub fn new(base: &TensorFile, changes: &[Change], provenance: Provenance) -> Result<Self, PatchError> {
        let mut kept = Vec::new();
        for change in changes {
            let old = base.get(&change.weight)?;
            let new = base.precision(&change.weight.tensor)?.round(change.new);
            if !new.is_finite() {
                return Err(PatchError::setting("value", change.new, format!("of {} is not finite", change.weight)));
            }
            if new.to_bits() != old.to_bits() {
                kept.push(Change { weight: change.weight.clone(), old, new });
            }
        }
        kept.sort_by(|a, b| a.weight.cmp(&b.weight));
        let base_name = base.path().file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let patch = Self {
            format_version: Self::VERSION,
            base_sha256: base.sha256(),
            base: base_name,
            changes: kept,
            provenance,
        };
        patch.check(base.path())?;
        Ok(patch)
    }

    fn check(&self, path: &Path) -> Result<(), PatchError> {
        if self.format_version != Self::VERSION {
            let got = self.format_version;
            return Err(PatchError::format(path, format!("format_version {got} is not known, this is 1")));
        }
        if self.base_sha256.len() != 64 || !self.base_sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(PatchError::format(path, format!("{:?} is no SHA-256", self.base_sha256)));
        }
        let mut seen = BTreeSet::new();
        for change in &self.changes {
            if !change.new.is_finite() || !change.old.is_finite() {
                return Err(PatchError::format(path, format!("a value of {} is not finite", change.weight)));
            }
            if !seen.insert(&change.weight) {
                return Err(PatchError::format(path, format!("{} stands twice", change.weight)));
            }
        }
        Ok(())
    }

    /// Reads a patch.
    ///
    /// # Errors
    /// When the file is missing or no patch.
    pub fn read(path: &Path) -> Result<Self, PatchError> {
        let text = fs::read(path).map_err(PatchError::io(path))?;
        let patch: Self =
            serde_json::from_slice(&text).map_err(|e| PatchError::format(path, format!("it is no patch: {e}")))?;
        patch.check(path)?;
        Ok(patch)
    }

    /// Writes the patch as JSON, in one piece.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PatchError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| PatchError::format(path, e))?;
        text.push(b'\n');
        write_whole(path, &text)
    }

    /// Whether the patch was made for this model.
    ///
    /// # Errors
    /// When it was made for another one.
    pub fn check_model(&self, model: &TensorFile) -> Result<(), PatchError> {
        let got = model.sha256();
        if got == self.base_sha256 {
            return Ok(());
        }
        Err(PatchError::OtherModel { expected: self.base_sha256.clone(), got })
    }

    /// Writes the new values into a model in memory.
    ///
    /// # Errors
    /// When it is another model, or a weight does not have its old value. Nothing is changed then.
    pub fn apply(&self, model: &mut TensorFile) -> Result<Applied, PatchError> {
        self.check_model(model)?;
        let mut next = model.clone();
        for change in &self.changes {
            // a negative zero is another number here
            expect(&next, change, change.old)?;
            next.set(&change.weight, change.new)?;
            expect(&next, change, change.new)?;
        }
        *model = next;
        Ok(Applied { weights: self.changes.len(), sha256: model.sha256() })
    }

    /// Writes the old values back; the result is the base model to the bit.
    ///
    /// # Errors
    /// When a weight does not have its new value, or the result is not the base model. Nothing is changed then.
    pub fn revert(&self, model: &mut TensorFile) -> Result<Applied, PatchError> {
        let mut next = model.clone();
        for change in &self.changes {
            expect(&next, change, change.new)?;
            next.set(&change.weight, change.old)?;
        }
        self.check_model(&next)?;
        *model = next;
        Ok(Applied { weights: self.changes.len(), sha256: self.base_sha256.clone() })
    }
}

fn expect(model: &TensorFile, change: &Change, expected: f32) -> Result<(), PatchError> {
    let got = model.get(&change.weight)?;
    if got.to_bits() == expected.to_bits() {
        return Ok(());
    }
    Err(PatchError::OtherValue { weight: change.weight.clone(), got, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WeightRef, tensors::tests::small};

    fn change(index: [usize; 2], new: f32) -> Change {
        Change { weight: WeightRef::new("fc.weight", &index), old: 0.0, new }
    }

    #[test]
    fn applied_and_taken_back_it_is_the_same_file_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        let base = small(&dir.path().join("m.safetensors"));
        let changes = [change([1, 2], 0.3), change([0, 0], -7.7), change([0, 2], -0.0), change([1, 1], 0.25)];
        let patch = PatchFile::new(&base, &changes, Provenance::default()).unwrap();
        assert_eq!(patch.changes.len(), 3, "one of them changes nothing, one changes a sign of zero");
        let file = dir.path().join("p.json");
        patch.write(&file).unwrap();
        assert_eq!(PatchFile::read(&file).unwrap(), patch);
        let mut model = base.clone();
        let applied = patch.apply(&mut model).unwrap();
        assert_ne!(applied.sha256, patch.base_sha256);
        assert_eq!(model.get(&changes[1].weight).unwrap(), crate::Precision::F16.round(-7.7));
        assert!(matches!(patch.apply(&mut model), Err(PatchError::OtherModel { .. })), "applied twice");
        patch.revert(&mut model).unwrap();
        assert_eq!(model.sha256(), base.sha256());
        assert!(matches!(patch.revert(&mut model), Err(PatchError::OtherValue { .. })));
    }

    #[test]
    fn a_model_that_has_changed_otherwise_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let base = small(&dir.path().join("m.safetensors"));
        let patch = PatchFile::new(&base, &[change([1, 2], 0.3)], Provenance::default()).unwrap();
        let mut model = base.clone();
        model.set(&WeightRef::new("fc.bias", &[0]), 5.0).unwrap();
        let before = model.sha256();
        assert!(matches!(patch.apply(&mut model), Err(PatchError::OtherModel { .. })));
        model.set(&WeightRef::new("fc.weight", &[1, 2]), 0.3).unwrap();
        assert!(matches!(patch.revert(&mut model), Err(PatchError::OtherModel { .. })));
        assert_ne!(model.sha256(), before);
    }

    #[test]
    fn what_is_no_patch_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let base = small(&dir.path().join("m.safetensors"));
        let patch = PatchFile::new(&base, &[change([1, 2], 0.3)], Provenance::default()).unwrap();
        let good = serde_json::to_string(&patch).unwrap();
        let path = dir.path().join("p.json");
        for bad in [
            good.replace("\"format_version\":1", "\"format_version\":2"),
            good.replace(&patch.base_sha256, "abc"),
            good.replace("\"new\":", "\"neu\":"),
            good[..good.len() / 2].to_owned(),
            "[]".to_owned(),
        ] {
            fs::write(&path, bad).unwrap();
            assert!(matches!(PatchFile::read(&path), Err(PatchError::Format { .. })));
        }
        assert!(PatchFile::new(&base, &[change([5, 5], 0.3)], Provenance::default()).is_err());
        assert!(PatchFile::new(&base, &[change([0, 0], 1e9)], Provenance::default()).is_err());
        assert!(PatchFile::new(&base, &[change([0, 0], 1.0), change([0, 0], 2.0)], Provenance::default()).is_err());
    }
}
