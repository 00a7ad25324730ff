use super::{Html, RunFolder};
use crate::RunsError;

/// A part of the report of one run: one file in `pages/`, and one line in its list.
pub trait Page: Sync {
    /// Its name in addresses: lower-case letters and hyphens.
    fn name(&self) -> &'static str;

    /// Its title.
    fn title(&self) -> &'static str;

    /// The files of the run that it needs, relative to the run. The page is left out where one is missing.
    fn needs(&self) -> &'static [&'static str];

    /// Writes the page. What has nothing to tell writes nothing, and is left out then.
    ///
    /// # Errors
    /// When a file cannot be read or does not fit.
    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError>;
}
