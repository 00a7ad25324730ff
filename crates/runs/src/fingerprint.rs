//! What a stage's result depends on, as one hash.

use crate::RunsError;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{fmt, fs::File, io::Read, path::Path};

/// SHA-256 of some content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of numbers, by their little-endian bits: the same on every machine.
    pub fn of_f32(numbers: &[f32]) -> Self {
        let mut hash = Sha256::new();
        for block in numbers.chunks(4096) {
            hash.update(block.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        }
        Self(hash.finalize().into())
    }

    /// Of a value, by its canonical JSON: keys sorted, no spaces.
    ///
    /// # Errors
    /// When the value has no JSON (a map with keys that are no text).
    pub fn of_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self::of_bytes(canonical(&serde_json::to_value(value)?).as_bytes()))
    }

    /// Of a file's content.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, RunsError> {
        let fail = |source| RunsError::io("read", path, source);
        let mut file = File::open(path).map_err(fail)?;
        let (mut hash, mut block) = (Sha256::new(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut block).map_err(fail)? {
                0 => return Ok(Self(hash.finalize().into())),
                n => hash.update(&block[..n]),
            }
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// JSON with sorted keys. `serde_json` sorts or keeps the order of insertion as some other crate's features decide.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            let fields: Vec<_> =
                keys.iter().map(|k| format!("{}:{}", Value::from(k.as_str()), canonical(&map[k.as_str()]))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

/// The name of one result in the cache: the stage, the version of its code, its inputs and its parameters.
///
/// ```
/// use hybridrepair_runs::{Fingerprint, StageKey};
/// let images = Fingerprint::of_bytes(b"the pool");
/// let key = StageKey::new("views", 1).input("pool", images).parameters(&[("views", 9)])?;
/// let other = StageKey::new("views", 1).input("pool", images).parameters(&[("views", 8)])?;
/// assert_ne!(key.fingerprint(), other.fingerprint());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StageKey {
    stage: &'static str,
    hash: Sha256,
}

impl StageKey {
    /// A stage; its version is raised when the same inputs begin to give another result.
    pub fn new(stage: &'static str, version: u32) -> Self {
        let mut key = Self { stage, hash: Sha256::new() };
        key.add("stage", stage.as_bytes());
        key.add("version", &version.to_le_bytes());
        key
    }

    /// Adds one input under a name. The order of calls is part of the key.
    #[must_use]
    pub fn input(mut self, name: &str, content: Fingerprint) -> Self {
        self.add(name, &content.0);
        self
    }

    /// Adds all parameters that can change the result (and none that cannot, such as the number of threads where the
    /// result does not depend on it). JSON has no NaN and no infinity: both count as `null`.
    ///
    /// # Errors
    /// When they have no JSON.
    pub fn parameters<T: Serialize + ?Sized>(mut self, parameters: &T) -> Result<Self, serde_json::Error> {
        let content = Fingerprint::of_value(parameters)?;
        self.add("parameters", &content.0);
        Ok(self)
    }

    /// The stage.
    pub fn stage(&self) -> &'static str {
        self.stage
    }

    /// Of all of it; also serves as the input of the next stage.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.hash.clone().finalize().into())
    }

    /// Lengths go before contents, so that no two lists of parts read alike.
    fn add(&mut self, name: &str, content: &[u8]) {
        for part in [name.as_bytes(), content] {
            self.hash.update((part.len() as u64).to_le_bytes());
            self.hash.update(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn golden() {
        // sha256sum of the empty input, and of the canonical text by hand
        assert!(Fingerprint::of_bytes(b"").to_string().starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
        let value = json!({"b": [1, 2.5, null], "a": {"d": "x\"", "c": true}});
        assert_eq!(canonical(&value), r#"{"a":{"c":true,"d":"x\""},"b":[1,2.5,null]}"#);
        assert_eq!(Fingerprint::of_f32(&[1.5]), Fingerprint::of_bytes(&1.5f32.to_le_bytes()));
    }

    #[test]
    fn every_part_of_a_key_counts() {
        let (a, b) = (Fingerprint::of_bytes(b"a"), Fingerprint::of_bytes(b"b"));
        let keys = [
            StageKey::new("x", 1),
            StageKey::new("x", 2),
            StageKey::new("y", 1),
            StageKey::new("x", 1).input("p", a),
            StageKey::new("x", 1).input("p", b),
            StageKey::new("x", 1).input("q", a),
            StageKey::new("x", 1).input("p", a).input("q", b),
            StageKey::new("x", 1).input("p", b).input("q", a),
            StageKey::new("x", 1).parameters(&json!({"lr": 0.1})).unwrap(),
            StageKey::new("x", 1).parameters(&json!({"lr": 0.01})).unwrap(),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().map(StageKey::fingerprint).collect();
        assert_eq!(distinct.len(), keys.len());
    }

    proptest! {
        #[test]
        fn the_order_of_fields_does_not_count(fields in prop::collection::btree_map(".{0,8}", any::<i64>(), 0..6)) {
            let forward: serde_json::Map<_, _> = fields.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            let back: serde_json::Map<_, _> = fields.iter().rev().map(|(k, v)| (k.clone(), json!(v))).collect();
            prop_assert_eq!(Fingerprint::of_value(&forward).unwrap(), Fingerprint::of_value(&back).unwrap());
        }

        #[test]
        fn numbers_hash_as_their_bytes(numbers in prop::collection::vec(any::<f32>(), 0..9000)) {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            prop_assert_eq!(Fingerprint::of_f32(&numbers), Fingerprint::of_bytes(&bytes));
        }
    }
}
