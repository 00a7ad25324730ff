//! Own pictures for a model that was made elsewhere: what the model wants to be shown, and what stands in for its training
//! data where nobody has them.

use crate::{DataConfig, Error};
use hybridrepair_core::ClassId;
use hybridrepair_data::{Labelled, Normalizer, Splits};
use hybridrepair_torch::{Model, ScriptFacts, peek_checkpoint, predict};
use std::path::Path;

/// Most pictures that stand in for the source data.
const MOST: usize = 5000;

impl DataConfig {
    /// Takes from the model's file what the settings leave open about pictures in folders: classes in the order of the
    /// logits, normalisation and input size. What flags and recipes say wins.
    ///
    /// # Errors
    /// When the model's file cannot be read.
    pub fn complete_from_model(&mut self, torchscript: Option<&Path>, checkpoint: Option<&Path>) -> Result<(), Error> {
        // published data sets have their own statistics, and a folder of `train` is measured unless the model knows better
        let files = ["folder", "manifest"].contains(&self.name.as_str()) && torchscript.is_some();
        if self.folders.is_none() && !files {
            return Ok(());
        }
        let facts = match (torchscript, checkpoint) {
            (Some(script), _) => ScriptFacts::read(script)?,
            (None, Some(checkpoint)) => match peek_checkpoint(checkpoint) {
                Ok(meta) => ScriptFacts {
                    class_names: Some(meta.class_names),
                    normalization: Some(meta.normalization),
                    input: Some(meta.input),
                    resize: None,
                },
                // a plain state dict says nothing; what is wrong with it is told where it is opened
                Err(_) => ScriptFacts::default(),
            },
            (None, None) => return Ok(()),
        };
        if self.folders.is_some() && self.classes.is_none() {
            self.classes = facts.class_names;
        }
        self.normalization = self.normalization.or(facts.normalization);
        if self.input.is_none() {
            self.input = facts.input;
            self.resize = self.resize.take().or(facts.resize.filter(|_| facts.input.is_some()));
        }
        Ok(())
    }
}

/// Where nobody has the data that the model was trained on, the field pictures on which it is surest stand in, labelled by
/// itself: of each class that it gives, the surer half, at most 5,000 in all.
///
/// They keep what the model knows while it is repaired, which is what replay is for. Their labels are its own, so they
/// teach it nothing new.
///
/// # Errors
/// When libtorch fails or the model gives NaN.
pub(crate) fn stand_in(splits: &mut Splits, model: &Model, normalizer: &Normalizer) -> Result<(), Error> {
    let out = predict(model, &splits.field.images, normalizer)?;
    let probs = hybridrepair_core::Probs::from_logits(&out.logits)?;
    let predicted = out.classes();
    let mut by_class: Vec<Vec<(f32, usize)>> = vec![Vec::new(); splits.classes()];
    for (row, class) in predicted.iter().enumerate() {
        by_class[class.column()].push((probs.row(row)[class.column()], row));
    }
    let given = by_class.iter().filter(|c| !c.is_empty()).count().max(1);
    let mut rows = Vec::new();
    for mut sure in by_class {
        sure.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rows.extend(sure.iter().take(sure.len().div_ceil(2).min(MOST / given)).map(|&(_, row)| row));
    }
    rows.sort_unstable();
    let part = |rows: &[usize]| {
        let labels: Vec<ClassId> = rows.iter().map(|&r| predicted[r]).collect();
        let ids = rows.iter().map(|&r| splits.field.ids[r]).collect();
        Labelled { images: splits.field.images.select(rows), labels, ids }
    };
    // every tenth of them watches that nothing is forgotten
    let (val, train): (Vec<_>, Vec<_>) = rows.iter().enumerate().partition(|(i, _)| i % 10 == 9);
    let only = |list: Vec<(usize, &usize)>| list.into_iter().map(|(_, &row)| row).collect::<Vec<_>>();
    let (train, val) = (part(&only(train)), part(&only(val)));
    splits.notes.push(format!(
        "no training pictures: the {} field pictures on which the model is surest stand in for them, labelled by itself",
        rows.len()
    ));
    (splits.train, splits.val) = (train, val);
    Ok(())
}
