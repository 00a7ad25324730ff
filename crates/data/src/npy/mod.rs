//! Readers of `.npy` and `.npz` files that people bring: features, logits, index lists, pictures.
//!
//! Versions 1 to 3 of the format; either byte order; C or Fortran order. `f32` and `f64` files are read as either, and
//! integers of any width but `uint64` as `i64`. Nothing is allocated before the file is known to hold what its header
//! says, and floats are refused when one is not finite.

mod decode;
mod elements;
mod error;
mod header;
mod npz;
mod read;

pub use error::NpyError;
pub use npz::Npz;
pub use read::{read_f32_1d, read_f32_2d, read_f64_1d, read_f64_2d, read_i64_1d, read_i64_2d, read_u8};
