//! The searches, one file each. A search is plain code that asks a [`Lab`] for probes; it is resumed by running it again.

mod grid2020;
mod knee;
mod ramp;
mod random;
mod range;
mod trust2021;

use crate::{Halt, Lab, Pick, TuneError};
pub use grid2020::{Grid2020, Trace};
use hybridrepair_core::Streams;
pub use knee::Knee;
pub use ramp::Ramp;
pub use random::Random;
pub use range::Range;
pub use trust2021::Trust2021;

/// A way to find a rate.
pub trait Search {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Whether it is kept as published: then the guard speaks and does not refuse.
    fn published(&self) -> bool {
        false
    }

    /// Looks at probes until it knows enough; gives the reason why it ended.
    ///
    /// # Errors
    /// When the laboratory's limits are reached, or training fails.
    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt>;

    /// What it takes after all that was seen, also when it was halted.
    ///
    /// # Errors
    /// When nothing that was seen may be taken.
    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError>;

    /// Its account of the way, where the published code writes one.
    fn trace(&self) -> &[Trace] {
        &[]
    }
}

/// What a search is told beside its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// Lowest and highest rate; `None` for the search's own.
    pub range: Option<[f64; 2]>,
    /// Probes that it may look at.
    pub budget: usize,
    /// The randomness of [`Random`].
    pub streams: Streams,
    /// Whether [`Random`] draws a weight decay as well.
    pub weight_decay: bool,
}

/// Names of all searches.
pub const SEARCHES: [&str; 6] = ["knee", "range", "ramp", "grid2020", "trust2021", "random"];

/// The search of this name.
///
/// # Errors
/// When there is none, or its range is none.
pub fn search(name: &str, settings: &SearchSettings) -> Result<Box<dyn Search>, TuneError> {
    if let Some([lo, hi]) = settings.range {
        let good = lo > 0.0 && lo < hi && hi.is_finite();
        let given = format!("{lo}:{hi}");
        if !good {
            return Err(TuneError::setting("range", given, "is not a rising pair of rates above 0"));
        }
        if ["grid2020", "trust2021"].contains(&name) {
            return Err(TuneError::setting(
                "range",
                given,
                "has no meaning for a published search, which moves on its own",
            ));
        }
    }
    Ok(match name {
        "knee" => Box::new(Knee::new(settings.range)),
        "range" => Box::new(Range::new(settings.range)),
        "ramp" => Box::new(Ramp::new(settings.range)),
        "grid2020" => Box::new(Grid2020::new()),
        "trust2021" => Box::new(Trust2021::new()),
        "random" => Box::new(Random::new(settings)),
        _ => return Err(TuneError::Method { given: name.to_owned(), known: SEARCHES.join(", ") }),
    })
}
