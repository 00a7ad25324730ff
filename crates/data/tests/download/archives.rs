//! Unpacking, also of archives that mean harm.

use crate::server::{names, quick};
use flate2::{Compression, write::GzEncoder};
use hybridrepair_data::download::{Archive, DownloadError, Take, unpack};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// A `.tar.gz`; a name that ends in a slash is a folder. Names are written as they are, whatever they are.
pub(crate) fn tar_gz(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in entries {
        let mut header = tar::Header::new_ustar();
        let kind = if name.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular };
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A `.zip`.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default()).unwrap();
        } else {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

fn both(entries: &[(&str, &[u8])]) -> [(Archive, Vec<u8>); 2] {
    [(Archive::TarGz, tar_gz(entries)), (Archive::Zip, zip(entries))]
}

fn run(kind: Archive, bytes: &[u8], wanted: &str) -> (TempDir, Result<(), DownloadError>) {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    fs::write(&archive, bytes).unwrap();
    let done = take(&archive, kind, wanted, &dir.path().join("data"));
    (dir, done)
}

/// Takes the path `inside` out of the archive to the same path in `dir`.
fn take(archive: &Path, kind: Archive, inside: &str, dir: &Path) -> Result<(), DownloadError> {
    unpack(archive, kind, &Take { inside, without: &[], to: &dir.join(inside) }, &quick())
}

#[test]
fn what_is_wanted_comes_out_whole() {
    let long = vec![7u8; 300_000];
    let entries: &[(&str, &[u8])] =
        &[("set/", b""), ("set/a.bin", &long), ("set/in/b.txt", b"b"), ("./set/c", b""), ("__MACOSX/x", b"junk")];
    for (kind, bytes) in both(entries) {
        let (dir, done) = run(kind, &bytes, "set");
        done.unwrap();
        let data = dir.path().join("data");
        assert_eq!(
            (names(&data), names(&data.join("set"))),
            (vec!["set".into()], vec!["a.bin".into(), "c".into(), "in".into()])
        );
        assert_eq!(fs::read(data.join("set/a.bin")).unwrap(), long);
        assert_eq!(names(dir.path()), ["archive", "data"]);
    }
}

#[test]
fn a_folder_inside_and_a_single_file_can_be_wanted() {
    for (kind, bytes) in both(&[("top/one/a", b"a"), ("top/two/b", b"b"), ("list.csv", b"c")]) {
        for (wanted, file) in [("top/two", "top/two/b"), ("list.csv", "list.csv")] {
            let (dir, done) = run(kind, &bytes, wanted);
            done.unwrap();
            assert!(dir.path().join("data").join(file).is_file());
            assert!(!dir.path().join("data/top/one").exists());
        }
    }
}

#[test]
fn what_is_wanted_can_get_another_name_and_leave_folders_out() {
    for (kind, bytes) in both(&[("top/set/1/a", b"a"), ("top/set/Images/b", b"b"), ("top/set/Images2", b"c")]) {
        let dir = tempfile::tempdir().unwrap();
        let archive = dir.path().join("archive");
        fs::write(&archive, bytes).unwrap();
        let to = dir.path().join("test");
        unpack(&archive, kind, &Take { inside: "top/set", without: &["Images"], to: &to }, &quick()).unwrap();
        assert_eq!(
            (names(&to), names(dir.path())),
            (vec!["1".into(), "Images2".into()], vec!["archive".into(), "test".into()])
        );
    }
}

#[test]
fn two_archives_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    for (name, entry) in [("first", "top/one/a"), ("second", "top/two/b")] {
        let archive = dir.path().join(name);
        fs::write(&archive, zip(&[(entry, b"x")])).unwrap();
        take(&archive, Archive::Zip, &entry[..7], dir.path()).unwrap();
    }
    assert_eq!(names(&dir.path().join("top")), ["one", "two"]);
}

#[test]
fn nothing_is_written_outside() {
    for name in ["../evil", "set/../../evil", "/evil", "set/..\\..\\evil"] {
        for (kind, bytes) in both(&[("set/good", b"good"), (name, b"evil")]) {
            let (dir, done) = run(kind, &bytes, "set");
            let e = done.unwrap_err();
            assert!(matches!(&e, DownloadError::Archive { why, .. } if why.contains("leads out")), "{name}: {e}");
            assert_eq!(names(dir.path()), ["archive"], "{name}");
        }
    }
    assert!(!Path::new("/evil").exists());
}

#[test]
fn links_are_refused() {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "set/out", "/tmp").unwrap();
    let tar = tar.into_inner().unwrap().finish().unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("set/out", "/tmp", SimpleFileOptions::default()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    for (kind, bytes) in [(Archive::TarGz, tar), (Archive::Zip, zip)] {
        let (dir, done) = run(kind, &bytes, "set");
        assert!(done.unwrap_err().to_string().contains("set/out is neither a file nor a folder"));
        assert_eq!(names(dir.path()), ["archive"]);
    }
}

#[test]
fn nothing_that_is_there_is_replaced() {
    for (kind, bytes) in both(&[("set/a", b"new")]) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("set")).unwrap();
        fs::write(dir.path().join("set/a"), "mine").unwrap();
        let archive = dir.path().join("archive");
        fs::write(&archive, bytes).unwrap();
        let e = take(&archive, kind, "set", dir.path()).unwrap_err();
        assert!(matches!(e, DownloadError::InTheWay { .. }), "{e}");
        assert_eq!(fs::read(dir.path().join("set/a")).unwrap(), b"mine");
    }
}

#[test]
fn what_a_killed_process_left_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    fs::write(&archive, zip(&[("set/a", b"a")])).unwrap();
    fs::create_dir_all(dir.path().join("archive.unpacking/set")).unwrap();
    fs::write(dir.path().join("archive.unpacking/set/half"), "half").unwrap();
    take(&archive, Archive::Zip, "set", dir.path()).unwrap();
    assert_eq!(names(&dir.path().join("set")), ["a"]);
    assert_eq!(names(dir.path()), ["archive", "set"]);
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let content = (0..40_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>();
    for (kind, bytes) in both(&[("set/a", &content), ("set/b", &content)]) {
        let missing = run(kind, &bytes, "other").1.unwrap_err();
        assert!(missing.to_string().ends_with("it holds no other"), "{missing}");
        for cut in [0, 1, 20, 600, bytes.len() / 2, bytes.len() - 20] {
            let (dir, done) = run(kind, &bytes[..cut], "set");
            assert!(matches!(done, Err(DownloadError::Archive { .. })), "{kind:?} cut at {cut}: {done:?}");
            assert_eq!(names(dir.path()), ["archive"], "{kind:?} cut at {cut}");
        }
        let mut turned = bytes.clone();
        turned[bytes.len() / 2] ^= 0x55;
        let (dir, done) = run(kind, &turned, "set");
        assert!(matches!(done, Err(DownloadError::Archive { .. })), "{kind:?}: {done:?}");
        assert_eq!(names(dir.path()), ["archive"]);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever is broken in it, an archive gives an error or the data, and never a panic or a file elsewhere.
    #[test]
    fn any_damage_is_survived(at in proptest::prelude::any::<proptest::sample::Index>(), byte: u8, is_zip: bool) {
        let (kind, mut bytes) = both(&[("set/a", b"aaaaaaaaaaaaaaaaaaaaaaaa"), ("set/in/b", b"bb")])[usize::from(is_zip)].clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let (dir, done) = run(kind, &bytes, "set");
        let left = names(dir.path());
        match done {
            Ok(()) => proptest::prop_assert_eq!(left, ["archive", "data"]),
            Err(_) => proptest::prop_assert!(left == ["archive"] || left == ["archive", "data"], "{:?}", left),
        }
    }
}
