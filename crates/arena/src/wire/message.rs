use crate::{ParamLayout, Params};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::HashMap,
    fmt::Display,
    io::{self, Read, Write},
    str::FromStr,
    sync::Arc,
};

/// What passes between the referee and an entry in a process of its own: words, and a value for every parameter or none.
///
/// On the pipe it is its length (8 bytes, little endian) and a safetensors file whose metadata are the words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message {
    words: HashMap<String, String>,
    /// Tensors in the order of the layout, flat.
    pub(crate) params: Option<Params>,
}

/// Room for words beside the tensors.
const WORDS: usize = 1 << 20;

impl Message {
    /// A message that asks or says `op`.
    pub(crate) fn new(op: &str) -> Self {
        Self::default().with("op", op)
    }

    pub(crate) fn with(mut self, key: &str, value: impl Display) -> Self {
        self.words.insert(key.to_owned(), value.to_string());
        self
    }

    pub(crate) fn carrying(mut self, params: Option<Params>) -> Self {
        self.params = params;
        self
    }

    pub(crate) fn op(&self) -> &str {
        self.words.get("op").map_or("", String::as_str)
    }

    /// A word as a value.
    pub(crate) fn get<T: FromStr>(&self, key: &str) -> io::Result<T> {
        let word = self.words.get(key).and_then(|w| w.parse().ok());
        word.ok_or_else(|| bad(format!("{:?} lacks {key:?}", self.op())))
    }

    pub(crate) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let bytes: Vec<u8> =
            self.params.iter().flat_map(super::super::params::Params::values).flat_map(|v| v.to_le_bytes()).collect();
        let slots = self.params.iter().flat_map(|p| p.layout().slots());
        // numbered names keep the order, which safetensors does not promise
        let views: Vec<(String, TensorView<'_>)> = slots
            .enumerate()
            .map(|(number, s)| {
                let data = &bytes[4 * s.start..4 * (s.start + s.len)];
                let view = TensorView::new(Dtype::F32, s.shape.clone(), data).map_err(|e| bad(e.to_string()))?;
                Ok((format!("{number:06}.{}", s.name), view))
            })
            .collect::<io::Result<_>>()?;
        let file = safetensors::serialize(views, Some(self.words.clone())).map_err(|e| bad(e.to_string()))?;
        to.write_all(&(file.len() as u64).to_le_bytes())?;
        to.write_all(&file)?;
        to.flush()
    }

    /// Reads a message; its tensors must have this layout if one is given.
    pub(crate) fn read(from: &mut dyn Read, layout: Option<&Arc<ParamLayout>>) -> io::Result<Self> {
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        // a writer who is not ours must not make us take all memory
        let most = layout.map_or(1 << 32, |l| 4 * l.len() + 256 * l.slots().len() + WORDS) as u64;
        if length > most {
            return Err(bad(format!("a message of {length} bytes")));
        }
        let mut file = vec![0; length as usize];
        from.read_exact(&mut file)?;
        let (_, head) = SafeTensors::read_metadata(&file).map_err(|e| bad(e.to_string()))?;
        let words = head.metadata().clone().unwrap_or_default();
        let tensors = SafeTensors::deserialize(&file).map_err(|e| bad(e.to_string()))?;
        let mut named: Vec<(&str, TensorView<'_>)> = tensors.iter().collect();
        named.sort_by_key(|(name, _)| *name);
        if named.is_empty() {
            return Ok(Self { words, params: None });
        }
        let told = ParamLayout::new(named.iter().map(|(name, view)| {
            (name.split_once('.').map_or(*name, |(_, name)| name).to_owned(), view.shape().to_vec())
        }));
        let layout = match layout {
            Some(layout) if **layout == told => layout.clone(),
            Some(_) => return Err(bad("tensors of other shapes than the task has".to_owned())),
            None => Arc::new(told),
        };
        if named.iter().any(|(_, view)| view.dtype() != Dtype::F32) {
            return Err(bad("tensors that are not f32".to_owned()));
        }
        let values = named.iter().flat_map(|(_, view)| view.data().as_chunks::<4>().0);
        let values = values.map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(Self { words, params: Some(Params::new(layout, values)) })
    }
}

fn bad(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        let layout = ParamLayout::new((0..12).map(|i| (format!("{i}.w"), vec![i + 1, 2])));
        let n = layout.len();
        Params::new(Arc::new(layout), (0..n).map(|i| i as f32 / 7.0).collect())
    }

    #[test]
    fn what_is_written_is_read() {
        for message in [
            Message::new("probe"),
            Message::new("loss").with("loss", f64::INFINITY).with("x", 0.1),
            Message::new("grad").carrying(Some(params())),
        ] {
            let mut pipe = Vec::new();
            message.write(&mut pipe).unwrap();
            assert_eq!(Message::read(&mut pipe.as_slice(), None).unwrap(), message);
            assert_eq!(Message::read(&mut pipe.as_slice(), Some(params().layout())).unwrap(), message);
        }
    }

    #[test]
    fn bad_messages_are_refused() {
        let layout = params().layout().clone();
        let mut pipe = Vec::new();
        let other = ParamLayout::new([("w".to_owned(), vec![3])]);
        let other = Params::new(Arc::new(other), vec![0.0; 3]);
        Message::new("grad").carrying(Some(other)).write(&mut pipe).unwrap();
        assert!(Message::read(&mut pipe.as_slice(), Some(&layout)).unwrap_err().to_string().contains("shapes"));
        let huge = u64::MAX.to_le_bytes();
        assert!(Message::read(&mut huge.as_slice(), Some(&layout)).unwrap_err().to_string().contains("bytes"));
        let mut noise = 16u64.to_le_bytes().to_vec();
        noise.extend([255; 16]);
        assert!(Message::read(&mut noise.as_slice(), Some(&layout)).is_err());
        assert!(Message::new("batch").get::<usize>("size").is_err());
    }
}
