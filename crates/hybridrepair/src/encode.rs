//! Embeddings of pictures by an extractor that may want another size than the model under repair.

use crate::Error;
use hybridrepair_core::SampleId;
use hybridrepair_data::{
    DataError, Images, Normalizer, Splits,
    folder::{InputSize, decode_file},
};
use hybridrepair_embed::Opened;
use ndarray::{Array2, Axis};
use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// The files of some samples, where the data set was read from files.
pub(crate) fn files_of(splits: &Splits, ids: &[SampleId]) -> Option<Vec<PathBuf>> {
    let list = splits.list.as_ref()?;
    ids.iter().map(|id| list.files.get(id.0 as usize).map(|f| f.path.clone())).collect()
}

/// Embeddings `n x d` of pictures, not normalised.
///
/// Where the extractor's input has another size than the pictures, their files are decoded anew at that size (batch by
/// batch: memory does not grow with their number), and pictures that come from no file are resized.
///
/// # Errors
/// When a file does not decode any more, or libtorch fails.
pub fn encode(opened: &Opened, images: &Images, files: Option<&[PathBuf]>) -> Result<Array2<f32>, Error> {
    let normalizer = Normalizer::new(opened.normalization)?;
    let [height, width] = opened.input;
    if (height, width) == (images.height(), images.width()) {
        return Ok(opened.encoder.encode(images, &normalizer)?);
    }
    let input = input_of(opened)?;
    if let Some(files) = files {
        let (rows, skipped) = encode_files(opened, files, &input)?;
        // they have decoded before
        match skipped.into_iter().next() {
            Some((i, why)) => Err(DataError::Format { path: files[i].clone(), why }.into()),
            None => Ok(rows),
        }
    } else {
        let size = (images.height(), images.width());
        Ok(opened.encoder.encode_with(images.len(), (height, width), |i, out| {
            let mut bytes = vec![0; input.stride()];
            input.place(images.get(i), size, &mut bytes);
            normalizer.apply(&bytes, out);
        })?)
    }
}

/// The size that an extractor wants, and how pictures are brought there.
///
/// # Errors
/// When it is no size.
pub fn input_of(opened: &Opened) -> Result<InputSize, Error> {
    let [height, width] = opened.input;
    let resize = opened.resize.as_deref().unwrap_or("stretch").parse()?;
    let input = InputSize { height, width, resize };
    input.check()?;
    Ok(input)
}

/// Files that were passed over, by their place, and why.
pub type PassedOver = Vec<(usize, String)>;

/// Embeddings of picture files, decoded batch by batch on the cores that also run the network; what does not decode has no
/// row and is named.
///
/// # Errors
/// When libtorch fails.
pub fn encode_files(opened: &Opened, files: &[PathBuf], input: &InputSize) -> Result<(Array2<f32>, PassedOver), Error> {
    let normalizer = Normalizer::new(opened.normalization)?;
    let failed: Mutex<PassedOver> = Mutex::new(Vec::new());
    let size = (input.height, input.width);
    let rows = opened.encoder.encode_with(files.len(), size, |i, out| {
        let mut bytes = vec![0; input.stride()];
        match decode_file(&files[i], input, &mut bytes) {
            Ok(()) => normalizer.apply(&bytes, out),
            Err(why) => failed.lock().unwrap_or_else(PoisonError::into_inner).push((i, why.to_string())),
        }
    })?;
    let mut skipped = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    skipped.sort();
    if skipped.is_empty() {
        return Ok((rows, skipped));
    }
    let kept = (0..files.len()).filter(|i| skipped.binary_search_by_key(i, |s| s.0).is_err()).collect::<Vec<_>>();
    Ok((rows.select(Axis(0), &kept), skipped))
}
