use hybridrepair_core::{PoolIdx, Purpose, RegionId, SampleId};
use serde::{Deserialize, Serialize};

/// `tasks/asked.json`: what people are asked, with all that is needed to show it to them. Written once per selection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Version of this file's format: 1.
    pub format_version: u32,
    /// A name per class, in the order of the logits.
    pub classes: Vec<String>,
    /// Answers by different people that each picture needs.
    pub answers: usize,
    /// Whether "cannot tell" costs as much as a label.
    pub cannot_tell_costs: bool,
    /// The pictures, in order of purchase.
    pub images: Vec<AskedImage>,
}

/// One picture that is asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedImage {
    /// Its number in its data set: what a file of answers calls it.
    pub id: SampleId,
    /// Its row in the pool.
    pub idx: PoolIdx,
    /// Order of purchase, from 0.
    pub rank: usize,
    /// `annotate`, or `judge` for those of the random share.
    pub purpose: Purpose,
    /// The region that it speaks for.
    pub region: Option<RegionId>,
    /// Why it was chosen, in words.
    pub reason: String,
    /// The file of the picture.
    pub file: String,
    /// The class that the model under repair gives it.
    pub predicted: u32,
    /// With which probability.
    pub confidence: f32,
}
