use crate::Asked;

/// A table to fill in: `id,file,label,annotator,seconds` in order of purchase. `read_answers` takes it back.
///
/// # Errors
/// Only what the writer into memory may give.
pub fn csv(asked: &Asked) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "file", "label", "annotator", "seconds"])?;
    for image in &asked.images {
        writer.write_record([&image.id.to_string(), &image.file, "", "", ""])?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::take::tests::asked;

    #[test]
    fn the_table_lists_all_and_answers_none() {
        let text = String::from_utf8(csv(&asked()).unwrap()).unwrap();
        assert!(text.starts_with("id,file,label,annotator,seconds\n100,/data/field/cam0/0.png,,,\n"), "{text}");
        assert_eq!(text.lines().count(), 5);
    }
}
