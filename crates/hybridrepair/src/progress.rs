/// Who is told how far a run is; the library itself prints nothing.
pub trait Progress {
    /// A stage begins; `total` is the number of steps where it is known.
    fn begin(&mut self, stage: &str, total: Option<u64>);

    /// So many steps of the stage are done; `note` is a short state in words, such as the loss.
    fn advance(&mut self, done: u64, total: Option<u64>, note: &str);

    /// The stage is over; `cached` when its result was there already.
    fn end(&mut self, cached: bool);

    /// Something that people should know.
    fn say(&mut self, message: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &str, _: Option<u64>) {}
    fn advance(&mut self, _: u64, _: Option<u64>, _: &str) {}
    fn end(&mut self, _: bool) {}
    fn say(&mut self, _: &str) {}
}
