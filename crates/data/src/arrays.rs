//! `arrays`: pictures and labels that somebody has saved with numpy.

use crate::bytes::format_error;
use crate::dataset::{Dataset, Folder, LoadOptions};
use crate::npy::{self, Npz};
use crate::{DataError, Field, Images, Labelled, Normalization, Splits, TrainTransform};
use hybridrepair_core::{ClassId, SampleId, SealedLabels};
use ndarray::ArrayD;
use std::path::{Path, PathBuf};

/// Arrays in a folder of `.npy` files or in one `.npz` file, already split.
pub(crate) static ARRAYS: Dataset = Dataset {
    name: "arrays",
    about: "your own pictures as numpy arrays",
    classes: None,
    folder: Some(Folder {
        inner: &[],
        holds: "train_images.npy (uint8, n x height x width x 3, or n x height x width of grey) and train_labels.npy \
             (n whole numbers from 0), the same for val (may be missing), field and holdout, or one .npz file with these \
             names; class_names.txt may stand beside them, one name per line",
        source: "write them with numpy.save or numpy.savez",
    }),
    transform: TrainTransform::PUBLISHED,
    load: read_arrays,
};

/// Without validation pictures, every tenth training picture becomes one.
const VAL_SHARE: usize = 10;
/// The most classes.
const MOST_CLASSES: usize = 100_000;
/// The file with the names of the classes.
const NAMES: &str = "class_names.txt";

/// The place of the arrays.
enum Source {
    Folder(PathBuf),
    Npz(PathBuf, Npz),
}

/// A part of the data, with the file that its errors name.
struct Part {
    images: Images,
    labels: Vec<i64>,
    labels_file: PathBuf,
}

fn read_arrays(dir: &Path, _: &LoadOptions) -> Result<Splits, DataError> {
    let mut source = Source::find(dir)?;
    let train = source.part("train")?;
    let val = if source.has("val_images") { Some(source.part("val")?) } else { None };
    let (field, holdout) = (source.part("field")?, source.part("holdout")?);
    let size = |p: &Part| (p.images.height(), p.images.width());
    for (name, part) in [("val", val.as_ref()), ("field", Some(&field)), ("holdout", Some(&holdout))] {
        let Some(part) = part.filter(|p| size(p) != size(&train)) else { continue };
        let why = format!("pictures of {:?}, those of train have {:?}", size(part), size(&train));
        return Err(format_error(&source.path(&format!("{name}_images")), why));
    }
    let class_names = source.class_names(&train)?;
    let classes = class_names.len();
    let normalization = Normalization::of(&train.images);
    let mut first = 0;
    let mut labelled = |part: Part| {
        let labels = part.classes(classes)?;
        let ids = (first..first + labels.len() as u64).map(SampleId).collect();
        first += labels.len() as u64;
        Ok::<_, DataError>(Labelled { images: part.images, labels, ids })
    };
    let train = labelled(train)?;
    let (train, val) = if let Some(val) = val {
        (train, labelled(val)?)
    } else {
        let rows = |val: bool| (0..train.labels.len()).filter(move |r| (r % VAL_SHARE == VAL_SHARE - 1) == val);
        (train.select(&rows(false).collect::<Vec<_>>()), train.select(&rows(true).collect::<Vec<_>>()))
    };
    let mut sealed = |part, what: &str| {
        let Labelled { images, labels, ids } = labelled(part)?;
        Ok::<_, DataError>(Field { images, labels: SealedLabels::seal(what, labels), ids, conditions: None })
    };
    let (field, holdout) = (sealed(field, "field")?, sealed(holdout, "holdout")?);
    let (name, condition_names, notes) = (ARRAYS.name.to_owned(), Vec::new(), Vec::new());
    let list = None;
    Ok(Splits { name, class_names, condition_names, notes, list, normalization, train, val, field, holdout })
}

impl Source {
    /// A folder of `.npy` files, or the one `.npz` file in it, or the `.npz` file itself.
    fn find(dir: &Path) -> Result<Self, DataError> {
        if dir.is_file() {
            return Ok(Self::Npz(dir.to_owned(), Npz::open(dir)?));
        }
        if dir.join("train_images.npy").is_file() {
            return Ok(Self::Folder(dir.to_owned()));
        }
        let files = std::fs::read_dir(dir).map_err(DataError::io(dir))?;
        let mut packed = files.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "npz"));
        match (packed.next(), packed.next()) {
            (Some(file), None) => Ok(Self::Npz(file.clone(), Npz::open(&file)?)),
            (Some(_), Some(_)) => {
                Err(ARRAYS.missing(dir, "train_images.npy", "there are several .npz files: pass one of them; "))
            }
            (None, _) => Err(ARRAYS.missing(dir, "train_images.npy", "")),
        }
    }

    /// Where an array is, for errors.
    fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(place) | Self::Npz(place, _) => place.join(format!("{name}.npy")),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(_) => self.path(name).is_file(),
            Self::Npz(_, npz) => npz.has(name),
        }
    }

    fn check(&self, name: &str) -> Result<PathBuf, DataError> {
        let (Self::Folder(place) | Self::Npz(place, _)) = self;
        if self.has(name) { Ok(self.path(name)) } else { Err(ARRAYS.missing(place, &format!("{name}.npy"), "")) }
    }

    fn part(&mut self, name: &str) -> Result<Part, DataError> {
        let (images_name, labels_name) = (format!("{name}_images"), format!("{name}_labels"));
        let (images_file, labels_file) = (self.check(&images_name)?, self.check(&labels_name)?);
        let (pictures, labels) = match self {
            Self::Folder(_) => (npy::read_u8(&images_file)?, npy::read_i64_1d(&labels_file)?),
            Self::Npz(_, npz) => (npz.read_u8(&images_name)?, npz.read_i64_1d(&labels_name)?),
        };
        let images = pictures_of(pictures, &images_file)?;
        if images.len() != labels.len() {
            let why = format!("{} labels for the {} pictures of {images_name}", labels.len(), images.len());
            return Err(format_error(&labels_file, why));
        }
        Ok(Part { images, labels: labels.to_vec(), labels_file })
    }

    /// The names in the file beside the arrays, or numbers up to the highest training label.
    fn class_names(&self, train: &Part) -> Result<Vec<String>, DataError> {
        let beside = match self {
            Self::Folder(place) => place.join(NAMES),
            Self::Npz(place, _) => place.with_file_name(NAMES),
        };
        if beside.is_file() {
            let text = std::fs::read_to_string(&beside).map_err(DataError::io(&beside))?;
            let names: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
            return if names.is_empty() { Err(format_error(&beside, "holds no name")) } else { Ok(names) };
        }
        let highest = train.labels.iter().copied().max().unwrap_or(0);
        match usize::try_from(highest) {
            Ok(n) if n < MOST_CLASSES => Ok((0..=n).map(|c| c.to_string()).collect()),
            _ => Err(format_error(&train.labels_file, format!("label {highest} is no number of a class"))),
        }
    }
}

impl Part {
    fn classes(&self, classes: usize) -> Result<Vec<ClassId>, DataError> {
        let class = |(row, &label): (usize, &i64)| match usize::try_from(label) {
            Ok(c) if c < classes => Ok(ClassId::from(c)),
            _ => {
                let why = format!("label {label} of picture {row} is outside the {classes} classes of train");
                Err(format_error(&self.labels_file, why))
            }
        };
        self.labels.iter().enumerate().map(class).collect()
    }
}

/// Colour pictures as they are, grey ones with three equal channels.
fn pictures_of(array: ArrayD<u8>, path: &Path) -> Result<Images, DataError> {
    let shape = array.shape().to_vec();
    let (data, _) = array.into_raw_vec_and_offset();
    match *shape {
        [n, height, width, 3] if n * height * width > 0 => Images::new(data, height, width),
        [n, height, width] if n * height * width > 0 => {
            Images::new(data.into_iter().flat_map(|v| [v; 3]).collect(), height, width)
        }
        _ => {
            let why = format!("shape {shape:?}, expected (n, height, width, 3) or (n, height, width), none 0");
            Err(format_error(path, why))
        }
    }
}
