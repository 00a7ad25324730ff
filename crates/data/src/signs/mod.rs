//! `signs`, the built-in data set: pictures of road signs, drawn by the program.
//!
//! A picture is a function of (seed, split, index) alone: every machine and every number of threads draws the same
//! bytes. Training and validation come from a domain of daylight pictures in which some classes are rare; the field pool
//! and the holdout come from one other domain, with another class mix and conditions that training hardly saw.

mod camera;
mod canvas;
mod classes;
mod design;
mod dice;
mod face;
mod glyph;
mod obstacle;
mod picture;
mod plane;
mod pose;
mod scene;
mod shape;
mod spec;
mod weather;

pub(crate) use spec::SIGNS;
pub use spec::{SIGNS_VERSION, SignsSpec, signs};
