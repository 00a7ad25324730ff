//! Persistent ids: how a pickle refers to storages, which lie outside it.

use super::{
    known::Known,
    value::{StorageRef, Value, ValueId},
    values::Values,
};
use crate::error::{Outcome, wrong};

impl Values {
    /// `('storage', class, key, device, elements)`, in the old format followed by a view into the storage or `None`.
    pub(super) fn storage(&mut self, id: ValueId) -> Outcome<ValueId> {
        let parts = self.get(id).as_tuple().unwrap_or_default();
        match (parts.first().and_then(|kind| self.text(*kind)), parts) {
            (Some("storage"), &[_, class, key, _, numel]) => self.push_storage(class, key, numel, None),
            (Some("storage"), &[_, class, key, _, numel, view]) => self.push_storage(class, key, numel, Some(view)),
            // the old format keeps the source of a pickled module beside its class
            (Some("module"), [_, class, ..]) => Ok(*class),
            _ => wrong("refers to something outside it that is no storage"),
        }
    }

    fn push_storage(
        &mut self,
        class: ValueId,
        key: ValueId,
        numel: ValueId,
        view: Option<ValueId>,
    ) -> Outcome<ValueId> {
        let (Some(_), Some(numel)) = (self.text(key), self.get(numel).as_u64()) else {
            return wrong("has a storage without key or number of elements");
        };
        let (dtype, element) = match self.get(class) {
            Value::Global(global) => match global.known {
                Some(Known::Storage(dtype, element)) => (dtype, Some(element)),
                _ => (None, None),
            },
            _ => return wrong("has a storage without class"),
        };
        let view = match view.map(|id| self.get(id)) {
            None | Some(Value::None) => None,
            // its own key, where it begins, how long it is
            Some(Value::Tuple(parts)) => {
                let number = |at: usize| parts.get(at).and_then(|id| self.get(*id).as_u64());
                match (number(1), number(2)) {
                    (Some(start), Some(len)) if start.checked_add(len).is_some_and(|end| end <= numel) => {
                        Some((start, len))
                    }
                    _ => return wrong("has a part of a storage that reaches beyond it"),
                }
            }
            Some(_) => return wrong("has a part of a storage that is no tuple"),
        };
        let storage = StorageRef { key, dtype, element, numel, view };
        self.push(Value::Storage(Box::new(storage)), size_of::<StorageRef>())
    }
}
