//! Data set `folder`: trees as people have them, and as nobody should.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Ledger, Purpose, SampleId};
use hybridrepair_data::folder::{
    ClassTree, FileSplits, InputSize, Report, Resize, SkipReason, read_folder, read_pictures,
};
use hybridrepair_data::{DataError, LoadOptions, load};
use std::path::{Path, PathBuf};

const SMALL: InputSize = InputSize::square(4);

fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A picture of one colour.
fn ppm(v: [u8; 3]) -> Vec<u8> {
    [b"P6 2 1 255\n".as_slice(), &v, &v].concat()
}

/// Two classes, `a` and `b`, in the splits named, `n` pictures each; the colour says class and number.
fn tree(dir: &Path, splits: &[&str], n: u8) {
    for split in splits {
        for (class, name) in ["a", "b"].into_iter().enumerate() {
            for i in 0..n {
                write(dir.join(format!("{split}/{name}/{i:03}.ppm")), &ppm([class as u8, i, 9]));
            }
        }
    }
}

fn error(result: Result<FileSplits, DataError>) -> String {
    result.unwrap_err().to_string()
}

fn names(files: &[(PathBuf, usize)], dir: &Path) -> Vec<String> {
    files.iter().map(|(f, c)| format!("{c} {}", f.strip_prefix(dir).unwrap().display())).collect()
}

#[test]
fn pictures_labels_and_files_belong_together() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path(), &["train", "val", "field", "holdout"], 6);
    // a class that the field has not, and one file twice
    write(dir.path().join("train/Ä very odd, name/x y.ppm"), &ppm([2, 0, 9]));
    std::fs::copy(dir.path().join("field/b/001.ppm"), dir.path().join("field/b/002.ppm")).unwrap();
    let read = read_folder(dir.path(), &SMALL, 0).unwrap();
    let s = &read.splits;
    assert_eq!(s.class_names, ["a", "b", "Ä very odd, name"]);
    assert_eq!((s.train.images.len(), s.val.images.len()), (13, 12));
    assert_eq!((s.field.images.len(), s.holdout.images.len()), (12, 12));
    assert_eq!((read.report.read, read.report.lines().len(), read.files.len()), (49, 0, 49));
    s.train.check("train", 3).unwrap();
    let mut ledger = Ledger::new(0);
    for (split, labels) in [
        (&s.train.images, s.train.labels.as_slice()),
        (&s.field.images, ledger.reveal(&s.field.labels, Purpose::Diagnose, "test")),
    ] {
        assert!(labels.iter().enumerate().all(|(i, c)| u32::from(split.get(i)[0]) == c.0));
    }
    for (i, id) in s.holdout.ids.iter().enumerate() {
        let file = &read.files[id.0 as usize];
        assert!(file.ends_with(format!("{}/{:03}.ppm", ["a", "b"][i / 6], s.holdout.images.get(i)[1])), "{file:?}");
    }
    // by name, at the default size
    let same = load("folder", Some(dir.path()), &LoadOptions::default()).unwrap();
    assert_eq!((same.train.images.height(), same.train.labels.len(), same.train.ids[1]), (32, 13, SampleId(1)));
    let options = LoadOptions {
        input: Some(InputSize { height: 3, width: 5, resize: Resize::FitPad }),
        ..LoadOptions::default()
    };
    let padded = load("folder", Some(dir.path()), &options).unwrap();
    assert_eq!((padded.field.images.height(), padded.field.images.width()), (3, 5));
}

#[test]
fn the_normalisation_is_that_of_the_training_pictures() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path(), &["train", "val", "field", "holdout"], 2);
    let n = read_folder(dir.path(), &SMALL, 0).unwrap().splits.normalization;
    // the red of a is 0, of b is 1: a deviation below one level counts as one
    assert!((n.mean[0] - 0.5 / 255.0).abs() < 1e-7 && (n.std[0] - 1.0 / 255.0).abs() < 1e-7, "{n:?}");
    assert!((n.mean[2] - 9.0 / 255.0).abs() < 1e-7, "{n:?}");
}

#[test]
fn without_val_a_tenth_of_train_is_taken_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path(), &["train", "field", "holdout"], 20);
    let ids = |seed| {
        let s = read_folder(dir.path(), &SMALL, seed).unwrap().splits;
        (s.train.ids, s.val.ids)
    };
    let (train, val) = ids(1);
    assert_eq!((train.len(), val.len()), (36, 4));
    let mut all = [&train[..], &val].concat();
    all.sort_unstable();
    assert_eq!(all, (0..40).map(SampleId).collect::<Vec<_>>());
    assert_eq!((&train, &val), (&ids(1).0, &ids(1).1));
    assert_ne!(val, ids(2).1);
}

#[test]
fn the_order_is_that_of_torchvision() {
    // by class, by folder, by name, all as bytes; "a b" comes before "a/", "B" before "a"
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    for name in ["c/z.PNG", "c/10.png", "c/2.png", "c/a/1.png", "c/a b/1.png", "c/a/b/0.jpeg", "B/é.png", "B/e.png"] {
        write(d.join(name), b"x");
    }
    let mut report = Report::default();
    let tree = ClassTree::scan(d, &mut report).unwrap();
    assert_eq!(tree.classes, ["B", "c"]);
    let expected = [
        "0 B/e.png",
        "0 B/é.png",
        "1 c/10.png",
        "1 c/2.png",
        "1 c/z.PNG",
        "1 c/a/1.png",
        "1 c/a b/1.png",
        "1 c/a/b/0.jpeg",
    ];
    assert_eq!(names(&tree.files, d), expected);
}

#[test]
fn what_is_no_picture_is_counted_or_named() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path(), &["train", "field", "holdout"], 3);
    let t = dir.path().join("train");
    for name in ["a/.hidden.png", ".git/x.png", "a/Thumbs.db", "a/desktop.ini", "__MACOSX/a/1.png", "a/@eaDir/1.png"] {
        write(t.join(name), b"x");
    }
    for name in ["a/notes.txt", "b/README", "labels.csv", "a/movie.MP4", "b/more.txt"] {
        write(t.join(name), b"x");
    }
    write(t.join("loose.png"), &ppm([0; 3]));
    write(t.join("a/empty.png"), b"");
    write(t.join("a/text.jpg"), b"<!doctype html>");
    write(t.join("a/short.png"), &png(9, 9)[..60]);
    std::fs::create_dir(t.join("nothing here")).unwrap();
    // a folder with the name of a picture is a folder
    write(t.join("b/folder.png/inside.ppm"), &ppm([1, 77, 9]));
    let read = read_folder(dir.path(), &SMALL, 0).unwrap();
    let r = &read.report;
    assert_eq!(read.splits.class_names, ["a", "b", "nothing here"]);
    assert_eq!(read.splits.train.images.len() + read.splits.val.images.len(), 7);
    assert_eq!(r.hidden, 6);
    assert_eq!(format!("{:?}", r.other), r#"{"": 1, "csv": 1, "mp4": 1, "txt": 2}"#);
    assert_eq!(r.empty_classes, [t.join("nothing here")]);
    let said: Vec<String> = r.skipped.iter().map(ToString::to_string).collect();
    for (file, why) in [
        ("loose.png", "lies in no class folder"),
        ("empty.png", "is empty"),
        ("text.jpg", "is no picture in a format that is read here"),
        ("short.png", "is cut short"),
    ] {
        assert!(said.iter().any(|s| s.contains(file) && s.contains(why)), "{file}: {said:#?}");
    }
    assert_eq!(said.len(), 4);
    assert_eq!(read.report.lines()[0], "4 skipped, 19 pictures read");
}

fn png(h: u32, w: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(w, h, |x, y| image::Rgb([x as u8 * 31, y as u8 * 17, 5]))
        .write_to(&mut out, image::ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

#[test]
fn very_long_names_and_many_classes() {
    let dir = tempfile::tempdir().unwrap();
    let (long, one) = ("ü".repeat(120), dir.path().join("one.ppm"));
    write(&one, &ppm([1, 2, 3]));
    for split in ["train", "field", "holdout"] {
        for class in 0..1200 {
            let folder = dir.path().join(format!("{split}/{class}"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::hard_link(&one, folder.join("1.ppm")).unwrap();
        }
        write(dir.path().join(split).join(&long).join(format!("{long}.ppm")), &ppm([255; 3]));
    }
    let e = error(read_folder(dir.path(), &InputSize::square(1), 0));
    assert!(e.contains("no picture for val: train has one picture of each class"), "{e}");
    std::fs::hard_link(&one, dir.path().join("train/0/2.ppm")).unwrap();
    let read = read_folder(dir.path(), &InputSize::square(1), 0).unwrap();
    assert_eq!((read.splits.classes(), read.splits.field.images.len()), (1201, 1201));
    assert_eq!(read.splits.class_names[1200], long);
    assert_eq!(read.splits.train.labels[1200], ClassId(1200));
}

#[test]
fn missing_and_unknown_folders_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    assert!(error(read_folder(d, &SMALL, 0)).contains("train/ not found"));
    tree(d, &["train"], 2);
    let e = error(read_folder(d, &SMALL, 0));
    assert!(e.contains("no folder in") && e.contains("field/ not found") && e.contains("holdout/CLASS/*"), "{e}");
    tree(d, &["field", "holdout"], 2);
    write(d.join("field/zebra/1.ppm"), &ppm([0; 3]));
    let e = error(read_folder(d, &SMALL, 0));
    assert!(e.contains("field/zebra: is not among the 2 classes of train: add pictures of it to train/zebra/"), "{e}");
    std::fs::remove_dir_all(d.join("field/zebra")).unwrap();
    std::fs::create_dir(d.join("val")).unwrap();
    let e = error(read_folder(d, &SMALL, 0));
    assert!(e.contains("val: no picture in it: remove it, and 10 % of train"), "{e}");
    std::fs::remove_dir(d.join("val")).unwrap();
    for class in ["a", "b"] {
        for i in 0..2 {
            write(d.join(format!("holdout/{class}/{i:03}.ppm")), b"P6 2 1 255\n");
        }
    }
    let e = error(read_folder(d, &SMALL, 0));
    assert!(
        e.contains("none of the 4 files of holdout can be used; first") && e.contains("000.ppm is cut short"),
        "{e}"
    );
    std::fs::remove_dir_all(d.join("train/b")).unwrap();
    let e = error(read_folder(d, &SMALL, 0));
    assert!(e.contains("a single class folder, \"a\""), "{e}");
}

#[test]
fn any_number_of_threads_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..200).map(|i| dir.path().join(format!("{i}.ppm"))).collect();
    for (i, file) in files.iter().enumerate() {
        write(file, if i % 7 == 3 { b"P6 2" } else { b"P6 1 1 255\nabc" });
    }
    let runs = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| read_pictures(&files, &SMALL).unwrap())
    });
    assert_eq!(runs[0].images.as_slice(), runs[1].images.as_slice());
    assert_eq!(runs[0].rows, (0..200).filter(|i| i % 7 != 3).collect::<Vec<_>>());
    let skipped = |i: usize| runs[i].skipped.iter().map(|s| s.path.clone()).collect::<Vec<_>>();
    assert_eq!((skipped(0).len(), skipped(0)), (29, skipped(1)));
    assert!(read_pictures(&files, &InputSize::square(0)).is_err());
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::{ffi::OsStrExt, fs::PermissionsExt, fs::symlink, net::UnixListener};

    #[test]
    fn links_are_followed_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        write(d.join("t/a/1.ppm"), &ppm([0; 3]));
        write(d.join("t/b/1.ppm"), &ppm([0; 3]));
        write(d.join("elsewhere/5.ppm"), &ppm([0; 3]));
        symlink("../../elsewhere", d.join("t/a/linked")).unwrap();
        symlink(d.join("elsewhere/5.ppm"), d.join("t/a/5.ppm")).unwrap();
        symlink("..", d.join("t/a/up")).unwrap();
        symlink("../b", d.join("t/a/sideways")).unwrap();
        symlink("../a", d.join("t/b/back")).unwrap();
        symlink("nowhere", d.join("t/a/dangling.png")).unwrap();
        symlink("/dev/zero", d.join("t/a/zero.png")).unwrap();
        symlink("../elsewhere", d.join("t/c")).unwrap();
        let mut report = Report::default();
        let tree = ClassTree::scan(&d.join("t"), &mut report).unwrap();
        assert_eq!(tree.classes, ["a", "b", "c"]);
        let names = names(&tree.files, &d.join("t"));
        for expected in ["0 a/1.ppm", "0 a/5.ppm", "0 a/linked/5.ppm", "0 a/sideways/1.ppm", "1 b/1.ppm", "2 c/5.ppm"] {
            assert!(names.iter().any(|n| n == expected), "{expected}: {names:#?}");
        }
        let why = |end: &str| &report.skipped.iter().find(|s| s.path.ends_with(end)).unwrap().why;
        assert!(matches!(why("a/sideways/back"), SkipReason::Loop));
        assert!(matches!(why("a/dangling.png"), SkipReason::Io(_)));
        assert!(matches!(why("a/zero.png"), SkipReason::NotAFile));
        assert!(names.len() < 40, "{names:#?}");
    }

    #[test]
    fn pipes_and_sockets_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("t/a/socket.png");
        write(dir.path().join("t/a/1.ppm"), &ppm([0; 3]));
        let _open = UnixListener::bind(&socket).unwrap();
        let mut report = Report::default();
        let tree = ClassTree::scan(&dir.path().join("t"), &mut report).unwrap();
        assert_eq!((tree.files.len(), report.skipped.len()), (1, 1));
        // given by name, as a manifest may
        let read = read_pictures(&[socket.as_path(), Path::new("/dev/zero"), dir.path()], &SMALL).unwrap();
        assert!(read.skipped.iter().all(|s| matches!(s.why, SkipReason::NotAFile)) && read.skipped.len() == 3);
    }

    #[test]
    fn names_that_are_no_utf8() {
        let dir = tempfile::tempdir().unwrap();
        tree(dir.path(), &["train", "field", "holdout"], 2);
        let odd = OsStr::from_bytes(b"caf\xe9.ppm");
        write(dir.path().join("field/a").join(odd), &ppm([0, 200, 9]));
        let read = read_folder(dir.path(), &SMALL, 0).unwrap();
        assert_eq!(read.splits.field.images.len(), 5);
        assert!(read.files.iter().any(|f| f.file_name() == Some(odd)));
        write(dir.path().join("train").join(OsStr::from_bytes(b"caf\xe9")).join("1.ppm"), &ppm([0; 3]));
        assert!(error(read_folder(dir.path(), &SMALL, 0)).contains("is no UTF-8: rename the folder"));
    }

    #[test]
    fn what_may_not_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        tree(dir.path(), &["train", "field", "holdout"], 2);
        let (file, folder) = (dir.path().join("field/a/000.ppm"), dir.path().join("field/b"));
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o0)).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o0)).unwrap();
        if std::fs::read(&file).is_ok() {
            // the superuser may read everything
            return std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let read = read_folder(dir.path(), &SMALL, 0);
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        let said = read.unwrap().report.lines().join("\n");
        assert!(said.contains("000.ppm cannot be read") && said.contains("field/b cannot be read"), "{said}");
    }
}
