use super::value::{StorageRef, Value, ValueId};
use crate::error::{Outcome, wrong};
use std::collections::HashMap;

/// Bytes of memory that a byte of the file may cost. A real state dict costs about 5, a list of pairs of small numbers 6.
const PER_BYTE: u64 = 32;

/// What a small file may cost beside that.
const AT_LEAST: u64 = 1 << 16;

/// What no file may cost: some ten million numbers in lists.
const AT_MOST: u64 = 1 << 30;

/// Values that are the same everywhere: `None`, `True`, `False`, `()` and the numbers of a byte.
const SHARED: u32 = 4;

/// All values of a file.
#[derive(Debug)]
pub(crate) struct Values {
    table: Vec<Value>,
    spent: u64,
    limit: u64,
    pub(crate) root: ValueId,
}

impl Values {
    /// A table for pickles of so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let mut table = vec![Value::None, Value::Bool(true), Value::Bool(false), Value::Tuple(Vec::new())];
        table.extend((0..=255).map(Value::Int));
        let limit = bytes.saturating_mul(PER_BYTE).saturating_add(AT_LEAST).min(AT_MOST);
        Self { table, spent: 0, limit, root: Self::NONE }
    }

    pub(super) const NONE: ValueId = ValueId(0);
    pub(super) const TRUE: ValueId = ValueId(1);
    pub(super) const FALSE: ValueId = ValueId(2);
    pub(super) const EMPTY_TUPLE: ValueId = ValueId(3);

    /// The number of a byte.
    pub(super) fn byte(number: u8) -> ValueId {
        ValueId(SHARED + u32::from(number))
    }

    pub(crate) fn get(&self, id: ValueId) -> &Value {
        // every id comes from this table
        &self.table[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: ValueId) -> &mut Value {
        &mut self.table[id.0 as usize]
    }

    /// Accounts for memory before it is taken.
    pub(super) fn charge(&mut self, bytes: usize) -> Outcome<()> {
        self.spent = self.spent.saturating_add(bytes as u64);
        if self.spent > self.limit {
            return wrong(format!(
                "holds more Python objects than fit into {} MiB: it is hostile, or no model",
                self.limit.div_ceil(1 << 20)
            ));
        }
        Ok(())
    }

    /// Adds a value whose parts take so many bytes.
    pub(super) fn push(&mut self, value: Value, parts: usize) -> Outcome<ValueId> {
        self.charge(size_of::<Value>() + parts)?;
        // the limit keeps the table far below 2^32
        let id = ValueId(self.table.len() as u32);
        self.table.push(value);
        Ok(id)
    }

    /// Adds text.
    pub(super) fn push_text(&mut self, text: String) -> Outcome<ValueId> {
        let len = text.len();
        self.push(Value::Str(text), len)
    }

    /// The text, when it is text.
    pub(crate) fn text(&self, id: ValueId) -> Option<&str> {
        self.get(id).as_str()
    }

    /// The value under a text key of a dict; the last one when there are several.
    pub(crate) fn entry(&self, dict: &Value, key: &str) -> Option<ValueId> {
        let Value::Dict(pairs) = dict else { return None };
        pairs.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, v)| *v)
    }

    /// All storages by key, the first of equal ones.
    pub(crate) fn storages(&self) -> HashMap<&str, &StorageRef> {
        let mut out = HashMap::new();
        for value in &self.table {
            if let Value::Storage(storage) = value
                && let Some(key) = self.text(storage.key)
            {
                out.entry(key).or_insert(&**storage);
            }
        }
        out
    }
}
