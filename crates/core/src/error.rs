use crate::{ClassId, PoolIdx, SampleId};
use thiserror::Error;

/// What can be wrong with a value of the domain.
#[derive(Debug, Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum CoreError {
    /// A budget that names no whole number of labels between 1 and the pool.
    #[error("budget {given:?} {why}")]
    Budget {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two arrays that should have the same number of rows.
    #[error("{what} has {got} rows, expected {expected}")]
    Rows {
        /// The array.
        what: &'static str,
        /// Its rows.
        got: usize,
        /// The rows of the pool.
        expected: usize,
    },
    /// An array that is empty where it must not be.
    #[error("{what} is empty ({rows} x {cols})")]
    Empty {
        /// The array.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
    },
    /// NaN or infinity in data.
    #[error("{what} holds {value} at row {row}, column {col}")]
    NotFinite {
        /// The array.
        what: &'static str,
        /// First offending row.
        row: usize,
        /// First offending column.
        col: usize,
        /// The value.
        value: f32,
    },
    /// A row of probabilities that is negative or does not sum to 1.
    #[error("probabilities of row {row} sum to {sum}")]
    NotAProbability {
        /// The row.
        row: usize,
        /// Its sum.
        sum: f64,
    },
    /// The same sample twice in a pool.
    #[error("sample {0} stands twice in the pool")]
    DuplicateSample(SampleId),
    /// A row outside the pool.
    #[error("row {idx} is outside the pool of {len}")]
    OutsidePool {
        /// The row.
        idx: PoolIdx,
        /// Samples in the pool.
        len: usize,
    },
    /// A class outside the model's.
    #[error("class {class} is outside the {classes} classes")]
    OutsideClasses {
        /// The class.
        class: ClassId,
        /// Number of classes.
        classes: usize,
    },
    /// One label more than was budgeted.
    #[error("label {asked} refused: the budget is {budget}")]
    BudgetSpent {
        /// Which label was asked for, counted from 1.
        asked: usize,
        /// The budget.
        budget: usize,
    },
}
