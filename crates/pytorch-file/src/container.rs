//! Where the parts of a checkpoint stand in its file: the pickle and the bytes of the storages.

use crate::{
    error::{Fault, Outcome, wrong},
    legacy,
    mistaken::{self, Mistaken},
    pickle::{Values, run},
    source::{Source, Stream},
    zip,
};
use std::collections::HashMap;

/// The bytes of a storage in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) at: u64,
    pub(crate) len: u64,
    /// Checksum of all of them, when there is one.
    pub(crate) crc: Option<u32>,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Content {
    /// What the pickle builds.
    pub(crate) values: Values,
    /// Storages by key.
    pub(crate) records: HashMap<String, Record>,
    /// Whether numbers in storages are big-endian.
    pub(crate) big_endian: bool,
}

/// Reads everything but the storages.
pub(crate) fn content(source: &Source) -> Outcome<Content> {
    let head = source.head(mistaken::HEAD)?;
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        archive(source)
    } else if head.first() == Some(&0x80) && head.get(1).is_some_and(|version| *version <= 5) {
        legacy::content(source)
    } else {
        Err(Fault::Mistaken(mistaken::recognise(&head, source.len())))
    }
}

/// The zip archives that `torch.save` writes since 1.6.
fn archive(source: &Source) -> Outcome<Content> {
    let entries = zip::entries(source)?;
    let one_folder = |name: &str, file: &str| {
        name.strip_suffix(file).and_then(|folder| folder.strip_suffix('/')).is_some_and(|folder| !folder.contains('/'))
    };
    if entries.iter().any(|e| one_folder(&e.name, "constants.pkl") || one_folder(&e.name, "model.json")) {
        return Err(Fault::Mistaken(Mistaken::TorchScript));
    }
    let Some(pickle) = entries.iter().find(|e| one_folder(&e.name, "data.pkl")) else {
        let first = entries.first().map(|e| e.name.clone()).unwrap_or_default();
        return Err(Fault::Mistaken(Mistaken::OtherZip { first }));
    };
    let folder = pickle.name.trim_end_matches("data.pkl");
    let big_endian = match entries.iter().find(|e| e.name.strip_prefix(folder) == Some("byteorder")) {
        None => false,
        Some(entry) => match &source.read(entry.start(source)?, entry.size.min(16))?[..] {
            b"little" => false,
            b"big" => true,
            other => return wrong(format!("has unknown byte order \"{}\"", other.escape_ascii())),
        },
    };
    let mut records = HashMap::new();
    for entry in &entries {
        if let Some(key) = entry.name.strip_prefix(folder).and_then(|name| name.strip_prefix("data/")) {
            let record =
                Record { at: entry.start(source)?, len: entry.size, crc: Some(entry.crc).filter(|crc| *crc != 0) };
            if records.insert(key.to_owned(), record).is_some() {
                return wrong(format!("has two entries {:?}", entry.name));
            }
        }
    }
    let start = pickle.start(source)?;
    if pickle.crc != 0 && crc32fast::hash(&source.read(start, pickle.size)?) != pickle.crc {
        return wrong(format!("is damaged: the checksum of {:?} does not fit", pickle.name));
    }
    let mut values = Values::new(pickle.size);
    let mut stream = Stream::new(source, start, start + pickle.size);
    values.root = run(&mut stream, &mut values)?;
    Ok(Content { values, records, big_endian })
}
