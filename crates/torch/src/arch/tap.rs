use std::cell::RefCell;
use tch::Tensor;

/// What went in and out of a layer with weights in one forward pass.
#[derive(Debug)]
pub struct Tap {
    /// Name of its weight.
    pub weight: String,
    /// The weight.
    pub value: Tensor,
    /// What went in.
    pub input: Tensor,
    /// What came out, before anything else is done to it.
    pub output: Tensor,
    /// Of a convolution: stride, padding and groups.
    pub conv: Option<(i64, i64, i64)>,
}

thread_local! {
    /// Layers of the pass that this thread records, if it does.
    static RECORD: RefCell<Option<Vec<Tap>>> = const { RefCell::new(None) };
}

/// Runs a forward pass and returns its result with the layers that it went through, in order.
pub(crate) fn record<T>(pass: impl FnOnce() -> T) -> (T, Vec<Tap>) {
    RECORD.with_borrow_mut(|r| *r = Some(Vec::new()));
    let result = pass();
    (result, RECORD.with_borrow_mut(Option::take).unwrap_or_default())
}

/// For layers: notes a pass if this thread records.
pub fn note_tap(tap: impl FnOnce() -> Tap) {
    note(tap);
}

/// As [`note_tap`], for layers of this crate.
pub(super) fn note(tap: impl FnOnce() -> Tap) {
    RECORD.with_borrow_mut(|record| {
        if let Some(taps) = record {
            taps.push(tap());
        }
    });
}
