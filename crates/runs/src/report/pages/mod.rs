//! The pages of a run's report, in the order in which they are shown.

mod classes;
mod confusion;
mod cost;
mod gain;
mod gradients;
mod map;
mod patch;
mod rate;
mod regions;
mod training;
mod warnings;

use super::Page;

/// All of them. A new page is a file here and a line in this list.
pub(crate) const PAGES: &[&dyn Page] = &[
    &gain::Gain,
    &warnings::Warnings,
    &map::Map,
    &classes::Classes,
    &confusion::Confusion,
    &regions::RegionSheet,
    &rate::LearningRate,
    &patch::Patch,
    &training::Training,
    &gradients::Gradients,
    &cost::Cost,
];
