//! SVHN (street view house numbers, format 2: cropped digits), from its official MATLAB files.

use crate::bytes::format_error;
use crate::columns::from_columns;
use crate::dataset::{Dataset, Folder};
use crate::published::{Cuts, Plan};
use crate::{DataError, Images, Normalization, TrainTransform, Whole, mat};
use hybridrepair_core::ClassId;
use rayon::prelude::*;
use std::path::Path;

/// SVHN in its published split: 3,750 training and 3,750 validation pictures in draw order, a holdout of 10,000 and a
/// field pool of 79,289. Sample ids are rows of the 73,257 training pictures followed by the 26,032 test pictures.
pub(crate) static SVHN: Dataset = Dataset {
    name: "svhn",
    about: "house numbers, cropped digits; published split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &[],
        holds: "train_32x32.mat and test_32x32.mat",
        source: "\"Format 2: Cropped Digits\" at http://ufldl.stanford.edu/housenumbers",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| PLAN.cut(read_svhn(dir)?, &options.published),
};

const PLAN: Plan = Plan {
    name: SVHN.name,
    normalization: Normalization { mean: [0.5; 3], std: [0.5; 3] },
    cuts: Cuts { train: (0..5_000, 0.75), val: (5_000..10_000, 0.75), holdout: 10_000..20_000, field: 20_000..99_289 },
};

/// Rows and columns of a picture.
const SIDE: usize = 32;
/// Number of classes.
const CLASSES: usize = 10;
/// The files with the pictures that each must hold.
const FILES: [(&str, usize); 2] = [("train_32x32.mat", 73_257), ("test_32x32.mat", 26_032)];

/// Reads `train_32x32.mat` and `test_32x32.mat` of `dir`: all pictures in file order, class `d` being digit `d`.
///
/// # Errors
/// When the folder or a file is missing, or a file is damaged or holds another number of pictures than the official one.
pub fn read_svhn(dir: &Path) -> Result<Whole, DataError> {
    let found = SVHN.find(dir, &FILES.map(|f| f.0))?;
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for (file, pictures) in FILES {
        let path = found.join(file);
        let (part, classes) = read_svhn_part(&path)?;
        if classes.len() != pictures {
            return Err(format_error(&path, format!("{} pictures, expected {pictures}", classes.len())));
        }
        data.extend_from_slice(part.as_slice());
        labels.extend(classes);
    }
    let class_names = (0..CLASSES).map(|d| d.to_string()).collect();
    Ok(Whole { images: Images::new(data, SIDE, SIDE)?, labels, class_names })
}

/// Reads one file in the format of SVHN: `X`, 32 x 32 x 3 x n of `uint8`, and `y`, n labels from 1 to 10, where 10 is
/// digit 0.
///
/// # Errors
/// When the file is damaged, an array is missing or of another shape or type, or a label is outside 1 to 10.
pub fn read_svhn_part(path: &Path) -> Result<(Images, Vec<ClassId>), DataError> {
    let wrong = |why: String| format_error(path, why);
    let [x, y]: [mat::Variable; 2] =
        mat::read(path, &["X", "y"])?.try_into().map_err(|_| wrong("X or y is not there".to_owned()))?;
    // MATLAB drops a last dimension of 1
    let n = match *x.dims {
        [SIDE, SIDE, 3, n] => n,
        [SIDE, SIDE, 3] => 1,
        _ => return Err(wrong(format!("X has dimensions {:?}, expected [32, 32, 3, pictures]", x.dims))),
    };
    let dims = x.dims.clone();
    let planes = x.into_u8().ok_or_else(|| wrong("X is not of uint8".to_owned()))?;
    let numbers = y.whole().ok_or_else(|| wrong("y holds something else than whole numbers".to_owned()))?;
    if numbers.len() != n {
        return Err(wrong(format!("y has dimensions {:?} for the {n} pictures of X {dims:?}", y.dims)));
    }
    let class = |(row, &label): (usize, &i64)| match label {
        1..=9 => Ok(ClassId::from(label as usize)),
        10 => Ok(ClassId(0)),
        _ => Err(wrong(format!("picture {row} has label {label}, expected 1 to 10 (10 for digit 0)"))),
    };
    let labels = numbers.iter().enumerate().map(class).collect::<Result<Vec<_>, _>>()?;
    let stride = SIDE * SIDE * 3;
    let mut data = vec![0; planes.len()];
    data.par_chunks_mut(stride)
        .zip(planes.par_chunks(stride))
        .for_each(|(out, planes)| from_columns(planes, SIDE, out));
    Ok((Images::new(data, SIDE, SIDE)?, labels))
}
