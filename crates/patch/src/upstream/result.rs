use crate::{PatchError, tensors::write_whole};
use serde::Serialize;
use std::{fmt::Write, fs, path::Path};

/// Rates of one run, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RunRates {
    /// Share of the wrong samples that are right now.
    pub rr: f64,
    /// Share of the right samples that are wrong now.
    pub br: f64,
}

/// `result.txt`: settings, and the rates of each run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ResultFile {
    /// Names and values, in order.
    pub settings: Vec<(String, String)>,
    /// A line per run.
    pub runs: Vec<RunRates>,
}

impl ResultFile {
    /// Writes it: a block `# Settings` with `name: value`, a block `# Results` with a line per run, and the averages.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PatchError> {
        let mut text = "# Settings\n".to_owned();
        for (name, value) in &self.settings {
            let _ = writeln!(text, "{name}: {value}");
        }
        text.push_str("# Results\n");
        for (i, run) in self.runs.iter().enumerate() {
            let _ = writeln!(text, "{i}: RR {:.2}%, BR {:.2}%", run.rr, run.br);
        }
        let RunRates { rr, br } = self.averages();
        let _ = writeln!(text, "average: RR {rr:.2}%, BR {br:.2}%");
        write_whole(path, text.as_bytes())
    }

    /// Means over the runs.
    pub fn averages(&self) -> RunRates {
        let mean = |f: fn(&RunRates) -> f64| self.runs.iter().map(f).sum::<f64>() / self.runs.len().max(1) as f64;
        RunRates { rr: mean(|r| r.rr), br: mean(|r| r.br) }
    }

    /// Reads it. Of a result line the first two percentages count, whatever words stand around them; a line without a
    /// leading run number is the averages and is passed over.
    ///
    /// # Errors
    /// When it is missing, has no results, or a line is something else, which is named.
    pub fn read(path: &Path) -> Result<Self, PatchError> {
        let text = fs::read_to_string(path).map_err(PatchError::io(path))?;
        let mut file = Self::default();
        let mut in_results = None;
        for (at, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let wrong = |why: &str| PatchError::format(path, format!("line {}: {why}: {line:?}", at + 1));
            match (line.trim(), in_results) {
                ("# Settings", _) => in_results = Some(false),
                ("# Results", _) => in_results = Some(true),
                (setting, Some(false)) => {
                    let (name, value) = setting.split_once(':').ok_or_else(|| wrong("no `name: value`"))?;
                    file.settings.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                (result, Some(true)) => {
                    if !result.starts_with(|c: char| c.is_ascii_digit()) {
                        continue;
                    }
                    let rates = result
                        .split(|c: char| c.is_whitespace() || c == ',' || c == ':')
                        .filter_map(|word| {
                            word.strip_suffix('%').and_then(|n| n.parse::<f64>().ok()).filter(|v| v.is_finite())
                        })
                        .collect::<Vec<_>>();
                    match rates[..] {
                        [rr, br, ..] => file.runs.push(RunRates { rr, br }),
                        _ => return Err(wrong("not two percentages")),
                    }
                }
                (_, None) => return Err(wrong("stands before `# Settings`")),
            }
        }
        if file.runs.is_empty() {
            return Err(PatchError::format(path, "it has no results"));
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_round_trips() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("result.txt");
        let file = ResultFile {
            settings: vec![("dataset".to_owned(), "signs".to_owned()), ("num_grad".to_owned(), String::new())],
            runs: vec![RunRates { rr: 50.0, br: 0.25 }, RunRates { rr: 33.33, br: 1.5 }],
        };
        file.write(&path).unwrap();
        assert_eq!(ResultFile::read(&path).unwrap(), file);
        assert!(fs::read_to_string(&path).unwrap().ends_with("average: RR 41.66%, BR 0.88%\n"));
        fs::write(&path, "# Settings\na: b\n# Results\n0 half of them\n").unwrap();
        assert!(ResultFile::read(&path).unwrap_err().to_string().contains("line 4"));
        fs::write(&path, "a: b\n").unwrap();
        assert!(ResultFile::read(&path).is_err());
    }
}
