use crate::server::{Answer, Server, names, noise, quick, sha256, source};
use hybridrepair_data::download::{Checksum, DownloadError, Event, Options, Source, fetch};
use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const N: usize = 300_000;

#[test]
fn a_whole_download_then_nothing_more_to_do() {
    let (file, dir) = (noise(N, 1), tempfile::tempdir().unwrap());
    let (server, digits) = (Server::script(vec![Answer::file(&file)]), sha256(&file));
    let url = server.url("file.bin");
    let into = dir.path().join("new/folder");
    let told = RefCell::new(Vec::new());
    let report = |e: Event<'_>| {
        if let Event::Bytes { done } = e {
            told.borrow_mut().push(done);
        }
    };
    let options = Options { report: &report, ..quick() };
    let got = fetch(&source(&url, N as u64, &digits), &into, &options).unwrap();
    assert_eq!((got.received, fs::read(&got.path).unwrap()), (N as u64, file));
    assert_eq!(names(&into), ["file.bin"]);
    assert!(told.borrow().is_sorted() && told.borrow().last() == Some(&(N as u64)));
    // there: checked, not asked for; offline too
    for offline in [false, true] {
        let got = fetch(&source(&url, N as u64, &digits), &into, &Options { offline, ..quick() }).unwrap();
        assert_eq!(got.received, 0);
    }
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn md5_and_unknown_size_do_as_well() {
    let (file, dir) = (b"abc".to_vec(), tempfile::tempdir().unwrap());
    let server = Server::script(vec![Answer { endless: true, etag: None, ..Answer::file(&file) }]);
    let url = server.url("file.bin");
    let checksum = Checksum::Md5("900150983cd24fb0d6963f7d28e17f72");
    let got = fetch(&Source { bytes: None, checksum, ..source(&url, 0, "") }, dir.path(), &quick()).unwrap();
    assert_eq!(fs::read(got.path).unwrap(), file);
}

#[test]
fn a_broken_download_is_gone_on_with() {
    let (file, dir) = (noise(N, 2), tempfile::tempdir().unwrap());
    let broken = |n| Answer { breaks_after: Some(n), ..Answer::file(&file) };
    let server = Server::script(vec![broken(100_000), broken(50_000), Answer::file(&file)]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let got = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap();
    // every byte came once
    assert_eq!((got.received, fs::read(&got.path).unwrap()), (N as u64, file.clone()));
    let from = server.asked().iter().map(|a| a.from).collect::<Vec<_>>();
    assert_eq!(from, [None, Some(100_000), Some(150_000)]);
    assert!(server.asked()[1..].iter().all(|a| a.if_range.as_deref() == Some("\"v1\"")));
    assert_eq!(names(dir.path()), ["file.bin"]);
}

#[test]
fn another_process_goes_on_where_one_was_ended() {
    let (file, dir) = (noise(N, 3), tempfile::tempdir().unwrap());
    let gone = Answer { breaks_after: Some(0), ..Answer::file(&file) };
    let broken = Answer { breaks_after: Some(123_456), ..Answer::file(&file) };
    let server = Server::script(vec![broken, gone.clone(), gone.clone(), gone, Answer::file(&file)]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let e = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Network { tries: 3, kept: 123_456, .. }), "{e}");
    assert!(e.to_string().contains("tried 3 times; 123456 bytes are kept"), "{e}");
    assert_eq!(names(dir.path()), ["file.bin.part", "file.bin.part.tag"]);
    let got = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap();
    assert_eq!((got.received, fs::read(&got.path).unwrap()), (N as u64 - 123_456, file));
    let last = server.asked().pop().unwrap();
    assert_eq!((last.from, last.if_range.as_deref()), (Some(123_456), Some("\"v1\"")));
    assert_eq!(names(dir.path()), ["file.bin"]);
}

#[test]
fn a_file_that_changed_in_between_is_fetched_anew() {
    let (old, new, dir) = (noise(N, 4), noise(N, 5), tempfile::tempdir().unwrap());
    let broken = Answer { breaks_after: Some(100_000), ..Answer::file(&old) };
    let server = Server::script(vec![broken, Answer { etag: Some("\"v2\""), ..Answer::file(&new) }]);
    let (url, digits) = (server.url("file.bin"), sha256(&new));
    let got = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap();
    assert_eq!((got.received, fs::read(&got.path).unwrap()), (N as u64 + 100_000, new));
    assert_eq!(server.asked()[1].from, Some(100_000));
}

#[test]
fn without_etag_the_checksum_finds_the_seam() {
    // the server goes on with another version and does not say so
    let (old, new, dir) = (noise(N, 6), noise(N, 7), tempfile::tempdir().unwrap());
    let broken = Answer { breaks_after: Some(100_000), etag: None, ..Answer::file(&old) };
    let server = Server::script(vec![broken, Answer { etag: None, ..Answer::file(&new) }]);
    let (url, digits) = (server.url("file.bin"), sha256(&new));
    let got = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), new);
    let from = server.asked().iter().map(|a| a.from).collect::<Vec<_>>();
    assert_eq!(from, [None, Some(100_000), None]);
}

#[test]
fn a_server_without_range_sends_all_of_it_again() {
    let (file, dir) = (noise(N, 8), tempfile::tempdir().unwrap());
    let whole = Answer { ranges: false, ..Answer::file(&file) };
    let server = Server::script(vec![Answer { breaks_after: Some(9_999), ..whole.clone() }, whole]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let got = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap();
    assert_eq!((got.received, fs::read(&got.path).unwrap()), (N as u64 + 9_999, file));
}

#[test]
fn what_was_left_may_be_all_or_too_much() {
    let file = noise(N, 9);
    let (server, digits) = (Server::script(vec![Answer::file(&file)]), sha256(&file));
    let url = server.url("file.bin");
    for (left, unknown, requests) in [
        (file.clone(), false, 0),                 // all of it: no request
        (file.clone(), true, 1),                  // 416, and it is all of it
        ([&file[..], b"more"].concat(), true, 2), // 416, and it is not
        ([&file[..], b"more"].concat(), false, 1),
        (noise(N, 10), false, 1), // as long, and something else
    ] {
        let dir = tempfile::tempdir().unwrap();
        let before = server.asked().len();
        fs::write(dir.path().join("file.bin.part"), left).unwrap();
        let bytes = (!unknown).then_some(N as u64);
        let got = fetch(&Source { bytes, ..source(&url, 0, &digits) }, dir.path(), &quick()).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), file);
        assert_eq!(server.asked().len() - before, requests);
    }
}

#[test]
fn a_wrong_checksum_is_told_and_the_file_kept_aside() {
    let (file, dir) = (noise(N, 11), tempfile::tempdir().unwrap());
    let (server, digits) = (Server::script(vec![Answer::file(&file)]), sha256(b"another"));
    let url = server.url("file.bin");
    let e = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap_err();
    let DownloadError::Checksum { path, kind: "sha256", expected, got } = e else { panic!("{e}") };
    assert_eq!((expected, got), (digits.clone(), sha256(&file)));
    assert_eq!(names(dir.path()), ["file.bin.wrong"]);
    assert_eq!(fs::read(path).unwrap(), file);
    assert_eq!(server.asked().len(), 1);
    // a file that is there is never replaced
    fs::write(dir.path().join("file.bin"), "mine").unwrap();
    let e = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Checksum { .. }), "{e}");
    assert_eq!(fs::read(dir.path().join("file.bin")).unwrap(), b"mine");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_trying_again_does_not_change_is_asked_once() {
    for status in [401, 403, 404, 410] {
        let (server, dir) = (Server::script(vec![Answer::status(status)]), tempfile::tempdir().unwrap());
        let url = server.url("file.bin");
        let e = fetch(&source(&url, 5, &sha256(b"sorry")), dir.path(), &quick()).unwrap_err();
        assert!(matches!(&e, DownloadError::Status { status: s, url: u } if *s == status && *u == url), "{e}");
        assert_eq!((server.asked().len(), names(dir.path())), (1, vec![]));
    }
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let (file, dir) = (noise(N, 12), tempfile::tempdir().unwrap());
    let busy = Answer { head: Some("Retry-After: 0".to_owned()), ..Answer::status(503) };
    let server = Server::script(vec![Answer::status(500), busy, Answer::file(&file)]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let told = RefCell::new(Vec::new());
    let report = |e: Event<'_>| {
        if let Event::Retry { why, wait } = e {
            told.borrow_mut().push((why.to_owned(), wait));
        }
    };
    fetch(&source(&url, N as u64, &digits), dir.path(), &Options { report: &report, ..quick() }).unwrap();
    let expected = [("the server answered 500", 5), ("the server answered 503", 0)];
    assert_eq!(told.take(), expected.map(|(why, ms)| (why.to_owned(), Duration::from_millis(ms))));
    // and not for ever
    let server = Server::script(vec![Answer::status(500)]);
    let url = server.url("file.bin");
    let e = fetch(&source(&url, 1, &digits), &dir.path().join("b"), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Network { tries: 3, kept: 0, .. }), "{e}");
    assert_eq!((server.asked().len(), names(&dir.path().join("b"))), (3, vec![]));
}

#[test]
fn redirects_are_followed() {
    let (file, dir) = (noise(N, 13), tempfile::tempdir().unwrap());
    let content = file.clone();
    let server = Server::new(move |_, asked| match asked.path.as_str() {
        "/file.bin" => Answer { head: Some("Location: /elsewhere".to_owned()), ..Answer::status(302) },
        "/elsewhere" => Answer { breaks_after: asked.from.is_none().then_some(70_000), ..Answer::file(&content) },
        _ => Answer { head: Some("Location: /round".to_owned()), ..Answer::status(301) },
    });
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let got = fetch(&source(&url, N as u64, &digits), dir.path(), &quick()).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), file);
    // the range goes along
    assert_eq!(server.asked().last().unwrap().from, Some(70_000));
    let url = server.url("round");
    let e = fetch(&source(&url, 1, &digits), &dir.path().join("b"), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Network { tries: 1, .. }), "{e}");
}

#[test]
fn a_page_in_place_of_the_file_is_told_from_it() {
    let html = b"\n<!DOCTYPE html><html><head><title>Log in to Hotel WLAN</title></head></html>";
    let kind = |t: &str| Some(format!("Content-Type: {t}"));
    let typed = Answer { head: kind("text/html; charset=utf-8"), ..Answer::file(html) };
    let silent = Answer { endless: true, head: kind("application/octet-stream"), ..Answer::file(html) };
    let bare = Answer::file(html);
    let status = Answer { status: 511, ..typed.clone() };
    for answer in [typed, silent, bare, status] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::new(move |_, asked| match asked.path.as_str() {
            "/login" => answer.clone(),
            _ => Answer { head: Some("Location: /login".to_owned()), ..Answer::status(302) },
        });
        let (url, digits) = (server.url("file.bin"), sha256(b"x"));
        let e = fetch(&source(&url, 1_000_000, &digits), dir.path(), &quick()).unwrap_err();
        let DownloadError::Page { url, begin } = &e else { panic!("{e}") };
        assert!(*url == server.url("login") && !begin.is_empty(), "{e}");
        assert_eq!((server.asked().len(), names(dir.path())), (2, vec![]));
    }
}

#[test]
fn a_file_of_another_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (file, digits) = (noise(2_000, 14), sha256(b"x"));
    // announced: before anything is read; not announced: when it is too long
    for (endless, expected) in [(false, 1_999), (false, 2_001), (true, 1_999)] {
        let server = Server::script(vec![Answer { endless, ..Answer::file(&file) }]);
        let url = server.url("file.bin");
        let e = fetch(&source(&url, expected, &digits), dir.path(), &quick()).unwrap_err();
        assert!(matches!(e, DownloadError::Length { got: 2_000, expected: n, .. } if n == expected), "{e}");
        assert_eq!((server.asked().len(), names(dir.path())), (1, vec![]));
    }
    // not announced and too short: a broken connection looks the same, so it is tried again
    let server = Server::script(vec![Answer { endless: true, ranges: false, ..Answer::file(&file) }]);
    let url = server.url("file.bin");
    let e = fetch(&source(&url, 2_001, &digits), dir.path(), &quick()).unwrap_err();
    assert!(e.to_string().contains("ended after 2000 of 2001 bytes, tried 3 times"), "{e}");
}

#[test]
fn a_server_that_falls_silent_is_given_up_and_a_slow_one_is_not() {
    let (file, dir) = (noise(N, 15), tempfile::tempdir().unwrap());
    let silent = Answer { silence: Duration::from_secs(30), ..Answer::file(&file) };
    let server = Server::script(vec![silent, Answer::file(&file)]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let options = Options { silence: Duration::from_millis(300), ..quick() };
    let began = Instant::now();
    fetch(&source(&url, N as u64, &digits), dir.path(), &options).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(server.asked().len(), 2);
    // longer than `silence` in all, never silent for so long
    let slow = Answer { pause: Duration::from_millis(10), ..Answer::file(&file) };
    let server = Server::script(vec![slow]);
    let url = server.url("file.bin");
    let began = Instant::now();
    fetch(&source(&url, N as u64, &digits), &dir.path().join("b"), &options).unwrap();
    assert!(began.elapsed() > options.silence);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn offline_no_request_is_made() {
    let (server, dir) = (Server::script(vec![Answer::file(b"abc")]), tempfile::tempdir().unwrap());
    let (url, digits) = (server.url("file.bin"), sha256(b"abc"));
    let into = dir.path().join("data");
    let offline = Options { offline: true, ..quick() };
    let e = fetch(&source(&url, 3, &digits), &into, &offline).unwrap_err();
    let DownloadError::Offline { path, url: from } = &e else { panic!("{e}") };
    assert_eq!((path, from), (&into.join("file.bin"), &url));
    assert!(e.to_string().contains("file.bin is not there") && e.to_string().contains(&url), "{e}");
    assert!(server.asked().is_empty() && !into.exists());
}

#[test]
fn nobody_there() {
    let (dir, digits) = (tempfile::tempdir().unwrap(), sha256(b"abc"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/file.bin");
    let e = fetch(&source(&url, 3, &digits), dir.path(), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Network { tries: 3, kept: 0, .. }), "{e}");
    let e = fetch(&source("no address", 3, &digits), dir.path(), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Network { tries: 1, .. }), "{e}");
    // no TLS there: the same would happen to a certificate that is not trusted
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/file.bin", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let e = fetch(&source(&url, 3, &digits), dir.path(), &quick()).unwrap_err();
    assert!(matches!(e, DownloadError::Network { tries: 1, kept: 0, .. }) && !e.to_string().contains("tried"), "{e}");
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("taken"), "a file").unwrap();
    let (server, digits) = (Server::script(vec![Answer::file(b"abc")]), sha256(b"abc"));
    let url = server.url("file.bin");
    let e = fetch(&source(&url, 3, &digits), &dir.path().join("taken"), &quick()).unwrap_err();
    assert!(matches!(&e, DownloadError::Io { path, .. } if path.ends_with("taken")), "{e}");
    assert!(server.asked().is_empty());
}
