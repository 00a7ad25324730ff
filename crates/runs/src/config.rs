//! Configuration files: one layer over another, unknown keys refused.

use crate::{RunsError, write_atomic};
use serde::{Serialize, de::DeserializeOwned};
use std::{fs, path::Path};
use toml::{Table, Value};

/// Reads a TOML file as a table, to be laid over others with [`overlay`].
///
/// # Errors
/// When it cannot be read, or is no TOML.
pub fn read_table(path: &Path) -> Result<Table, RunsError> {
    let text = fs::read_to_string(path).map_err(|source| RunsError::io("read", path, source))?;
    text.parse().map_err(|error: toml::de::Error| refused(path, &error, None))
}

/// Lays the second table over the first: single values and lists are replaced, tables are merged. An optimiser, a schedule
/// or a method of another name is another thing, and takes no settings from the one below it.
pub fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(a)), Value::Table(b)) if !another(&key, a, &b) => overlay(a, b),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Whether two tables under this key are of different kinds: which one it is, stands in them.
fn another(key: &str, under: &Table, over: &Table) -> bool {
    let told = match key {
        "optimizer" | "method" => "name",
        "schedule" => "kind",
        _ => return false,
    };
    matches!((under.get(told), over.get(told)), (Some(a), Some(b)) if a != b)
}

/// Takes a configuration from a table; `path` is where it came from. A key that the type does not know is refused, at
/// any depth, whether the type itself would refuse it or not.
///
/// # Errors
/// [`RunsError::Config`] with the key and, where one is near, the key that was probably meant.
pub fn from_table<T: Serialize + DeserializeOwned>(table: Table, path: &Path) -> Result<T, RunsError> {
    let mut unknown = Vec::new();
    let config: T =
        serde_ignored::deserialize(table, |key| unknown.push(key.to_string())).map_err(|error: toml::de::Error| {
            let help = suggestion(error.message());
            refused(path, &error, help)
        })?;
    let Some(first) = unknown.first() else { return Ok(config) };
    // the keys that exist, seen from the resolved configuration
    let mut known = Vec::new();
    if let Ok(Value::Table(resolved)) = Value::try_from(&config) {
        collect(&resolved, "", &mut known);
    }
    Err(RunsError::Config {
        path: path.to_owned(),
        message: format!("unknown key `{}`", unknown.join("`, `")),
        help: nearest(first, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?")),
    })
}

/// Reads a configuration file.
///
/// # Errors
/// As [`read_table`] and [`from_table`].
pub fn read_config<T: Serialize + DeserializeOwned>(path: &Path) -> Result<T, RunsError> {
    from_table(read_table(path)?, path)
}

/// Writes the resolved configuration, all defaults written out, in one piece.
///
/// # Errors
/// When it has no TOML, or cannot be written.
pub fn write_config<T: Serialize>(path: &Path, config: &T) -> Result<(), RunsError> {
    let text = toml::to_string_pretty(config).map_err(|error| RunsError::Config {
        path: path.to_owned(),
        message: error.to_string(),
        help: None,
    })?;
    write_atomic(path, text.as_bytes())
}

fn refused(path: &Path, error: &toml::de::Error, help: Option<String>) -> RunsError {
    // the text of the error points at the place in the file, over several lines
    RunsError::Config { path: path.to_owned(), message: error.to_string().trim_end().to_owned(), help }
}

fn collect(table: &Table, prefix: &str, known: &mut Vec<String>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        if let Value::Table(inner) = value {
            collect(inner, &name, known);
        }
        known.push(name);
    }
}

/// From serde's own words, ``unknown field `epoch`, expected one of `epochs`, `lr` ``, the expected word next to it.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let given = words.next()?;
    nearest(given, words).map(|near| format!("did you mean `{near}`?"))
}

/// The known word with the fewest edits from the given one, when at most a third of it differs.
fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (edits(given, word), word))
        .min()
        .filter(|(distance, _)| *distance <= (given.chars().count() / 3).max(1))
        .map(|(_, word)| word)
}

/// Levenshtein distance; `-` and `_` are the same letter.
fn edits(a: &str, b: &str) -> usize {
    let letters = |s: &str| s.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Config {
        seed: u64,
        finetune: Finetune,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, rename_all = "kebab-case")]
    struct Finetune {
        #[serde(alias = "wd")]
        weight_decay: f64,
        epochs: usize,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        epochs: usize,
        lr: f64,
    }

    fn parse<T: Serialize + DeserializeOwned>(text: &str) -> Result<T, RunsError> {
        from_table(text.parse().unwrap(), Path::new("recipe.toml"))
    }

    #[test]
    fn unknown_keys_are_refused_with_the_likely_one() {
        for (text, key, meant) in [
            ("[finetune]\nepoch = 3", "finetune.epoch", Some("finetune.epochs")),
            ("[finetune]\nweight_decay = 0.1", "finetune.weight_decay", Some("finetune.weight-decay")),
            ("sed = 3", "sed", Some("seed")),
            ("[zebra]\nx = 1", "zebra", None),
        ] {
            let error = parse::<Config>(text).unwrap_err();
            assert!(error.to_string().contains(&format!("unknown key `{key}`")), "{error}");
            assert!(error.to_string().ends_with("recipe.toml"), "{error}");
            assert_eq!(error.help(), meant.map(|m| format!("did you mean `{m}`?")));
        }
        let error = parse::<Strict>("epoch = 3").unwrap_err();
        assert_eq!(error.help().as_deref(), Some("did you mean `epochs`?"));
        assert!(parse::<Config>("seed = -1").unwrap_err().to_string().contains("seed"));
        assert_eq!(parse::<Config>("[finetune]\nwd = 0.5").unwrap().finetune.weight_decay, 0.5, "an alias is known");
    }

    #[test]
    fn layers_merge_tables_and_replace_the_rest() {
        let mut base: Table = "seed = 1\n[finetune]\nepochs = 10\nweight-decay = 0.1".parse().unwrap();
        overlay(&mut base, "[finetune]\nepochs = 3".parse().unwrap());
        let config: Config = from_table(base, Path::new("")).unwrap();
        assert_eq!(config, Config { seed: 1, finetune: Finetune { weight_decay: 0.1, epochs: 3 } });
    }

    #[test]
    fn another_optimizer_takes_no_settings_from_the_one_below() {
        let base: Table = "optimizer = { name = \"sgd\", momentum = 0.9, weight_decay = 5e-4 }".parse().unwrap();
        let over = |text: &str| {
            let mut table = base.clone();
            overlay(&mut table, text.parse().unwrap());
            table["optimizer"].to_string()
        };
        assert_eq!(over("optimizer = { name = \"adam\" }"), "{ name = \"adam\" }");
        assert!(over("optimizer = { name = \"sgd\", momentum = 0.5 }").contains("0.0005"));
        assert!(over("optimizer = { momentum = 0.5 }").contains("0.0005"));
    }

    #[test]
    fn a_broken_file_names_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recipe.toml");
        fs::write(&path, "seed = 1\nbudget = = 3\n").unwrap();
        let error = read_config::<Config>(&path).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("recipe.toml"), "{error}");
        assert!(matches!(read_config::<Config>(&dir.path().join("none")), Err(RunsError::Io { .. })));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read_config::<Config>(&path).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seed in 0..i64::MAX as u64, weight_decay in 0.0..1e9f64, epochs in 0usize..1000) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("config.toml");
            let config = Config { seed, finetune: Finetune { weight_decay, epochs } };
            write_config(&path, &config).unwrap();
            prop_assert_eq!(read_config::<Config>(&path).unwrap(), config);
        }

        #[test]
        fn edits_is_a_distance(a in "[a-d_]{0,6}", b in "[a-d_]{0,6}", c in "[a-d_]{0,6}") {
            prop_assert_eq!(edits(&a, &b), edits(&b, &a));
            prop_assert_eq!(edits(&a, &b) == 0, a == b);
            prop_assert!(edits(&a, &c) <= edits(&a, &b) + edits(&b, &c));
        }
    }
}
