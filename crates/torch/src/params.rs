use crate::TorchError;
use tch::{Device, Kind, Tensor};

/// The named tensors of a model, in order of creation: parameters that are trained and buffers that are not.
///
/// Convolution weights lie channels-last in memory, whatever device they are on.
#[derive(Debug)]
pub struct Params {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    tensor: Tensor,
    trained: bool,
}

impl Params {
    /// No tensors.
    pub fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a parameter on the CPU, for models that are not built in; the returned handle shares its memory.
    pub fn add(&mut self, name: &str, value: &Tensor) -> Tensor {
        self.param(name, value, Device::Cpu)
    }

    /// Adds a parameter on a device, for models that are not built in.
    pub fn add_on(&mut self, name: &str, value: &Tensor, device: Device) -> Tensor {
        self.param(name, value, device)
    }

    /// Adds a buffer on a device, for models that are not built in.
    pub fn add_buffer(&mut self, name: &str, value: &Tensor, device: Device) -> Tensor {
        self.buffer(name, value, device)
    }

    /// Adds a parameter; the returned handle shares its memory.
    pub(crate) fn param(&mut self, name: &str, value: &Tensor, device: Device) -> Tensor {
        let tensor = channels_last(&value.to_device(device)).detach().set_requires_grad(true);
        self.entries.push(Entry { name: name.to_owned(), tensor: tensor.shallow_clone(), trained: true });
        tensor
    }

    /// Adds a buffer; the returned handle shares its memory.
    pub(crate) fn buffer(&mut self, name: &str, value: &Tensor, device: Device) -> Tensor {
        let tensor = value.to_device(device);
        self.entries.push(Entry { name: name.to_owned(), tensor: tensor.shallow_clone(), trained: false });
        tensor
    }

    /// Takes over a tensor of a module of others; its values move to channels-last memory where that applies.
    pub(crate) fn adopt(&mut self, name: &str, mut tensor: Tensor, trained: bool) {
        if tensor.dim() == 4 && tensor.kind() == Kind::Float {
            tch::no_grad(|| tensor.set_data(&channels_last(&tensor)));
        }
        self.entries.push(Entry { name: name.to_owned(), tensor, trained });
    }

    /// The parameters that are trained, with their names.
    pub fn trained(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.entries.iter().filter(|e| e.trained).map(|e| (e.name.as_str(), &e.tensor))
    }

    /// All tensors, parameters and buffers, with their names.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|e| (e.name.as_str(), &e.tensor))
    }

    /// Number of trained numbers.
    pub fn count(&self) -> usize {
        self.trained().map(|(_, t)| t.numel()).sum()
    }

    /// Copies of all tensors on the CPU in plain layout, to save or to restore later.
    pub fn snapshot(&self) -> Vec<(String, Tensor)> {
        tch::no_grad(|| {
            self.all()
                .map(|(name, t)| (name.to_owned(), t.detach().to_device(Device::Cpu).contiguous().copy()))
                .collect()
        })
    }

    /// Overwrites all tensors with values of the same names and shapes.
    ///
    /// # Errors
    /// When a name is missing, unknown, or has another shape; nothing is changed then.
    pub fn restore(&self, values: &[(String, Tensor)]) -> Result<(), TorchError> {
        let find = |name: &str| values.iter().find(|(n, _)| n == name).map(|(_, t)| t);
        for (name, tensor) in self.all() {
            match find(name) {
                None => return Err(TorchError::Mismatch(format!("tensor {name:?} is missing"))),
                Some(value) if value.size() != tensor.size() => {
                    let (got, want) = (value.size(), tensor.size());
                    return Err(TorchError::Mismatch(format!("tensor {name:?} has shape {got:?}, expected {want:?}")));
                }
                Some(_) => {}
            }
        }
        // batch norm's step counter is written by PyTorch and used by nobody
        let known = |name: &str| name.ends_with("num_batches_tracked") || self.all().any(|(n, _)| n == name);
        if let Some((name, _)) = values.iter().find(|(n, _)| !known(n)) {
            return Err(TorchError::Mismatch(format!("tensor {name:?} is unknown to this architecture")));
        }
        tch::no_grad(|| {
            for (name, tensor) in self.all() {
                if let Some(value) = find(name) {
                    tensor.shallow_clone().copy_(value);
                }
            }
        });
        Ok(())
    }

    /// Clears all gradients.
    pub fn zero_grad(&self) {
        for (_, t) in self.trained() {
            let mut grad = t.grad();
            if grad.defined() {
                let _ = grad.detach_().zero_();
            }
        }
    }

    /// Whether every number is finite.
    pub fn all_finite(&self) -> bool {
        tch::no_grad(|| self.all().all(|(_, t)| t.isfinite().all().int64_value(&[]) != 0))
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::new()
    }
}

/// The same values with channels-last strides, for tensors of four dimensions.
///
/// tch hides memory formats; a permuted view of a contiguous copy has exactly those strides.
fn channels_last(t: &Tensor) -> Tensor {
    if t.dim() == 4 && t.kind() == Kind::Float {
        // the copy keeps the permuted strides ("preserve format")
        t.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]).detach().copy()
    } else {
        t.contiguous().detach().copy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convolution_weights_are_channels_last_and_snapshots_are_not() {
        let mut p = Params::new();
        let w =
            p.param("w", &Tensor::arange(2 * 3 * 2 * 2, (Kind::Float, Device::Cpu)).view([2, 3, 2, 2]), Device::Cpu);
        assert_eq!(w.stride(), [12, 1, 6, 3]);
        let snap = p.snapshot();
        assert_eq!(snap[0].1.stride(), [12, 4, 2, 1]);
        let _ = tch::no_grad(|| w.shallow_clone().zero_());
        p.restore(&snap).unwrap();
        assert_eq!(w.double_value(&[1, 0, 0, 1]), 13.0);
        assert_eq!(w.stride(), [12, 1, 6, 3]);
    }

    #[test]
    fn a_wrong_snapshot_changes_nothing() {
        let mut p = Params::new();
        let w = p.param("w", &Tensor::ones([2], (Kind::Float, Device::Cpu)), Device::Cpu);
        for bad in [
            vec![],
            vec![("w".to_owned(), Tensor::zeros([3], (Kind::Float, Device::Cpu)))],
            vec![
                ("w".to_owned(), Tensor::zeros([2], (Kind::Float, Device::Cpu))),
                ("v".to_owned(), Tensor::zeros([2], (Kind::Float, Device::Cpu))),
            ],
        ] {
            assert!(matches!(p.restore(&bad), Err(TorchError::Mismatch(_))));
            assert_eq!(w.double_value(&[0]), 1.0);
        }
    }
}
