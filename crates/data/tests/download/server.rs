//! A small HTTP server that follows a script and writes down what it was asked.

use hybridrepair_data::download::{Checksum, Options, Source};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request, as far as downloads are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// The first byte asked for.
    pub(crate) from: Option<u64>,
    pub(crate) if_range: Option<String>,
}

/// How the server behaves towards one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<&'static str>,
    /// Whether it knows `Range`.
    pub(crate) ranges: bool,
    /// After so many bytes of the body it hangs up.
    pub(crate) breaks_after: Option<usize>,
    /// Before the body it is silent for so long.
    pub(crate) silence: Duration,
    /// Before each piece of 4,096 bytes.
    pub(crate) pause: Duration,
    /// Announces no length; the end of the connection is the end of the body.
    pub(crate) endless: bool,
    /// A further line of the head.
    pub(crate) head: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The file, as a good server sends it.
    pub(crate) fn file(body: &[u8]) -> Self {
        Self {
            status: 200,
            etag: Some("\"v1\""),
            ranges: true,
            breaks_after: None,
            silence: Duration::ZERO,
            pause: Duration::ZERO,
            endless: false,
            head: None,
            body: body.to_vec(),
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, etag: None, ..Self::file(b"sorry") }
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers the n-th request with the n-th answer, and all further ones with the last.
    pub(crate) fn script(answers: Vec<Answer>) -> Self {
        Self::new(move |n, _| answers[n.min(answers.len() - 1)].clone())
    }

    pub(crate) fn new(answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    let n = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    // the client may have hung up
                    let _ = send(stream, &request, &answer(n, &request));
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut asked = Asked { path, from: None, if_range: None };
    for line in lines.take_while(|l| !l.is_empty()) {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "range" => asked.from = value.trim().strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok(),
            "if-range" => asked.if_range = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    Some(asked)
}

fn send(mut stream: TcpStream, asked: &Asked, answer: &Answer) -> std::io::Result<()> {
    let total = answer.body.len();
    let same = asked.if_range.is_none() || asked.if_range.as_deref() == answer.etag;
    let mut head = vec!["Connection: close".to_owned()];
    let (mut status, mut body) = (answer.status, &answer.body[..]);
    if let (200, true, true, Some(from)) = (status, answer.ranges, same, asked.from) {
        if from as usize >= total {
            (status, body) = (416, &[]);
            head.push(format!("Content-Range: bytes */{total}"));
        } else {
            (status, body) = (206, &answer.body[from as usize..]);
            head.push(format!("Content-Range: bytes {from}-{}/{total}", total - 1));
        }
    }
    head.extend(answer.etag.map(|etag| format!("ETag: {etag}")));
    if !answer.endless {
        head.push(format!("Content-Length: {}", body.len()));
    }
    head.extend(answer.head.clone());
    let head = head.join("\r\n");
    write!(stream, "HTTP/1.1 {status} Whatever\r\n{head}\r\n\r\n")?;
    thread::sleep(answer.silence);
    let most = answer.breaks_after.unwrap_or(body.len()).min(body.len());
    for piece in body[..most].chunks(4096) {
        thread::sleep(answer.pause);
        stream.write_all(piece)?;
    }
    Ok(())
}

/// Bytes that look like no other file's.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<u8> {
    let mut x = seed.wrapping_mul(2).wrapping_add(1);
    let step = |x: &mut u64| {
        *x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*x >> 56) as u8
    };
    (0..n).map(|_| step(&mut x)).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hex = |b: &u8| [b >> 4, b & 15].map(|d| char::from_digit(u32::from(d), 16).unwrap());
    Sha256::digest(bytes).iter().flat_map(hex).collect()
}

pub(crate) fn source<'a>(url: &'a str, bytes: u64, digits: &'a str) -> Source<'a> {
    Source { url, file: "file.bin", bytes: Some(bytes), checksum: Checksum::Sha256(digits) }
}

/// Impatient, for tests.
pub(crate) fn quick() -> Options<'static> {
    let wait = Duration::from_millis(5);
    Options { tries: 3, wait, silence: Duration::from_secs(20), ..Options::default() }
}

/// Names of what lies in a folder, sorted.
pub(crate) fn names(dir: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>();
    names.sort();
    names
}
