use super::{read_dicom, table::read_targets};
use crate::dataset::{Dataset, Folder};
use crate::folder::InputSize;
use crate::{DataError, Field, Images, Labelled, LoadOptions, Normalization, Splits, TrainTransform};
use hybridrepair_core::{ClassId, SampleId, SealedLabels, Streams};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::path::Path;

/// Rows and columns of a picture, as the early-repair experiment's program has it (its paper says 256).
const SIDE: usize = 160;
/// Seeds of the two cuts, as there.
const TEST_SEED: u64 = 43;
const REPAIR_SEED: u64 = 42;

/// Chest X-rays with and without pneumonia, cut as in the early-repair experiment: 10 % holdout, 5 % of the rest the field
/// pool (there the repair split), and of what is left 80 % for training and 20 % for validation, each class by itself.
///
/// Sample ids are places in the order of the patients' names. Pictures are grey in three equal channels.
pub(crate) static RSNA: Dataset = Dataset {
    name: "rsna",
    about: "chest X-rays, pneumonia or not (DICOM), 160 x 160; split by patient",
    classes: Some(2),
    folder: Some(Folder {
        inner: &[],
        holds: "stage_2_train_labels.csv and stage_2_train_images/PATIENT.dcm",
        source: "https://www.kaggle.com/c/rsna-pneumonia-detection-challenge",
    }),
    // nothing is mirrored: the heart lies to the left
    transform: TrainTransform { flip: false, padding: 4 },
    load,
};

fn load(dir: &Path, options: &LoadOptions) -> Result<Splits, DataError> {
    let found = RSNA.find(dir, &["stage_2_train_labels.csv"])?;
    let pictures = found.join("stage_2_train_images");
    if !pictures.is_dir() {
        return Err(RSNA.missing(dir, "stage_2_train_images", ""));
    }
    let targets = read_targets(&found.join("stage_2_train_labels.csv"))?;
    let input = options.input.unwrap_or(InputSize::square(SIDE));
    input.check()?;
    let patients = targets.keys().collect::<Vec<_>>();
    let labels = targets.values().map(|&t| ClassId(u32::from(t))).collect::<Vec<_>>();
    let mut data = vec![0; patients.len() * input.stride()];
    data.par_chunks_exact_mut(input.stride()).zip(&patients).try_for_each(|(out, patient)| {
        let grey = read_dicom(&pictures.join(format!("{patient}.dcm")))?;
        let three = grey.pixels.iter().flat_map(|&v| [v; 3]).collect::<Vec<_>>();
        input.place(&three, (grey.height, grey.width), out);
        Ok::<_, DataError>(())
    })?;
    let images = Images::new(data, input.height, input.width)?;
    Ok(cut(&images, &labels))
}

fn cut(images: &Images, labels: &[ClassId]) -> Splits {
    let all = (0..labels.len()).collect::<Vec<_>>();
    let (rest, holdout) = by_class(&all, labels, 0.1, TEST_SEED);
    let (rest, field) = by_class(&rest, labels, 0.05, REPAIR_SEED);
    let (train, val) = by_class(&rest, labels, 0.2, REPAIR_SEED);
    let labelled = |rows: &[usize]| Labelled {
        images: images.select(rows),
        labels: rows.iter().map(|&i| labels[i]).collect(),
        ids: rows.iter().map(|&i| SampleId(i as u64)).collect(),
    };
    let sealed = |rows: &[usize], what: &str| {
        let Labelled { images, labels, ids } = labelled(rows);
        Field { images, labels: SealedLabels::seal(what, labels), ids, conditions: None }
    };
    let train = labelled(&train);
    Splits {
        name: RSNA.name.to_owned(),
        class_names: vec!["no pneumonia".to_owned(), "pneumonia".to_owned()],
        condition_names: Vec::new(),
        notes: Vec::new(),
        list: None,
        normalization: Normalization::of(&train.images),
        train,
        val: labelled(&val),
        field: sealed(&field, "field pool"),
        holdout: sealed(&holdout, "holdout"),
    }
}

/// Rows that stay, and `share` of each class (rounded, at least one of two or more) that does not; both in row order.
fn by_class(rows: &[usize], labels: &[ClassId], share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let (mut stay, mut go) = (Vec::new(), Vec::new());
    for class in 0..2u32 {
        let mut own = rows.iter().copied().filter(|&i| labels[i] == ClassId(class)).collect::<Vec<_>>();
        own.shuffle(&mut Streams::new(seed).at("rsna-split", u64::from(class), 0));
        let least = usize::from(own.len() > 1);
        let n = ((own.len() as f64 * share).round() as usize).max(least);
        go.extend_from_slice(&own[..n]);
        stay.extend_from_slice(&own[n..]);
    }
    stay.sort_unstable();
    go.sort_unstable();
    (stay, go)
}

#[cfg(test)]
mod tests {
    use super::super::dicom::tests::file;
    use super::*;
    use std::{fmt::Write, fs};

    #[test]
    fn files_of_the_layout_become_splits() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("stage_2_train_images")).unwrap();
        let mut table = "patientId,x,y,width,height,Target\n".to_owned();
        for i in 0..60u8 {
            let target = u8::from(i % 3 == 0);
            let box_ = if target == 1 { "1.0,2.0,3.0,4.0" } else { ",,," };
            let _ = writeln!(table, "p-{i:02},{box_},{target}");
            if i == 3 {
                table += "p-03,5.0,6.0,7.0,8.0,1\n";
            }
            let pixels = vec![if target == 1 { 200 } else { i }; 20 * 10];
            let syntax = if i % 2 == 0 { "1.2.840.10008.1.2" } else { "1.2.840.10008.1.2.1" };
            let path = dir.path().join("stage_2_train_images").join(format!("p-{i:02}.dcm"));
            fs::write(path, file(syntax, (20, 10), 8, "MONOCHROME2 ", &pixels)).unwrap();
        }
        fs::write(dir.path().join("stage_2_train_labels.csv"), &table).unwrap();
        let s = crate::load("rsna", Some(dir.path()), &LoadOptions::default()).unwrap();
        let sizes = [s.train.images.len(), s.val.images.len(), s.field.images.len(), s.holdout.images.len()];
        assert_eq!((sizes.iter().sum::<usize>(), sizes[3]), (60, 6));
        assert_eq!((s.train.images.height(), s.train.images.width()), (160, 160));
        for (i, label) in s.train.labels.iter().enumerate() {
            assert_eq!(s.train.images.get(i)[0] == 200, label.0 == 1, "the picture belongs to its label");
        }
        let share = s.val.labels.iter().filter(|l| l.0 == 1).count() as f64 / s.val.labels.len() as f64;
        assert!((share - 1.0 / 3.0).abs() < 0.1, "each class by itself");
        for (bad, word) in [
            (table.replace("Target", "Tar"), "Target"),
            (table.replace("p-07", "../p-07"), "no patient"),
            (table.replace("p-03,5.0,6.0,7.0,8.0,1", "p-03,,,,,0"), "both"),
            (format!("{table}p-99,,,,,0\n"), "p-99"),
        ] {
            fs::write(dir.path().join("stage_2_train_labels.csv"), bad).unwrap();
            let e = crate::load("rsna", Some(dir.path()), &LoadOptions::default()).unwrap_err().to_string();
            assert!(e.contains(word), "{e}");
        }
    }
}
