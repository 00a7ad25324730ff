//! The list of files that a data set was read from, kept with a run: pictures that come later do not change it.

use super::Part;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::path::{Path, PathBuf};

/// All files of a reading, in the order of their sample ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileList {
    /// A name per class, in the order of the logits.
    pub classes: Vec<String>,
    /// The files, those that do not decode too.
    pub files: Vec<ListedFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFile {
    /// Its split.
    pub part: Part,
    /// Its class, where it is known.
    pub class: Option<String>,
    /// Where it lies.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub path: PathBuf,
}

/// A name as text, or, where it is no UTF-8, as a list of bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

fn write_path<S: Serializer>(path: &Path, out: S) -> Result<S::Ok, S::Error> {
    let name = match path.to_str() {
        Some(text) => Name::Text(text.to_owned()),
        None => Name::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
    };
    name.serialize(out)
}

fn read_path<'de, D: Deserializer<'de>>(input: D) -> Result<PathBuf, D::Error> {
    match Name::deserialize(input)? {
        Name::Text(text) => Ok(text.into()),
        #[cfg(unix)]
        Name::Bytes(bytes) => {
            Ok(PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes)))
        }
        #[cfg(not(unix))]
        Name::Bytes(_) => Err(D::Error::custom("a file name of another system")),
    }
    .and_then(
        |path| if path.as_os_str().is_empty() { Err(D::Error::custom("a file without a name")) } else { Ok(path) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn any_name_comes_back() {
        use std::os::unix::ffi::OsStringExt;
        let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/data/\xff\xfe 1.png".to_vec()));
        for path in [odd, "/data/\u{1F6A6}/\"a\".png".into()] {
            let file = ListedFile { part: Part::Field, class: None, path };
            let text = serde_json::to_string(&file).unwrap();
            assert_eq!(serde_json::from_str::<ListedFile>(&text).unwrap(), file, "{text}");
        }
        assert!(serde_json::from_str::<ListedFile>(r#"{"part":"field","class":null,"path":""}"#).is_err());
    }
}
