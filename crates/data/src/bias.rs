//! Class-biased draws: how the models under repair got their shifted training sets (`HybridRepair`, section 1.2).

use crate::draw::exponential;
use crate::{DataError, npy};
use hybridrepair_core::{ClassId, Stream};
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path, str::FromStr};

/// The published models under repair: one class weighting each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BiasModel {
    /// All classes alike.
    #[default]
    A,
    /// The first random weighting.
    B,
    /// The second random weighting.
    C,
}

impl BiasModel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    /// A weight per class of a data set of ten classes.
    pub fn weights10(self) -> [f64; 10] {
        match self {
            Self::A => [1.0; 10],
            Self::B => [
                0.771_320_64,
                0.020_751_95,
                0.633_648_23,
                0.748_803_88,
                0.498_507_01,
                0.224_796_65,
                0.198_062_86,
                0.760_530_71,
                0.169_110_84,
                0.088_339_81,
            ],
            Self::C => [
                0.685_359_82,
                0.953_393_35,
                0.003_948_27,
                0.512_192_26,
                0.812_620_96,
                0.612_526_07,
                0.721_755_32,
                0.291_876_07,
                0.917_774_12,
                0.714_575_78,
            ],
        }
    }

    /// A weight per class of a data set of 43 classes (GTSRB).
    pub fn weights43(self) -> [f64; 43] {
        match self {
            Self::A => [1.0; 43],
            Self::B => [
                0.772_162_12,
                0.482_283_56,
                0.304_064_92,
                0.910_536_77,
                0.269_099_98,
                0.289_091_98,
                0.351_316_27,
                0.970_139_41,
                0.868_375_62,
                0.980_546_92,
                0.450_332_86,
                0.944_589_61,
                0.231_126_05,
                0.553_726_91,
                0.540_978_4,
                0.294_526_59,
                0.927_289_47,
                0.527_382_29,
                0.430_679_16,
                0.991_931_01,
                0.284_241_88,
                0.093_121_85,
                0.213_331_2,
                0.547_968_05,
                0.601_721_79,
                0.700_059_4,
                0.831_561_95,
                0.861_631_02,
                0.201_342_17,
                0.130_67,
                0.177_463_37,
                0.930_352_45,
                0.049_298_7,
                0.793_878_8,
                0.825_243_76,
                0.311_464_63,
                0.996_115_58,
                0.792_760_13,
                0.202_671_69,
                0.611_593_57,
                0.389_508_43,
                0.436_596_22,
                0.530_564_65,
            ],
            Self::C => [
                0.511_648_72,
                0.040_323_96,
                0.559_563_98,
                0.229_918_37,
                0.147_445_47,
                0.236_346_22,
                0.915_662_1,
                0.696_815_08,
                0.284_578_19,
                0.693_279_06,
                0.167_860_2,
                0.802_571_26,
                0.383_087_91,
                0.755_134_18,
                0.128_738_31,
                0.054_510_6,
                0.432_595_34,
                0.228_193_96,
                0.541_837_65,
                0.164_399_94,
                0.082_133_82,
                0.146_684_65,
                0.359_991_3,
                0.817_419_37,
                0.341_722_7,
                0.516_527_06,
                0.039_663_25,
                0.376_440_59,
                0.876_156_67,
                0.842_308_59,
                0.997_232_61,
                0.148_319_95,
                0.176_853_09,
                0.622_910_64,
                0.465_437_85,
                0.934_264_6,
                0.282_470_46,
                0.876_534_12,
                0.465_665_08,
                0.165_783_66,
                0.924_553_07,
                0.395_197_26,
                0.328_984_36,
            ],
        }
    }

    /// A weight per class of a data set of so many classes.
    ///
    /// # Errors
    /// For B and C when there are neither ten nor 43 classes: no other weights were published.
    pub fn weights(self, classes: usize) -> Result<Vec<f64>, DataError> {
        match (self, classes) {
            (Self::A, _) => Ok(vec![1.0; classes]),
            (_, 10) => Ok(self.weights10().to_vec()),
            (_, 43) => Ok(self.weights43().to_vec()),
            _ => {
                let why = "has published class weights for 10 and for 43 classes only; use A, or index files";
                Err(DataError::Value { what: "bias model", given: self.to_string(), why })
            }
        }
    }

    /// The published number: 0, 1, 2.
    pub fn number(self) -> u64 {
        self as u64
    }
}

impl fmt::Display for BiasModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for BiasModel {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        match text {
            "A" | "a" | "0" => Ok(Self::A),
            "B" | "b" | "1" => Ok(Self::B),
            "C" | "c" | "2" => Ok(Self::C),
            _ => Err(DataError::Unknown { what: "bias model", given: text.to_owned(), known: "A, B, C".to_owned() }),
        }
    }
}

/// Draws `n` rows without replacement, each draw with probability proportional to its class's weight among the rows
/// left, in draw order.
///
/// As an exponential race: row `i` arrives at `Exp(1) / weight`, and the first `n` are drawn. One exponential is used
/// per row, so the result depends on the stream alone.
///
/// # Errors
/// When a weight is negative or not finite, a class has none, or fewer than `n` rows have a positive weight.
pub fn biased_draw(
    labels: &[ClassId],
    weights: &[f64],
    n: usize,
    stream: &mut Stream,
) -> Result<Vec<usize>, DataError> {
    if let Some(w) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        return Err(DataError::Value { what: "class weight", given: w.to_string(), why: "is negative or not finite" });
    }
    let mut arrivals = Vec::with_capacity(labels.len());
    for (row, &class) in labels.iter().enumerate() {
        let what = "class weights";
        let &weight = weights.get(class.column()).ok_or(DataError::Class { what, class, classes: weights.len() })?;
        let wait = exponential(stream);
        if weight > 0.0 {
            arrivals.push((wait / weight, row));
        }
    }
    if n > arrivals.len() {
        let why = "is above the number of rows with a positive weight";
        return Err(DataError::Value { what: "draw size", given: n.to_string(), why });
    }
    arrivals.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    Ok(arrivals[..n].iter().map(|a| a.1).collect())
}

/// Reads rows of a pool of `len` from a `.npy` file of whole numbers, in its order.
///
/// # Errors
/// When the file is damaged or of another type, an index lies outside the pool, or one stands twice.
pub fn read_indices(path: &Path, len: usize) -> Result<Vec<usize>, DataError> {
    let mut seen = vec![false; len];
    let mut rows = Vec::new();
    for (entry, &index) in npy::read_i64_1d(path)?.iter().enumerate() {
        let Some(row) = usize::try_from(index).ok().filter(|&r| r < len) else {
            return Err(DataError::Index { path: path.to_owned(), entry, index, len });
        };
        if std::mem::replace(&mut seen[row], true) {
            return Err(DataError::Duplicate { path: path.to_owned(), entry, index });
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(DataError::Format { path: path.to_owned(), why: "holds no index".to_owned() });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn draws_have_the_published_class_counts() {
        // expected pictures per class of 1500 each, from the specification's own simulation
        let expected = [
            (BiasModel::A, [1125; 10]),
            (BiasModel::B, [1485, 169, 1466, 1484, 1424, 1117, 1044, 1483, 963, 615]),
            (BiasModel::C, [1280, 1397, 17, 1143, 1350, 1237, 1301, 841, 1388, 1296]),
        ];
        let labels: Vec<ClassId> = (0..15_000).map(|i| ClassId::from(i % 10)).collect();
        for (model, expected) in expected {
            let mut counts = [0.0; 10];
            for seed in 0..20 {
                let mut stream = Streams::new(seed).named("bias");
                let rows = biased_draw(&labels, &model.weights10(), 11_250, &mut stream).unwrap();
                assert_eq!(rows.iter().collect::<std::collections::BTreeSet<_>>().len(), 11_250);
                for &r in &rows {
                    counts[labels[r].column()] += 1.0 / 20.0;
                }
            }
            for (c, e) in counts.iter().zip(expected) {
                assert!((c - f64::from(e)).abs() < 12.0, "{model}: {counts:?}, expected {expected:?}");
            }
        }
    }

    #[test]
    fn heavy_classes_come_first() {
        let labels: Vec<ClassId> = (0..2000).map(|i| ClassId::from(i % 2)).collect();
        let rows = biased_draw(&labels, &[1.0, 9.0], 1000, &mut Streams::new(4).named("b")).unwrap();
        let early = rows[..100].iter().filter(|&&r| r % 2 == 1).count();
        assert!((80..=98).contains(&early), "{early} of the first 100");
        let none = biased_draw(&labels, &[0.0, 1.0], 1000, &mut Streams::new(4).named("b")).unwrap();
        assert!(none.iter().all(|r| r % 2 == 1));
    }

    #[test]
    fn impossible_draws_are_refused() {
        let labels = [ClassId(0), ClassId(1), ClassId(1)];
        let draw = |w: &[f64], n| biased_draw(&labels, w, n, &mut Streams::new(0).named("b"));
        assert!(matches!(draw(&[1.0, 1.0], 4), Err(DataError::Value { .. })));
        assert!(matches!(draw(&[1.0, 0.0], 2), Err(DataError::Value { .. })));
        assert!(matches!(draw(&[1.0, -1.0], 1), Err(DataError::Value { .. })));
        assert!(matches!(draw(&[f64::NAN, 1.0], 1), Err(DataError::Value { .. })));
        assert!(matches!(draw(&[1.0], 1), Err(DataError::Class { .. })));
    }

    #[test]
    fn index_files_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i.npy");
        let read = |values: &[i64]| {
            ndarray_npy::write_npy(&path, &ndarray::arr1(values)).unwrap();
            read_indices(&path, 5)
        };
        assert_eq!(read(&[4, 0, 3]).unwrap(), [4, 0, 3]);
        assert!(matches!(read(&[4, 5]), Err(DataError::Index { entry: 1, index: 5, len: 5, .. })));
        assert!(matches!(read(&[-1]), Err(DataError::Index { entry: 0, index: -1, .. })));
        assert!(matches!(read(&[2, 1, 2]), Err(DataError::Duplicate { entry: 2, index: 2, .. })));
        assert!(matches!(read(&[]), Err(DataError::Format { .. })));
        ndarray_npy::write_npy(&path, &ndarray::arr1(&[1.0f64])).unwrap();
        assert!(matches!(read_indices(&path, 5), Err(DataError::Npy { .. })));
    }
}
