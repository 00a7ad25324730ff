use super::Recorded;

/// Repairs by method `coverage` in the tier that trains all layers, with its default settings: `docs/numbers/advice.md` has the
/// commands.
pub const RECORDED: &[Recorded] = &[];
