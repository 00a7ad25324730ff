//! Several at once.

use crate::server::{Answer, Server, names, noise, quick, sha256, source};
use hybridrepair_data::download::{Event, Options, fetch};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn two_at_once_take_turns_and_ask_once() {
    let (file, dir) = (noise(200_000, 1), tempfile::tempdir().unwrap());
    let slow = Answer { pause: Duration::from_millis(5), ..Answer::file(&file) };
    let server = Server::script(vec![slow]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    let waited = AtomicUsize::new(0);
    let received = thread::scope(|scope| {
        let one = || {
            let report = |e: Event<'_>| {
                if let Event::Waiting { path } = e {
                    assert!(path.ends_with("file.bin"));
                    waited.fetch_add(1, Ordering::Relaxed);
                }
            };
            fetch(&source(&url, 200_000, &digits), dir.path(), &Options { report: &report, ..quick() })
                .unwrap()
                .received
        };
        let all = (0..4).map(|_| scope.spawn(one)).collect::<Vec<_>>();
        all.into_iter().map(|t| t.join().unwrap()).sum::<u64>()
    });
    assert_eq!((received, server.asked().len()), (200_000, 1));
    assert_eq!(waited.load(Ordering::Relaxed), 3);
    assert_eq!(names(dir.path()), ["file.bin"]);
}

#[test]
fn when_the_first_fails_the_next_goes_on() {
    let (file, dir) = (noise(200_000, 2), tempfile::tempdir().unwrap());
    let slow = Answer { pause: Duration::from_millis(2), ..Answer::file(&file) };
    let broken = Answer { breaks_after: Some(80_000), ..slow.clone() };
    let server = Server::script(vec![broken, slow]);
    let (url, digits) = (server.url("file.bin"), sha256(&file));
    // one try each: the first ends with an error
    let results = thread::scope(|scope| {
        let one = || fetch(&source(&url, 200_000, &digits), dir.path(), &Options { tries: 1, ..quick() });
        let all = (0..3).map(|_| scope.spawn(one)).collect::<Vec<_>>();
        all.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(results.iter().filter(|r| r.is_err()).count(), 1);
    assert_eq!(results.iter().flatten().map(|f| f.received).sum::<u64>(), 120_000);
    let from = server.asked().iter().map(|a| a.from).collect::<Vec<_>>();
    assert_eq!(from, [None, Some(80_000)]);
}
