//! Numeric arrays from MATLAB files of level 5 (what `save -v7`, `save -v6` and `scipy.io.savemat` write).
//!
//! After "MAT-File Format", version 5 (`MathWorks`). Little-endian files, with and without compression; arrays of real
//! numbers of any class. Memory grows with the data that the file really holds, never with what a header claims.

mod element;
mod file;
mod variable;

pub(crate) use file::read;
pub(crate) use variable::Variable;
