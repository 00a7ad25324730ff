use crate::{DataConfig, Error};
use hybridrepair_data::RandAugment;
use hybridrepair_train::Transform;
use serde::{Deserialize, Serialize};

/// What is done to training pictures beyond the crops and flips of their data set: operations of `RandAugment` and a grey
/// square ([`RandAugment`] says which).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Random operations in a row; 0 for none, 2 in the paper.
    pub ops: usize,
    /// Side of the grey square as a share of the picture's, in [0, 1]; 0 for none.
    pub cutout: f64,
}

impl Augment {
    /// Checks the settings.
    ///
    /// # Errors
    /// Names what is outside its range.
    pub fn check(&self) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.cutout) {
            return Err(Error::Config(format!("augment: cutout {} is outside [0, 1]", self.cutout)));
        }
        Ok(())
    }

    /// How the training pictures of a data set are shown.
    pub fn transform(&self, data: &DataConfig) -> Transform {
        let weak = data.transform();
        if *self == Self::default() {
            return Transform::Train(weak);
        }
        Transform::Strong(RandAugment { ops: self.ops, cutout: self.cutout, weak })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_settings_pictures_are_shown_as_ever() {
        let data = DataConfig { name: "gtsrb-tracks".to_owned(), ..DataConfig::default() };
        let weak = data.transform();
        assert!(!weak.flip, "signs are not mirrored");
        assert_eq!(Augment::default().transform(&data), Transform::Train(weak));
        let strong = Augment { ops: 2, cutout: 0.25 };
        let rule = RandAugment { ops: 2, cutout: 0.25, weak };
        assert_eq!(strong.transform(&data), Transform::Strong(rule));
        let refused = Augment { cutout: 1.5, ..strong }.check().unwrap_err().to_string();
        assert!(refused.contains("cutout 1.5"), "{refused}");
        assert!(Augment { cutout: f64::NAN, ..strong }.check().is_err());
    }
}
