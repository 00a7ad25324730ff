//! What `torch.save` wrote before 1.6, and writes with `_use_new_zipfile_serialization=False`: five pickles (a magic
//! number, a version, the machine, the object, the keys of its storages), then each storage after its length.

use crate::{
    container::{Content, Record},
    error::{Fault, Outcome, wrong},
    mistaken::Mistaken,
    pickle::{Value, ValueId, Values, run},
    source::{Source, Stream},
};
use std::collections::HashMap;

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The only version that there ever was.
const VERSION: i64 = 1001;

pub(crate) fn content(source: &Source) -> Outcome<Content> {
    let mut values = Values::new(source.len());
    let mut stream = Stream::new(source, 0, source.len());
    let magic = run(&mut stream, &mut values);
    match magic.as_ref().map(|id| values.get(*id)) {
        Ok(Value::BigInt(bytes)) if *bytes == MAGIC => {}
        Ok(_) | Err(Fault::Format(_)) => return Err(Fault::Mistaken(Mistaken::PlainPickle)),
        Err(_) => return Err(magic.err().unwrap_or(Fault::Mistaken(Mistaken::PlainPickle))),
    }
    let version = run(&mut stream, &mut values)?;
    if *values.get(version) != Value::Int(VERSION) {
        return wrong(format!("has version {} of the old format, known is {VERSION}", values.describe(version)));
    }
    // the machine's byte order is of no interest: storages are little-endian in this format
    run(&mut stream, &mut values)?;
    values.root = run(&mut stream, &mut values)?;
    let keys = run(&mut stream, &mut values)?;
    let records = records(&mut stream, &values, keys)?;
    Ok(Content { values, records, big_endian: false })
}

/// Finds the storages: a list of keys, then for each key its number of elements and its elements.
fn records(stream: &mut Stream, values: &Values, keys: ValueId) -> Outcome<HashMap<String, Record>> {
    let Value::List(keys) = values.get(keys) else {
        return wrong("has no list of storages after its object");
    };
    let start = stream.position();
    let end = start + stream.remaining();
    let known = values.storages();
    let mut records = HashMap::new();
    let mut at = start;
    for key in keys {
        let Some(key) = values.text(*key) else { return wrong("has a storage whose key is no text") };
        let Some(storage) = known.get(key) else {
            return wrong(format!("has a storage {key:?} that nothing refers to"));
        };
        let Some(element) = storage.element else {
            return wrong(format!("has a storage {key:?} of an unknown type"));
        };
        let head = stream.source().read(at, 8)?;
        let numel = head.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
        if numel != storage.numel {
            return wrong(format!("has {numel} elements in storage {key:?} that should have {}", storage.numel));
        }
        let len = numel.checked_mul(u64::from(element));
        at += 8;
        let Some(len) = len.filter(|len| *len <= end - at) else {
            return wrong(format!("is cut short or damaged: storage {key:?} of {numel} elements ends beyond it"));
        };
        if records.insert(key.to_owned(), Record { at, len, crc: None }).is_some() {
            return wrong(format!("has two storages {key:?}"));
        }
        at += len;
    }
    Ok(records)
}
