use crate::bytes::format_error;
use crate::dataset::{Dataset, LoadOptions};
use crate::published::{Cuts, Plan};
use crate::{DataError, Images, Normalization, Splits, TrainTransform, Whole, idx};
use hybridrepair_core::ClassId;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Rows and columns of a picture in the files.
const GREY: usize = 28;
/// Rows and columns of a picture as it is used.
const SIDE: usize = 32;
/// Black pixels on each side.
const BORDER: usize = (SIDE - GREY) / 2;
/// Number of classes.
pub(super) const CLASSES: usize = 10;

/// The files of most members, in words.
pub(super) const HOLDS: &str = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and \
     t10k-labels-idx1-ubyte, plain or .gz";
/// Writing is not mirrored.
pub(super) const WRITING: TrainTransform = TrainTransform { flip: false, padding: 4 };

/// What tells the members apart.
pub(super) struct Member {
    pub(super) dataset: &'static Dataset,
    /// Beginnings of the names of the training and the test files, and the pictures that each must hold.
    pub(super) parts: [(&'static str, usize); 2],
    /// Whether rows and columns are swapped in the files.
    pub(super) transposed: bool,
    pub(super) class_names: [&'static str; CLASSES],
}

/// Beginnings of the names of most members' files, for 60,000 and 10,000 pictures.
pub(super) const PARTS: [(&str, usize); 2] = [("train", 60_000), ("t10k", 10_000)];

impl Member {
    /// The data set in a split of our own: shuffled, then 15,000 pictures for training and 5,000 for validation, of which
    /// three quarters are drawn, 10,000 for the holdout, all others for the field pool.
    ///
    /// Sample ids are rows of the training pictures followed by the test pictures.
    pub(super) fn load(&self, dir: &Path, options: &LoadOptions) -> Result<Splits, DataError> {
        let all = self.parts.iter().map(|p| p.1).sum();
        let plan = Plan {
            name: self.dataset.name,
            normalization: Normalization { mean: [0.5; 3], std: [0.5; 3] },
            cuts: Cuts {
                train: (0..15_000, 0.75),
                val: (15_000..20_000, 0.75),
                holdout: 20_000..30_000,
                field: 30_000..all,
            },
        };
        plan.cut_shuffled(self.read(dir)?, &options.published)
    }

    fn read(&self, dir: &Path) -> Result<Whole, DataError> {
        let (mut data, mut labels) = (Vec::new(), Vec::new());
        let files = self.parts.map(|(part, _)| {
            Ok([
                self.find(dir, &format!("{part}-images-idx3-ubyte"))?,
                self.find(dir, &format!("{part}-labels-idx1-ubyte"))?,
            ])
        });
        let [train, test] = files;
        for ([images_file, labels_file], (_, pictures)) in [train?, test?].into_iter().zip(self.parts) {
            let (images, classes) = read_part(&images_file, &labels_file, self.transposed)?;
            if classes.len() != pictures {
                let why = format!("{} pictures, expected {pictures}", classes.len());
                return Err(format_error(&images_file, why));
            }
            data.extend_from_slice(images.as_slice());
            labels.extend(classes);
        }
        let class_names = self.class_names.map(str::to_owned).to_vec();
        Ok(Whole { images: Images::new(data, SIDE, SIDE)?, labels, class_names })
    }

    /// The file of this name, packed or not, also with the dot that some unpackers put before `idx`.
    fn find(&self, dir: &Path, name: &str) -> Result<PathBuf, DataError> {
        let inside = self.dataset.inside(dir);
        let dotted = name.replace("-idx", ".idx");
        let names = [name.to_owned(), format!("{name}.gz"), dotted.clone(), format!("{dotted}.gz")];
        let found = names.iter().map(|n| inside.join(n)).find(|f| f.is_file());
        found.ok_or_else(|| self.dataset.missing(dir, name, ""))
    }
}

/// Reads a part of a member of the MNIST family: a file of n x 28 x 28 grey pictures and one of n labels, idx files of
/// bytes, plain or packed with gzip. Grey becomes three equal channels; two black pixels on each side make 32 x 32.
///
/// # Errors
/// When a file is missing, damaged or of another shape, the numbers of pictures and labels differ, or a label is above 9.
pub fn read_mnist_part(images: &Path, labels: &Path) -> Result<(Images, Vec<ClassId>), DataError> {
    read_part(images, labels, false)
}

fn read_part(images: &Path, labels: &Path, transposed: bool) -> Result<(Images, Vec<ClassId>), DataError> {
    let pictures = idx::read(images, 3)?;
    let &[n, GREY, GREY] = pictures.dims.as_slice() else {
        let why = format!("pictures of {} x {}, expected 28 x 28", pictures.dims[1], pictures.dims[2]);
        return Err(format_error(images, why));
    };
    let classes = idx::read(labels, 1)?.data;
    if classes.len() != n {
        return Err(format_error(
            labels,
            format!("{} labels for the {n} pictures of {}", classes.len(), images.display()),
        ));
    }
    if let Some((record, &label)) = classes.iter().enumerate().find(|(_, c)| usize::from(**c) >= CLASSES) {
        let (path, label) = (labels.to_owned(), usize::from(label));
        return Err(DataError::Label { path, record, label, classes: CLASSES });
    }
    let mut data = vec![0; n * SIDE * SIDE * 3];
    data.par_chunks_mut(SIDE * SIDE * 3)
        .zip(pictures.data.par_chunks(GREY * GREY))
        .for_each(|(out, grey)| paint(grey, transposed, out));
    Ok((Images::new(data, SIDE, SIDE)?, classes.into_iter().map(|c| ClassId::from(usize::from(c))).collect()))
}

fn paint(grey: &[u8], transposed: bool, out: &mut [u8]) {
    let pixels = out.as_chunks_mut::<3>().0;
    for (i, row) in grey.chunks_exact(GREY).enumerate() {
        for (j, &v) in row.iter().enumerate() {
            let (y, x) = if transposed { (j, i) } else { (i, j) };
            pixels[(y + BORDER) * SIDE + x + BORDER] = [v; 3];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist::emnist::MEMBER as EMNIST;
    use crate::mnist::fashion::MEMBER as FASHION;
    use crate::{BiasModel, DrawSource, PublishedSplit};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
        let dims_bytes = dims.iter().flat_map(|d| d.to_be_bytes()).collect::<Vec<_>>();
        [&[0, 0, 8, dims.len() as u8], dims_bytes.as_slice(), data].concat()
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    #[test]
    fn grey_pictures_get_a_black_border() {
        let dir = tempfile::tempdir().unwrap();
        let (images, labels) = (dir.path().join("i"), dir.path().join("l"));
        let grey: Vec<u8> = (0..2 * 784).map(|i| (i * 31 % 255 + 1) as u8).collect();
        std::fs::write(&images, gz(&idx(&[2, 28, 28], &grey))).unwrap();
        std::fs::write(&labels, idx(&[2], &[7, 0])).unwrap();
        for transposed in [false, true] {
            let (pictures, classes) = read_part(&images, &labels, transposed).unwrap();
            assert_eq!(classes, [ClassId(7), ClassId(0)]);
            for n in 0..2 {
                for (p, pixel) in pictures.get(n).chunks_exact(3).enumerate() {
                    let (y, x) = (p / 32, p % 32);
                    let inside = (2..30).contains(&y) && (2..30).contains(&x);
                    let (i, j) = if transposed { (x, y) } else { (y, x) };
                    let expected = if inside { grey[n * 784 + (i - 2) * 28 + j - 2] } else { 0 };
                    assert_eq!(pixel, [expected; 3], "{n} {y} {x}");
                }
            }
        }
    }

    #[test]
    fn pictures_and_labels_must_belong_together() {
        let dir = tempfile::tempdir().unwrap();
        let (images, labels) = (dir.path().join("i"), dir.path().join("l"));
        let check = |pictures: &[u8], classes: &[u8], text: &str| {
            std::fs::write(&images, pictures).unwrap();
            std::fs::write(&labels, classes).unwrap();
            let e = read_mnist_part(&images, &labels).unwrap_err().to_string();
            assert!(e.contains(text), "{e}");
        };
        let one = idx(&[1, 28, 28], &[5; 784]);
        check(&one, &idx(&[2], &[1, 2]), "l: 2 labels for the 1 pictures of");
        check(&one, &idx(&[1], &[10]), "l: record 0 has label 10, outside the 10 classes");
        check(&idx(&[2, 14, 28], &[5; 784]), &idx(&[2], &[1, 2]), "i: pictures of 14 x 28, expected 28 x 28");
        check(&idx(&[1], &[5]), &one, "i: idx file of 1 dimensions, expected 3");
        check(&one, &one, "l: idx file of 3 dimensions, expected 1");
    }

    #[test]
    fn a_whole_member_is_cut_and_its_files_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let e = FASHION.load(dir.path(), &LoadOptions::default()).unwrap_err().to_string();
        assert!(e.contains("no fashion-mnist in") && e.contains("train-images-idx3-ubyte not found"), "{e}");
        let raw = dir.path().join("FashionMNIST/raw");
        std::fs::create_dir_all(&raw).unwrap();
        let classes = |n: u32| (0..n).map(|i| (i % 10) as u8).collect::<Vec<_>>();
        let pictures = |n: u32| idx(&[n, 28, 28], &(0..n).flat_map(|i| [(i % 10) as u8; 784]).collect::<Vec<_>>());
        std::fs::write(raw.join("train-images-idx3-ubyte"), pictures(60_000)).unwrap();
        std::fs::write(raw.join("train-labels-idx1-ubyte.gz"), gz(&idx(&[60_000], &classes(60_000)))).unwrap();
        std::fs::write(raw.join("t10k-labels.idx1-ubyte"), idx(&[10_000], &classes(10_000))).unwrap();
        std::fs::write(raw.join("t10k-images.idx3-ubyte.gz"), gz(&pictures(9_999))).unwrap();
        let e = FASHION.load(dir.path(), &LoadOptions::default()).unwrap_err().to_string();
        assert!(e.contains("10000 labels for the 9999 pictures"), "{e}");
        std::fs::write(raw.join("t10k-images.idx3-ubyte.gz"), gz(&pictures(10_000))).unwrap();
        for model in BiasModel::ALL {
            let published = PublishedSplit { model, source: DrawSource::Seed(10) };
            let s = FASHION.load(dir.path(), &LoadOptions { published, ..LoadOptions::default() }).unwrap();
            assert_eq!((s.train.images.len(), s.val.images.len()), (11_250, 3_750));
            assert_eq!((s.holdout.images.len(), s.field.images.len()), (10_000, 40_000));
            assert_eq!((s.name.as_str(), s.class_names[9].as_str()), ("fashion-mnist", "Ankle boot"));
            for (i, label) in s.train.labels.iter().enumerate() {
                // the middle pixel shows the class, and ids follow the files
                assert_eq!(usize::from(s.train.images.get(i)[(16 * 32 + 16) * 3]), label.column());
                assert_eq!(s.train.ids[i].0 as usize % 10, label.column());
            }
            // shuffled: test pictures are in every part
            assert!(s.train.ids.iter().any(|i| i.0 >= 60_000) && s.holdout.ids.iter().any(|i| i.0 >= 60_000));
        }
        assert_eq!(EMNIST.parts.map(|p| p.1), [240_000, 40_000]);
        let e = EMNIST.load(dir.path(), &LoadOptions::default()).unwrap_err().to_string();
        assert!(e.contains("emnist-digits-train-images-idx3-ubyte not found"), "{e}");
    }
}
