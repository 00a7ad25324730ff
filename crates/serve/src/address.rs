//! Where the page of a run is: the port and the token, kept in the run so that a page that is open finds the server again
//! after it was stopped and started.

use crate::ServeError;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// `tasks/label-page.json`, readable by its owner only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) token: String,
}

/// Random bytes of a token: 128 bits.
const TOKEN: usize = 16;

fn file(tasks: &Path) -> PathBuf {
    tasks.join("label-page.json")
}

impl Address {
    /// The address that the page of this run had; none when it had none, or the file is damaged.
    pub(crate) fn kept(tasks: &Path) -> Option<Self> {
        let kept: Self = serde_json::from_slice(&fs::read(file(tasks)).ok()?).ok()?;
        (kept.token.len() == 2 * TOKEN && kept.token.bytes().all(|b| b.is_ascii_hexdigit())).then_some(kept)
    }

    /// A token that nobody can guess. It is no part of the run's results, so it comes from the system and not from the seed.
    pub(crate) fn new_token() -> Result<String, ServeError> {
        let mut bytes = [0u8; TOKEN];
        getrandom::fill(&mut bytes).map_err(|e| ServeError::Random(e.to_string()))?;
        let digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
        Ok(digits.filter_map(|d| char::from_digit(d.into(), 16)).collect())
    }

    /// Keeps the address for the next start.
    pub(crate) fn keep(&self, tasks: &Path) -> Result<(), ServeError> {
        let path = file(tasks);
        let fail = |source| ServeError::Address { path: path.clone(), source };
        let new = path.with_extension("json.new");
        let _ = fs::remove_file(&new);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(&new).map_err(fail)?;
        out.write_all(&serde_json::to_vec(self).map_err(|e| fail(e.into()))?).map_err(fail)?;
        drop(out);
        fs::rename(&new, &path).map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_for_its_owner_and_a_bad_one_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Address::kept(dir.path()), None);
        let address = Address { port: 4711, token: Address::new_token().unwrap() };
        assert_ne!(address.token, Address::new_token().unwrap());
        address.keep(dir.path()).unwrap();
        assert_eq!(Address::kept(dir.path()), Some(address));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(file(dir.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        for bad in ["{", r#"{"port":1,"token":"short"}"#, r#"{"port":1,"token":"../../../../../../../etc/passwd"}"#] {
            fs::write(file(dir.path()), bad).unwrap();
            assert_eq!(Address::kept(dir.path()), None, "{bad}");
        }
    }
}
