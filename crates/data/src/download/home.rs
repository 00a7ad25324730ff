use std::ffi::OsString;
use std::path::PathBuf;

/// The environment variable that names the folder of all data sets.
pub const DATA_HOME: &str = "HYBRIDREPAIR_DATA_HOME";

/// The folder of all data sets of this user, one folder each: `$HYBRIDREPAIR_DATA_HOME`, else
/// `$XDG_DATA_HOME/hybridrepair`, else `~/.local/share/hybridrepair`. `None` where there is not even a home.
pub fn data_home() -> Option<PathBuf> {
    choose(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let xdg = || variable("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    match variable(DATA_HOME) {
        Some(dir) => Some(dir.into()),
        None => Some(xdg().or_else(home)?.join("hybridrepair")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts() {
        let of = |set: &[(&str, &str)]| {
            choose(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into())).map(|p| p.display().to_string())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("HOME", "/h")]).unwrap(), "/h/.local/share/hybridrepair");
        assert_eq!(of(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")]).unwrap(), "/x/hybridrepair");
        // the XDG specification: a path that is not absolute is to be ignored
        assert_eq!(of(&[("HOME", "/h"), ("XDG_DATA_HOME", "x")]).unwrap(), "/h/.local/share/hybridrepair");
        assert_eq!(of(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x"), (DATA_HOME, "d")]).unwrap(), "d");
    }
}
