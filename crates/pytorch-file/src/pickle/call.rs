//! What the known functions would give; everything else becomes an object with its name.

use super::{
    known::Known,
    value::{Object, TensorView, Value, ValueId},
    values::Values,
};
use crate::{
    Dtype,
    error::{Outcome, wrong},
};

/// Dimensions that `PyTorch` allows.
const MOST_DIMENSIONS: usize = 64;

impl Values {
    /// The result of a function or class, if it is one of the known ones and its arguments are as they should be.
    pub(super) fn call(&mut self, function: ValueId, args: ValueId) -> Outcome<ValueId> {
        let known = match self.get(function) {
            Value::Global(global) => global.known,
            _ => None,
        };
        let Some(parts) = self.get(args).as_tuple() else {
            return wrong("has a call whose arguments are no tuple");
        };
        // a copy of a few numbers, so that the table can grow
        let parts = parts.iter().take(8).copied().collect::<Vec<_>>();
        let made = match known {
            Some(Known::OrderedDict) => self.ordered_dict(&parts)?,
            Some(Known::Set) => self.set(&parts)?,
            Some(Known::Bytes) if parts.is_empty() => Some(self.push(Value::Bytes(Vec::new()), 0)?),
            Some(Known::Encode) => self.encode(&parts)?,
            Some(Known::RebuildTensor) => self.tensor(&parts, None)?,
            Some(Known::RebuildTensorV3) => match parts.get(6).map(|id| self.get(*id)) {
                Some(&Value::Dtype(dtype)) => self.tensor(&parts, Some(dtype))?,
                _ => None,
            },
            Some(Known::RebuildParameter) => parts.first().copied(),
            Some(Known::Size) => parts.first().copied().filter(|id| self.get(*id).as_tuple().is_some()),
            Some(Known::Device) => self.device(&parts)?,
            Some(Known::NumpyDtype) => self.numpy_dtype(&parts)?,
            Some(Known::NumpyScalar) => self.numpy_scalar(&parts)?,
            _ => None,
        };
        match made {
            Some(id) => Ok(id),
            None => self.push(Value::Object(Object { class: function, args, state: None }), 0),
        }
    }

    /// What BUILD does: attributes of objects, the byte order of numpy's types. A dict's attributes are of no interest.
    pub(super) fn set_state(&mut self, target: ValueId, state: ValueId) {
        let order = self.get(state).as_tuple().and_then(|parts| parts.get(1)).and_then(|id| self.text(*id));
        let big_endian = order == Some(">");
        match self.get_mut(target) {
            Value::Object(object) => object.state = Some(state),
            Value::NumpyDtype(dtype) => dtype.big_endian = big_endian,
            _ => {}
        }
    }

    /// Empty, or (as Python 2 wrote it) from a list of pairs.
    fn ordered_dict(&mut self, args: &[ValueId]) -> Outcome<Option<ValueId>> {
        let pairs = match args {
            [] => Vec::new(),
            [list] => {
                let Value::List(list) = self.get(*list) else { return Ok(None) };
                let pair = |id: &ValueId| match self.get(*id) {
                    Value::List(parts) | Value::Tuple(parts) => parts.first_chunk::<2>().map(|[k, v]| (*k, *v)),
                    _ => None,
                };
                let size = list.len() * size_of::<(ValueId, ValueId)>();
                let pairs = list.iter().map(pair).collect::<Option<Vec<_>>>();
                // a list may be named again and again: every copy counts
                self.charge(size)?;
                let Some(pairs) = pairs else { return Ok(None) };
                pairs
            }
            _ => return Ok(None),
        };
        self.push(Value::Dict(pairs), 0).map(Some)
    }

    fn set(&mut self, args: &[ValueId]) -> Outcome<Option<ValueId>> {
        let parts = match args {
            [] => Vec::new(),
            [list] => match self.get(*list) {
                Value::List(parts) | Value::Tuple(parts) => {
                    let size = size_of_val(&parts[..]);
                    self.charge(size)?;
                    match self.get(*list) {
                        Value::List(parts) | Value::Tuple(parts) => parts.clone(),
                        _ => return Ok(None),
                    }
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.push(Value::Set(parts), 0).map(Some)
    }

    /// How protocol 2 writes bytes: as text whose characters are the bytes.
    fn encode(&mut self, args: &[ValueId]) -> Outcome<Option<ValueId>> {
        let (Some(text), Some("latin1" | "latin-1")) =
            (args.first().and_then(|id| self.text(*id)).map(str::len), args.get(1).and_then(|id| self.text(*id)))
        else {
            return Ok(None);
        };
        self.charge(text)?;
        let text = args.first().and_then(|id| self.text(*id)).unwrap_or_default();
        match text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>() {
            Some(bytes) => self.push(Value::Bytes(bytes), 0).map(Some),
            None => Ok(None),
        }
    }

    fn device(&mut self, args: &[ValueId]) -> Outcome<Option<ValueId>> {
        let Some(kind) = args.first().and_then(|id| self.text(*id)).filter(|kind| kind.len() <= 64) else {
            return Ok(None);
        };
        let name = match args.get(1).map(|id| self.get(*id)) {
            None => kind.to_owned(),
            Some(Value::Int(index)) => format!("{kind}:{index}"),
            Some(_) => return Ok(None),
        };
        let size = name.len();
        self.push(Value::Device(name), size).map(Some)
    }

    /// Storage, offset, shape, strides; whether gradients are wanted, hooks; perhaps flags that change what the numbers
    /// mean (conjugated, negated), with which it is no tensor for us.
    fn tensor(&mut self, args: &[ValueId], dtype: Option<Dtype>) -> Outcome<Option<ValueId>> {
        let &[storage, offset, shape, strides, ..] = args else { return Ok(None) };
        let Value::Storage(of) = self.get(storage) else { return Ok(None) };
        let flags = args.get(if dtype.is_some() { 7 } else { 6 }).map(|id| self.get(*id));
        let plain = match flags {
            None | Some(Value::None) => true,
            Some(Value::Dict(flags)) => flags.is_empty(),
            Some(_) => false,
        };
        let (Some(dtype), true) = (dtype.or(of.dtype), plain) else { return Ok(None) };
        let (Some(shape), Some(strides), Some(offset)) =
            (self.extents(shape), self.extents(strides), self.get(offset).as_u64())
        else {
            return wrong("has a tensor whose shape, strides or offset are no whole numbers from 0 on");
        };
        if shape.len() != strides.len() {
            return wrong(format!("has a tensor with shape {shape:?} and strides {strides:?}"));
        }
        let size = size_of::<TensorView>() + 16 * shape.len();
        self.push(Value::Tensor(Box::new(TensorView { storage, dtype, offset, shape, strides })), size).map(Some)
    }

    /// The numbers of a tuple.
    fn extents(&self, id: ValueId) -> Option<Vec<u64>> {
        let parts = self.get(id).as_tuple().filter(|parts| parts.len() <= MOST_DIMENSIONS)?;
        parts.iter().map(|id| self.get(*id).as_u64()).collect()
    }
}
