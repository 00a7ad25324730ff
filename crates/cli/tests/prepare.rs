//! `data list` and `data prepare`, driven from outside. The official addresses are asked through a proxy of our own.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs the tool with `home` as the folder of all data sets and nothing of this machine's settings.
fn run(home: &Path, proxy: Option<&str>, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybridrepair"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    if let Some(proxy) = proxy {
        command.env("http_proxy", proxy);
    }
    command.arg("data").args(args).env("HYBRIDREPAIR_DATA_HOME", home).stdin(Stdio::null());
    let o = command.output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    Ran { code: o.status.code().unwrap(), out: text(&o.stdout), err: text(&o.stderr) }
}

/// A proxy that answers everything with this status and body; gives its address and the requests.
fn proxy(status: u16, body: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut request = || {
                    let mut lines = (&mut reader).lines().map_while(Result::ok);
                    let first = lines.next()?;
                    lines.take_while(|l| !l.is_empty()).for_each(drop);
                    Some(first)
                };
                // a tunnel first, where the client asks for one, then what goes through it
                while let Some(line) = request() {
                    log.lock().unwrap().push(line.clone());
                    if line.starts_with("CONNECT") {
                        let _ = write!(stream, "HTTP/1.1 200 OK\r\n\r\n");
                        continue;
                    }
                    let length = body.len();
                    let _ = write!(stream, "HTTP/1.1 {status} Whatever\r\nContent-Length: {length}\r\n\r\n{body}");
                }
            });
        }
    });
    (address, asked)
}

#[test]
fn the_list_says_what_there_is_and_where() {
    let home = tempfile::tempdir().unwrap();
    let plain = run(home.path(), None, &["list"]);
    assert_eq!(plain.code, 0, "{}", plain.err);
    for word in ["signs", "built in", "cifar10", "60000", "170.1 MB", "none stated", &home.path().display().to_string()]
    {
        assert!(plain.out.contains(word), "{word}: {}", plain.out);
    }
    fs::create_dir_all(home.path().join("svhn")).unwrap();
    for file in ["train_32x32.mat", "test_32x32.mat"] {
        fs::write(home.path().join("svhn").join(file), "").unwrap();
    }
    let json: Value = serde_json::from_str(&run(home.path(), None, &["list", "--json"]).out).unwrap();
    let sets = json["datasets"].as_array().unwrap();
    let of = |name: &str| sets.iter().find(|s| s["name"] == name).unwrap();
    assert_eq!(of("signs")["built_in"], true);
    assert_eq!(of("svhn")["published"]["there"], true);
    assert_eq!(of("cifar10")["published"]["there"], false);
    assert_eq!(of("cifar10")["published"]["files"][0]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn offline_says_which_file_is_missing_where_it_goes_and_where_it_comes_from() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), None, &["prepare", "cifar10", "--offline"]);
    let path = home.path().join("cifar10/cifar-10-binary.tar.gz");
    assert_eq!(ran.code, 4, "{}", ran.err);
    for word in [&*path.display().to_string(), "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "help:"] {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
    assert!(!home.path().join("cifar10").exists());
    // a file put there by hand is checked before it is used, and left as it is
    fs::create_dir(home.path().join("cifar10")).unwrap();
    fs::write(&path, "not CIFAR-10").unwrap();
    let ran = run(home.path(), None, &["prepare", "cifar10", "--offline"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("sha256") && ran.err.contains("c4a38c50a1bc5f3a"), "{}", ran.err);
    assert_eq!(fs::read(&path).unwrap(), b"not CIFAR-10");
}

#[test]
fn names_that_cannot_be_fetched() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), None, &["prepare", "cifar"]);
    assert!(ran.code == 2 && ran.err.contains("cifar10, cifar100") && ran.err.contains("help:"), "{}", ran.err);
    let ran = run(home.path(), None, &["prepare", "signs"]);
    assert!(ran.code == 0 && ran.out.contains("needs no files"), "{}", ran.err);
}

#[test]
fn the_proxy_of_the_environment_is_asked_and_what_it_says_is_told() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("here");
    let args = ["prepare", "svhn", "--data-dir", dir.to_str().unwrap()];
    let (address, asked) = proxy(404, "");
    let ran = run(home.path(), Some(&address), &args);
    assert!(ran.code == 1 && ran.err.contains("answered 404") && ran.err.contains("help:"), "{}", ran.err);
    assert!(asked.lock().unwrap()[0].contains("ufldl.stanford.edu"), "{asked:?}");
    // the login page of a hotel
    let (address, _) = proxy(200, "<html><body>Welcome to our WLAN</body></html>");
    let ran = run(home.path(), Some(&address), &args);
    assert!(ran.code == 1 && ran.err.contains("log in to the network"), "{}", ran.err);
    // another file
    let (address, _) = proxy(200, "hello");
    let ran = run(home.path(), Some(&address), &args);
    assert!(ran.code == 1 && ran.err.contains("5 bytes, expected 182040794"), "{}", ran.err);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}
