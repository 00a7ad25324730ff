use crate::Error;
use hybridrepair_core::SealedLabels;
use hybridrepair_data::{
    BiasModel, Corrupt, Cut, Dataset, DrawSource, Field, Labelled, LoadOptions, Normalization, PublishedSplit,
    SignsSpec, Splits, TrainTransform,
    folder::{FileList, InputSize, OwnFolders},
};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};

/// The data and how it is cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Name of the data set.
    pub name: String,
    /// Its folder, for data sets that are read from files.
    pub dir: Option<PathBuf>,
    /// For published splits: the class weighting of the model under repair (`A`, `B` or `C`).
    pub split: String,
    /// For published splits: index files (`train.npy`, `val.npy`) instead of the seeded draw.
    pub split_files: Option<(PathBuf, PathBuf)>,
    /// Seed of the draw and of the cut: part of the data, not of the run.
    pub split_seed: u64,
    /// A smaller version of each split.
    pub cut: Cut,
    /// What is done to the pictures of field and holdout, as `noise=3`: a shift that the source has not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<Corrupt>,
    /// What the result is judged on.
    pub judge: Judge,
    /// For `signs`: pictures to draw.
    pub signs: SignsSizes,
    /// Own folders instead of a data set by name.
    pub folders: Option<FolderConfig>,
    /// For picture files: height and width of the network's input.
    pub input: Option<[usize; 2]>,
    /// For picture files: `stretch`, `fit-pad`, `center-crop` or `center-crop=SHORTER`.
    pub resize: Option<String>,
    /// For picture files: the channel statistics that the model expects, where they are not those of `train`.
    pub normalization: Option<Normalization>,
    /// For own folders: a name per class in the order of the logits.
    pub classes: Option<Vec<String>>,
}

/// Folders of own pictures; all but the field pool may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// What the model was trained on, a folder per class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<PathBuf>,
    /// Held out from training, a folder per class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val: Option<PathBuf>,
    /// The pool that labels are bought from.
    pub field: PathBuf,
    /// Judges the repair, a folder per class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<PathBuf>,
}

/// The pictures that a result is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judge {
    /// The holdout.
    Holdout,
    /// The validation split in its place, while a method is developed: the holdout is not opened.
    Val,
}

/// How many pictures of the built-in data to draw; the standard set unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignsSizes {
    /// Training pictures.
    pub train: usize,
    /// Validation pictures.
    pub val: usize,
    /// Pictures of the field pool.
    pub field: usize,
    /// Pictures of the holdout.
    pub holdout: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            name: "signs".to_owned(),
            dir: None,
            split: "A".to_owned(),
            split_files: None,
            split_seed: 10,
            cut: Cut::default(),
            corrupt: None,
            judge: Judge::Holdout,
            signs: SignsSizes::default(),
            folders: None,
            input: None,
            resize: None,
            normalization: None,
            classes: None,
        }
    }
}

impl Default for SignsSizes {
    fn default() -> Self {
        let SignsSpec { train, val, field, holdout, .. } = SignsSpec::standard();
        Self { train, val, field, holdout }
    }
}

impl DataConfig {
    /// Loads the data set.
    ///
    /// # Errors
    /// When it is unknown, missing or damaged.
    pub fn load(&self) -> Result<Splits, Error> {
        self.load_listed(None, false)
    }

    /// Loads the data set; of own folders exactly the files of `list`, the field pool without labels for `people`.
    ///
    /// # Errors
    /// When it is unknown, missing or damaged.
    pub fn load_listed(&self, list: Option<Arc<FileList>>, people: bool) -> Result<Splits, Error> {
        let source = match &self.split_files {
            Some((train, val)) => DrawSource::IndexFiles { train: train.clone(), val: val.clone() },
            None => DrawSource::Seed(self.split_seed),
        };
        let model: BiasModel = self.split.parse()?;
        let SignsSizes { train, val, field, holdout } = self.signs;
        let options = LoadOptions {
            signs: SignsSpec { train, val, field, holdout, ..SignsSpec::standard() },
            published: PublishedSplit { model, source },
            cut: self.cut,
            corrupt: self.corrupt,
            cut_seed: self.split_seed,
            input: self.input_size()?,
            own: self.folders.clone().map(|FolderConfig { train, val, field, holdout }| OwnFolders {
                train,
                val,
                field,
                holdout,
                classes: self.classes.clone(),
                people,
            }),
            list,
        };
        let mut splits = hybridrepair_data::load(&self.name, self.dir.as_deref(), &options)?;
        if self.judge == Judge::Val {
            let Labelled { images, labels, ids } = splits.val.clone();
            splits.holdout =
                Field { images, labels: SealedLabels::seal("validation split", labels), ids, conditions: None };
            if let Some(corrupt) = self.corrupt {
                corrupt.apply(&mut splits.holdout, self.split_seed)?;
            }
            splits.notes.push("judged on the validation split: the holdout is not opened".to_owned());
        }
        if let Some(normalization) = self.normalization {
            splits.normalization = normalization;
        }
        if people {
            splits.field.labels = SealedLabels::unknown("field");
        }
        Ok(splits)
    }

    /// The input size that was asked for, where one was.
    fn input_size(&self) -> Result<Option<InputSize>, Error> {
        let resize = self.resize.as_deref().unwrap_or("stretch").parse()?;
        match self.input {
            Some([height, width]) => Ok(Some(InputSize { height, width, resize })),
            None if self.resize.is_some() => {
                Err(Error::Config("resize without input: say the size of the network's input as well".to_owned()))
            }
            None => Ok(None),
        }
    }

    /// How training pictures are varied, which depends on the data set: a mirrored arrow points the other way.
    pub fn transform(&self) -> TrainTransform {
        Dataset::named(&self.name).map_or(TrainTransform::PUBLISHED, |d| d.transform)
    }
}
