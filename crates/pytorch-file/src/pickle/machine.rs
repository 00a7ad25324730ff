//! The instructions of a pickle. <https://docs.python.org/3/library/pickletools.html> and the comments of
//! `pickletools.py` say what each one does.

use super::{
    known::Known,
    value::{Global, Object, Value, ValueId},
    values::Values,
};
use crate::{
    error::{Fault, Outcome, wrong},
    source::Stream,
};
use std::collections::HashMap;

/// Longest name of a module, class or function on a line of its own.
const LONGEST_NAME: usize = 1024;

/// Bytes that an entry of the memo costs.
const MEMO_ENTRY: usize = 16;

/// Runs one pickle, from its protocol to its end, and gives what it leaves.
pub(crate) fn run(input: &mut Stream, values: &mut Values) -> Outcome<ValueId> {
    let start = input.position();
    let head: [u8; 2] = input.array()?;
    if head[0] != 0x80 || !(2..=5).contains(&head[1]) {
        return wrong(format!("has no pickle of protocol 2 to 5 at byte {start}"));
    }
    let mut machine = Machine { input, values, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    loop {
        let at = machine.input.position();
        match machine.step() {
            Ok(None) => {}
            Ok(Some(result)) => return Ok(result),
            Err(Fault::Format(why)) => return wrong(format!("{why} (pickle at byte {start}, instruction at {at})")),
            Err(other) => return Err(other),
        }
    }
}

struct Machine<'a, 's> {
    input: &'a mut Stream<'s>,
    values: &'a mut Values,
    stack: Vec<ValueId>,
    /// Heights of the stack that MARK has noted.
    marks: Vec<usize>,
    memo: HashMap<u32, ValueId>,
}

impl Machine<'_, '_> {
    /// One instruction; the result, when it was the last.
    fn step(&mut self) -> Outcome<Option<ValueId>> {
        let opcode = self.input.byte()?;
        match opcode {
            b'.' => return self.pop().map(Some),
            0x80 => drop(self.input.byte()?),
            // a frame says only how many bytes are worth reading at once
            0x95 => drop(self.input.array::<8>()?),

            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.drop_one()?,
            b'1' => drop(self.since_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }

            b'N' => self.stack.push(Values::NONE),
            0x88 => self.stack.push(Values::TRUE),
            0x89 => self.stack.push(Values::FALSE),
            b'K' | b'M' | b'J' | b'G' | 0x8a | 0x8b => self.number(opcode)?,
            b'X' | 0x8c | 0x8d | b'U' | b'T' | b'C' | b'B' | 0x8e | 0x96 => self.text_or_bytes(opcode)?,

            b']' => self.push(Value::List(Vec::new()), 0)?,
            b'}' => self.push(Value::Dict(Vec::new()), 0)?,
            0x8f => self.push(Value::Set(Vec::new()), 0)?,
            b')' => self.stack.push(Values::EMPTY_TUPLE),
            0x85..=0x87 => {
                let parts = self.take(usize::from(opcode - 0x84))?;
                self.push_tuple(parts)?;
            }
            b't' => {
                let parts = self.since_mark()?;
                self.push_tuple(parts)?;
            }
            0x91 => {
                let parts = self.since_mark()?;
                let size = size_of_val(&parts[..]);
                self.push(Value::Set(parts), size)?;
            }
            b'a' => {
                let parts = self.take(1)?;
                self.extend(&parts)?;
            }
            b'e' | 0x90 => {
                let parts = self.since_mark()?;
                self.extend(&parts)?;
            }
            b's' => {
                let parts = self.take(2)?;
                self.set_items(&parts)?;
            }
            b'u' => {
                let parts = self.since_mark()?;
                self.set_items(&parts)?;
            }

            b'q' | b'r' | 0x94 | b'h' | b'j' => self.memo(opcode)?,
            b'c' | 0x93 => self.global(opcode)?,
            b'R' | 0x81 | 0x92 | b'b' | b'Q' => self.build(opcode)?,
            other => {
                return wrong(format!(
                    "has instruction 0x{other:02x} ({}), which torch.save does not write",
                    [other].escape_ascii()
                ));
            }
        }
        Ok(None)
    }

    fn number(&mut self, opcode: u8) -> Outcome<()> {
        let value = match opcode {
            b'K' => {
                let id = Values::byte(self.input.byte()?);
                self.stack.push(id);
                return Ok(());
            }
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.input.array()?))),
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.input.array()?))),
            b'G' => Value::Float(f64::from_be_bytes(self.input.array()?)),
            _ => {
                let len = if opcode == 0x8a {
                    u64::from(self.input.byte()?)
                } else {
                    u64::from(u32::from_le_bytes(self.input.array()?))
                };
                return self.long(len);
            }
        };
        self.push(value, 0)
    }

    /// A whole number of any length, two's complement.
    fn long(&mut self, len: u64) -> Outcome<()> {
        self.input.check(len)?;
        self.values.charge(len as usize)?;
        let bytes = self.input.take(len)?;
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        if bytes.len() > 8 {
            return self.push(Value::BigInt(bytes), 0);
        }
        let mut all = [if negative { 0xff } else { 0 }; 8];
        all[..bytes.len()].copy_from_slice(&bytes);
        self.push(Value::Int(i64::from_le_bytes(all)), 0)
    }

    fn text_or_bytes(&mut self, opcode: u8) -> Outcome<()> {
        let len = match opcode {
            0x8c | b'U' | b'C' => u64::from(self.input.byte()?),
            b'X' | b'T' | b'B' => u64::from(u32::from_le_bytes(self.input.array()?)),
            _ => u64::from_le_bytes(self.input.array()?),
        };
        self.input.check(len)?;
        self.values.charge(len as usize)?;
        let bytes = self.input.take(len)?;
        let value = match opcode {
            b'C' | b'B' | 0x8e | 0x96 => Value::Bytes(bytes),
            // Python 2 did not tell text from bytes
            b'U' | b'T' => String::from_utf8(bytes).map_or_else(|e| Value::Bytes(e.into_bytes()), Value::Str),
            _ => match String::from_utf8(bytes) {
                Ok(text) => Value::Str(text),
                Err(_) => return wrong("has text that is not UTF-8"),
            },
        };
        self.push(value, 0)
    }

    fn memo(&mut self, opcode: u8) -> Outcome<()> {
        let index = match opcode {
            b'q' | b'h' => u32::from(self.input.byte()?),
            b'r' | b'j' => u32::from_le_bytes(self.input.array()?),
            _ => self.memo.len() as u32,
        };
        if opcode == b'h' || opcode == b'j' {
            let Some(id) = self.memo.get(&index) else {
                return wrong(format!("refers to object {index}, which is not there"));
            };
            self.stack.push(*id);
        } else {
            let top = self.top()?;
            self.values.charge(MEMO_ENTRY)?;
            self.memo.insert(index, top);
        }
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Outcome<()> {
        let (module, name) = if opcode == b'c' {
            let module = self.name_on_a_line()?;
            (module, self.name_on_a_line()?)
        } else {
            let parts = self.take(2)?;
            (parts[0], parts[1])
        };
        let (Some(m), Some(n)) = (self.values.text(module), self.values.text(name)) else {
            return wrong("has a class whose name is no text");
        };
        let known = Known::of(m, n);
        let value = match known {
            Some(Known::Dtype(dtype)) => Value::Dtype(dtype),
            _ => Value::Global(Global { module, name, known }),
        };
        self.push(value, 0)
    }

    fn name_on_a_line(&mut self) -> Outcome<ValueId> {
        let Ok(name) = String::from_utf8(self.input.line(LONGEST_NAME)?) else {
            return wrong("has a class whose name is not UTF-8");
        };
        self.values.push_text(name)
    }

    /// Calls (that are not made), attributes and storages.
    fn build(&mut self, opcode: u8) -> Outcome<()> {
        let id = match opcode {
            b'Q' => {
                let parts = self.take(1)?;
                self.values.storage(parts[0])?
            }
            b'b' => {
                let parts = self.take(2)?;
                self.values.set_state(parts[0], parts[1]);
                parts[0]
            }
            0x92 => {
                // keyword arguments: nothing known here takes any
                let parts = self.take(3)?;
                self.values.push(Value::Object(Object { class: parts[0], args: parts[1], state: None }), 0)?
            }
            _ => {
                let parts = self.take(2)?;
                self.values.call(parts[0], parts[1])?
            }
        };
        self.stack.push(id);
        Ok(())
    }

    fn push(&mut self, value: Value, parts: usize) -> Outcome<()> {
        let id = self.values.push(value, parts)?;
        self.stack.push(id);
        Ok(())
    }

    fn push_tuple(&mut self, parts: Vec<ValueId>) -> Outcome<()> {
        let size = size_of_val(&parts[..]);
        self.push(Value::Tuple(parts), size)
    }

    /// Adds to a list or set. Objects are kept without what is in them.
    fn extend(&mut self, parts: &[ValueId]) -> Outcome<()> {
        let target = self.top()?;
        self.values.charge(size_of_val(parts))?;
        match self.values.get_mut(target) {
            Value::List(list) | Value::Set(list) => list.extend_from_slice(parts),
            Value::Object(_) => {}
            _ => return wrong("appends to what is no list"),
        }
        Ok(())
    }

    /// Adds keys and values, one after the other, to a dict.
    fn set_items(&mut self, parts: &[ValueId]) -> Outcome<()> {
        let target = self.top()?;
        self.values.charge(size_of_val(parts))?;
        let (pairs, odd) = parts.as_chunks::<2>();
        match self.values.get_mut(target) {
            _ if !odd.is_empty() => return wrong("has a dict with a key and no value"),
            Value::Dict(dict) => dict.extend(pairs.iter().map(|[k, v]| (*k, *v))),
            Value::Object(_) => {}
            _ => return wrong("sets an item of what is no dict"),
        }
        Ok(())
    }

    /// The lowest height that the stack may be taken down to.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Outcome<ValueId> {
        match self.stack.last() {
            Some(id) if self.stack.len() > self.floor() => Ok(*id),
            _ => wrong("needs an object where there is none"),
        }
    }

    fn pop(&mut self) -> Outcome<ValueId> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The last `n` objects, first to last.
    fn take(&mut self, n: usize) -> Outcome<Vec<ValueId>> {
        match self.stack.len().checked_sub(n) {
            // not `split_off`, whose result may keep the room of the whole stack
            Some(height) if height >= self.floor() => Ok(self.stack.drain(height..).collect()),
            _ => wrong("needs an object where there is none"),
        }
    }

    /// The objects above the last mark, which goes away.
    fn since_mark(&mut self) -> Outcome<Vec<ValueId>> {
        match self.marks.pop() {
            Some(height) => Ok(self.stack.drain(height..).collect()),
            None => wrong("needs a mark where there is none"),
        }
    }

    /// Drops an object, or a mark with nothing above it.
    fn drop_one(&mut self) -> Outcome<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }
}
