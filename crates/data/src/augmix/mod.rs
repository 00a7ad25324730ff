//! `AugMix` operations on `uint8` pictures, and chains of them (Hendrycks et al. 2020; the nine operations and their
//! parameters as `HybridRepair` uses them).
//!
//! Each operation gives the bytes that Pillow gives; `tests/augmix_golden.rs` holds the proof.

mod chain;
mod enhance;
mod geometry;
mod op;
mod point;

pub use chain::AugMix;
pub use op::Op;
