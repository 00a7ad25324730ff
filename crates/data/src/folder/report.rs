use super::Skipped;
use std::{collections::BTreeMap, path::PathBuf};

/// What a reader met beside the pictures that it gives: nothing is left out in silence.
#[derive(Debug, Default)]
pub struct Report {
    /// Pictures given.
    pub read: usize,
    /// Files and folders that should have given pictures and did not, in the order of the listing.
    pub skipped: Vec<Skipped>,
    /// Hidden files and folders, and those that file managers leave behind.
    pub hidden: usize,
    /// Files that have no picture's name: how many of each ending, in lower case (empty for none).
    pub other: BTreeMap<String, usize>,
    /// Class folders without a picture file.
    pub empty_classes: Vec<PathBuf>,
}

impl Report {
    /// Skipped files that [`Report::lines`] names one by one.
    const NAMED: usize = 20;

    /// Adds what another listing has found.
    pub(super) fn merge(&mut self, other: Self) {
        self.read += other.read;
        self.skipped.extend(other.skipped);
        self.hidden += other.hidden;
        for (ending, n) in other.other {
            *self.other.entry(ending).or_default() += n;
        }
        self.empty_classes.extend(other.empty_classes);
    }

    /// What people should know, one line each; empty when there is nothing to say. Hidden files are not worth a line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.skipped.is_empty() {
            lines.push(format!("{} skipped, {} pictures read", self.skipped.len(), self.read));
            lines.extend(self.skipped.iter().take(Self::NAMED).map(|s| format!("skipped: {s}")));
            if let Some(more @ 1..) = self.skipped.len().checked_sub(Self::NAMED) {
                lines.push(format!("skipped: {more} more"));
            }
        }
        lines.extend(self.empty_classes.iter().map(|c| format!("{}: a class without pictures", c.display())));
        if !self.other.is_empty() {
            let kind = |(ending, n): (&String, &usize)| match ending.as_str() {
                "" => format!("{n} without ending"),
                ending => format!("{n} .{ending}"),
            };
            let kinds = self.other.iter().map(kind).collect::<Vec<_>>().join(", ");
            lines.push(format!("not looked at, for their names are not those of pictures: {kinds}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::SkipReason;

    #[test]
    fn lines_name_some_and_count_all() {
        let skip = |i: usize| Skipped { path: format!("a/{i}.png").into(), why: SkipReason::Empty };
        let mut report = Report { read: 7, skipped: (0..20).map(skip).collect(), ..Report::default() };
        assert_eq!(report.lines().len(), 21);
        assert_eq!(report.lines()[20], "skipped: a/19.png is empty");
        report.skipped.push(skip(20));
        report.other.extend([(String::new(), 1), ("txt".to_owned(), 2)]);
        let lines = report.lines();
        assert_eq!(lines[0], "21 skipped, 7 pictures read");
        assert_eq!(lines[21], "skipped: 1 more");
        assert!(lines[22].ends_with("1 without ending, 2 .txt"), "{}", lines[22]);
        assert!(Report::default().lines().is_empty());
    }
}
