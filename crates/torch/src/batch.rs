use hybridrepair_core::ClassId;
use tch::{Device, Kind, Tensor};

/// Normalised pictures `n x height x width x 3` as a tensor `n x 3 x height x width` with channels-last strides.
pub fn nhwc_tensor(data: &[f32], height: usize, width: usize, device: Device) -> Tensor {
    let (h, w) = (height as i64, width as i64);
    Tensor::from_slice(data).to_device(device).view([-1, h, w, 3]).permute([0, 3, 1, 2])
}

/// Classes as an `int64` tensor of length `n`.
pub fn class_tensor(classes: &[ClassId], device: Device) -> Tensor {
    let ids = classes.iter().map(|c| i64::from(c.0)).collect::<Vec<_>>();
    Tensor::from_slice(&ids).to_kind(Kind::Int64).to_device(device)
}
