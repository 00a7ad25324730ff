use crate::{Asked, CANNOT_TELL_NAME};
use serde_json::{Value, json};
use std::io::{self, Cursor, Write};
use zip::{ZipWriter, write::SimpleFileOptions};

/// The labels of a task, for the raw tab of CVAT's label editor.
pub fn cvat_labels(asked: &Asked) -> Value {
    let cannot_tell = asked.classes.iter().all(|c| c != CANNOT_TELL_NAME).then_some(CANNOT_TELL_NAME);
    let names = asked.classes.iter().map(String::as_str).chain(cannot_tell);
    names.map(|name| json!({"name": name, "type": "tag", "attributes": []})).collect()
}

/// An archive of the pictures to make a task from: `images/ID.ending`, so that the export says which is which. `picture`
/// gives the ending and the bytes of each.
///
/// # Errors
/// What `picture` gives, or an archive that grows too large.
pub fn cvat_images(
    asked: &Asked,
    mut picture: impl FnMut(usize) -> io::Result<(String, Vec<u8>)>,
) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // pictures are compressed already
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (i, image) in asked.images.iter().enumerate() {
        let (ending, bytes) = picture(i)?;
        archive.start_file(format!("images/{}.{ending}", image.id), stored)?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::take::tests::asked;

    #[test]
    fn the_archive_calls_pictures_by_their_id() {
        let bytes = cvat_images(&asked(), |i| Ok(("png".to_owned(), vec![i as u8; 3]))).unwrap();
        let archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut names: Vec<_> = archive.file_names().collect();
        names.sort_unstable();
        assert_eq!(names, ["images/100.png", "images/101.png", "images/102.png", "images/103.png"]);
        assert_eq!(cvat_labels(&asked())[4]["name"], "cannot tell");
    }
}
