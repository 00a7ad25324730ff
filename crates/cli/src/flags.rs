//! Values of flags that are files or small languages of their own.

use crate::{Exit, Failure};
use std::{collections::BTreeSet, fs, path::Path};

/// Names of classes, one per line; empty lines at the end do not count.
///
/// # Errors
/// When the file cannot be read, is no UTF-8, has an empty line or a name twice, or fewer than two names.
pub fn class_names(file: &Path) -> Result<Vec<String>, Failure> {
    let wrong =
        |why: String| Failure::new(Exit::Input, format!("{}: {why}", file.display())).help("write one name per line");
    let bytes = fs::read(file).map_err(|e| wrong(e.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8 text".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let names: Vec<String> = text.lines().map(|l| l.trim().to_owned()).collect();
    let mut seen = BTreeSet::new();
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(wrong(format!("line {} is empty", i + 1)));
        }
        if !seen.insert(name) {
            return Err(wrong(format!("line {}: {name:?} stands twice", i + 1)));
        }
    }
    match names.len() {
        0 | 1 => Err(wrong(format!("{} names: a classifier needs two classes", names.len()))),
        _ => Ok(names),
    }
}

/// Height and width from `224` or `224x320`.
///
/// # Errors
/// When it is neither.
pub fn input_sides(text: &str) -> Result<[usize; 2], Failure> {
    let side = |s: &str| s.trim().parse::<usize>().ok().filter(|n| (1..=4096).contains(n));
    let sides = match text.split_once(['x', 'X']) {
        Some((height, width)) => side(height).zip(side(width)),
        None => side(text).map(|n| (n, n)),
    };
    sides.map(|(h, w)| [h, w]).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("--img-size {text:?} is no size of 1 to 4096"))
            .help("write one side, or HEIGHTxWIDTH such as 224x320")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_names_are_read_or_refused() {
        assert_eq!(input_sides("224").unwrap(), [224, 224]);
        assert_eq!(input_sides("60x80").unwrap(), [60, 80]);
        for bad in ["", "0", "x", "60x", "4097", "-1", "1x2x3"] {
            assert_eq!(input_sides(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("classes.txt");
        fs::write(&file, "\u{feff}a b\n\u{e9}\r\n\n").unwrap();
        assert_eq!(class_names(&file).unwrap(), ["a b", "\u{e9}"]);
        for bad in [&b""[..], b"a", b"a\n\nb", b"a\na", b"a\n\xff"] {
            fs::write(&file, bad).unwrap();
            assert_eq!(class_names(&file).unwrap_err().exit, Exit::Input);
        }
    }
}
