//! What a label page must stand: strangers, paths that climb out, large, slow, broken and many requests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hybridrepair_core::{PoolIdx, Purpose, RegionId, SampleId};
use hybridrepair_label::{Asked, AskedImage, Context, Surroundings};
use hybridrepair_runs::{Layout, RunDir, write_json};
use hybridrepair_serve::{LabelServer, ServeOptions};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

const EVIL: &str = "<img src=x onerror=alert(1)>";
/// One red pixel.
const PNG: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144, 119, 83,
    222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 201, 254, 146, 239, 0, 0, 0, 0,
    73, 69, 78, 68, 174, 66, 96, 130,
];

struct Site {
    dir: tempfile::TempDir,
    port: u16,
    token: String,
}

fn run_in(dir: &Path, images: u64) -> Asked {
    let layout = Layout::new(dir);
    fs::create_dir_all(layout.tasks().join("images")).unwrap();
    fs::write(layout.config(), "").unwrap();
    let image = |id: u64| AskedImage {
        id: SampleId(id),
        idx: PoolIdx(id as u32),
        rank: id as usize,
        purpose: Purpose::Annotate,
        region: Some(RegionId(0)),
        reason: EVIL.into(),
        file: format!("tasks/images/{id}.png"),
        predicted: 0,
        confidence: 0.9,
    };
    let classes = vec![EVIL.to_owned(), "dog".to_owned()];
    let asked = Asked {
        format_version: 1,
        classes,
        answers: 1,
        cannot_tell_costs: true,
        images: (0..images).map(image).collect(),
    };
    for id in 0..images.min(50) {
        fs::write(layout.tasks().join(format!("images/{id}.png")), PNG).unwrap();
    }
    write_json(&layout.asked(), &asked).unwrap();
    asked
}

impl Site {
    fn open(images: u64, patience: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let asked = run_in(dir.path(), images);
        Self::serve(dir, asked, patience)
    }

    fn serve(dir: tempfile::TempDir, asked: Asked, patience: Duration) -> Self {
        let options = ServeOptions { patience, ..ServeOptions::default() };
        let server = LabelServer::bind(RunDir::open(dir.path()).unwrap(), asked, &options).unwrap();
        let address = server.address();
        let token = address.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
        let port = server.port();
        thread::spawn(move || server.run());
        Self { dir, port, token }
    }

    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // the server may close before it has read all
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut out = Vec::new();
        let _ = stream.read_to_end(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn get(&self, path: &str, headers: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}\r\n", self.port).as_bytes())
    }

    fn status(&self, path: &str, headers: &str) -> u16 {
        status(&self.get(path, headers))
    }

    fn post(&self, name: &str, body: &Value) -> String {
        let body = body.to_string();
        self.raw(
            format!(
                "POST /{}/api/{name} HTTP/1.1\r\nHost: localhost:{}\r\nOrigin: http://localhost:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                self.token,
                self.port,
                self.port,
                body.len()
            )
            .as_bytes(),
        )
    }

    fn ask(&self, name: &str, body: Value) -> Value {
        let mut body = body;
        body["page"] = "p1".into();
        if body["annotator"].is_null() {
            body["annotator"] = "ann".into();
        }
        let response = self.post(name, &body);
        assert_eq!(status(&response), 200, "{response}");
        serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    fn ledger(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.dir.path().join("ledger.jsonl")).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

fn status(response: &str) -> u16 {
    response.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
}

const SOON: Duration = Duration::from_secs(10);

#[test]
fn without_the_token_or_from_elsewhere_nothing_is_served() {
    let s = Site::open(3, SOON);
    let t = &s.token;
    assert_eq!(t.len(), 32);
    assert_eq!(s.status(&format!("/{t}/"), ""), 200);
    let other = "0".repeat(32);
    for path in [
        "/",
        "/page.js",
        "/picture/0",
        "//",
        "/undefined/",
        &format!("/{other}/"),
        &format!("/{}", &t[..31]),
        &format!("/{t}0/"),
    ] {
        assert_eq!(s.status(path, ""), 403, "{path}");
    }
    let page = format!("/{t}/");
    for headers in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Origin: https://127.0.0.1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        assert_eq!(s.status(&page, headers), 403, "{headers}");
    }
    // a name that somebody has turned to this machine, no name, and two
    for host in ["evil.example", &format!("evil.example:{}", s.port), "127.0.0.1", "0.0.0.0:80", ""] {
        let got = s.raw(format!("GET {page} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(status(&got), 421, "{host}");
    }
    assert_eq!(status(&s.raw(format!("GET {page} HTTP/1.1\r\n\r\n").as_bytes())), 421);
    assert_eq!(s.status(&page, &format!("Host: 127.0.0.1:{}\r\n", s.port)), 421, "two hosts");
    // what a form of another page can send
    let form = format!(
        "POST /{t}/api/next HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}",
        s.port
    );
    assert_eq!(status(&s.raw(form.as_bytes())), 415);
    // nobody listens anywhere else
    let lan =
        std::net::UdpSocket::bind("0.0.0.0:0").and_then(|u| u.connect("192.0.2.1:9").and_then(|()| u.local_addr()));
    if let Ok(lan) = lan
        .map(|a| a.ip())
        .and_then(|ip| if ip.is_loopback() { Err(std::io::Error::other("no other")) } else { Ok(ip) })
    {
        assert!(TcpStream::connect_timeout(&(lan, s.port).into(), Duration::from_secs(2)).is_err());
    }
}

#[test]
fn the_page_may_load_from_nowhere_else_and_names_are_data() {
    let s = Site::open(3, SOON);
    let page = s.get(&format!("/{}/", s.token), "");
    for header in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "nosniff",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-store",
    ] {
        assert!(page.contains(header), "{header}");
    }
    for asset in ["", "page.js", "page.css"] {
        let text = s.get(&format!("/{}/{asset}", s.token), "");
        assert!(!text.contains("https://") && !text.contains("innerHTML") && !text.contains(EVIL), "{asset}");
    }
    let head = s.raw(format!("HEAD /{}/ HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", s.token, s.port).as_bytes());
    assert!(head.ends_with("\r\n\r\n") && status(&head) == 200);
    let hello = s.ask("hello", json!({}));
    assert_eq!(hello["classes"][0], EVIL);
    assert_eq!(s.ask("next", json!({}))["card"]["reason"], EVIL);
}

#[test]
fn pictures_are_numbers_and_paths_lead_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut asked = run_in(dir.path(), 6);
    let secret = dir.path().join("secret.txt");
    fs::write(&secret, "the secret").unwrap();
    let images = dir.path().join("tasks/images");
    // what a run from elsewhere might name, or somebody put in a picture's place
    asked.images[1].file = "../../../../../../etc/passwd".into();
    asked.images[2].file = "tasks/images/link.png".into();
    asked.images[3].file = "tasks/images/pipe.png".into();
    asked.images[4].file = "tasks/images/page.svg".into();
    fs::write(images.join("page.svg"), "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
        .unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, images.join("link.png")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(images.join("pipe.png")).status().unwrap().success());
    }
    let around = Surroundings { region_size: Some(9), region: vec![SampleId(77)], nearest: vec![] };
    let files = [(SampleId(77), "tasks/images/5.png".to_owned())].into();
    write_json(
        &Layout::new(dir.path()).context(),
        &Context { format_version: 1, images: [(SampleId(0), around)].into(), files },
    )
    .unwrap();
    let s = Site::serve(dir, asked, SOON);
    let get = |path: &str| s.get(&format!("/{}/{path}", s.token), "");
    assert!(get("picture/0").contains("Content-Type: image/png") && status(&get("small/77")) == 200);
    for path in [
        "picture/1",
        "picture/2",
        "picture/3",
        "picture/4",
        "small/1",
        "small/3",
        "small/4",
        "picture/",
        "picture/99",
        "picture/-1",
        "picture/+1",
        "picture/1e3",
        "picture/99999999999999999999999",
        "picture/0/0",
        "picture/../secret.txt",
        "picture/..%2fsecret.txt",
        "picture/%2e%2e/secret.txt",
        "../secret.txt",
        "..%2f..%2fetc%2fpasswd",
        "picture/tasks/images/0.png",
        "picture/0%00.png",
        "picture/0?x=/etc/passwd",
        "secret.txt",
        "tasks/asked.json",
        "config.toml",
        "tasks/label-page.json",
        "picture\\..\\secret.txt",
        "api/next",
    ] {
        let got = get(path);
        assert_eq!(status(&got), 404, "{path}: {got}");
        assert!(!got.contains("secret") && !got.contains("root:"), "{path}");
    }
    assert_eq!(s.ask("next", json!({}))["card"]["region"], json!([77]));
    assert_eq!(s.ask("hello", json!({}))["asked"], 6, "the pipe has held nobody");
}

#[test]
fn large_slow_and_broken_requests_are_refused_and_others_go_on() {
    let s = Site::open(3, Duration::from_millis(700));
    let post = |length: &str, body: &[u8]| {
        let head = format!(
            "POST /{}/api/next HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\n{length}\r\n",
            s.token, s.port
        );
        status(&s.raw(&[head.as_bytes(), body].concat()))
    };
    assert_eq!(post("Content-Length: 10000000\r\n", &vec![b' '; 10_000_000]), 413);
    assert_eq!(post("", b"{}"), 411);
    assert_eq!(post("Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"), 501);
    assert_eq!(post("Content-Length: 50\r\n", b"{}"), 400, "cut short");
    assert_eq!(post("Content-Length: 2\r\n", b"{]"), 400);
    let deep = "[".repeat(60_000);
    assert_eq!(post(&format!("Content-Length: {}\r\n", deep.len()), deep.as_bytes()), 400);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n",
        &[0xff; 5000],
        b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
    ] {
        let got = s.raw(bytes);
        assert!(matches!(status(&got), 0 | 400 | 421), "{got}");
    }
    // a client that sends a byte now and then, a body that never comes, and one that says nothing
    let began = Instant::now();
    let drip = |bytes: Vec<u8>| {
        let port = s.port;
        thread::spawn(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            for byte in bytes {
                if stream.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(30));
            }
            let mut out = Vec::new();
            let _ = stream.read_to_end(&mut out);
            status(&String::from_utf8_lossy(&out))
        })
    };
    let head = format!(
        "POST /{}/api/next HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n",
        s.token, s.port
    );
    let slow = [
        drip(b"GET / HTTP/1.1\r\nHost: localhost and a long tail\r\n\r\n".to_vec()),
        drip(head.into_bytes()),
        drip(Vec::new()),
    ];
    assert_eq!(s.ask("next", json!({}))["asked"], 3, "meanwhile");
    for client in slow {
        assert!(matches!(client.join().unwrap(), 408 | 0));
    }
    assert!(began.elapsed() < Duration::from_secs(15), "they were cut off");
    assert_eq!(s.ask("next", json!({}))["asked"], 3);
}

#[test]
fn two_hundred_connections_at_once_are_all_answered() {
    let s = Site::open(3, SOON);
    // silent ones that hold their places
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(("127.0.0.1", s.port)).unwrap()).collect();
    let codes = thread::scope(|scope| {
        let all: Vec<_> = (0..200)
            .map(|i| {
                let s = &s;
                scope.spawn(move || match i % 3 {
                    0 => s.status(&format!("/{}/picture/{}", s.token, i % 3), ""),
                    1 => s.status(&format!("/{}/", s.token), ""),
                    _ => status(&s.post("next", &json!({"annotator": format!("a{i}"), "page": "p"}))),
                })
            })
            .collect();
        all.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(codes.iter().all(|c| *c == 200), "{codes:?}");
    drop(silent);
}

#[test]
fn an_answer_is_on_the_disk_when_it_is_answered_and_survives_the_server() {
    let s = Site::open(4, SOON);
    let first = s.ask("next", json!({}))["card"]["id"].clone();
    let turn = s.ask("answer", json!({"id": first, "class": 1, "seconds": 1.25}));
    assert_eq!((&turn["taken"], &turn["done"], &turn["pace"]), (&1.into(), &1.into(), &1.25.into()));
    let ledger = s.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(
        (&ledger[0]["by"], &ledger[0]["class"], &ledger[0]["seconds"], &ledger[0]["what"]),
        (&"ann".into(), &1.into(), &1.25.into(), &"label page".into())
    );
    // the same once more, as after a lost connection; then a correction, and what cannot be
    assert_eq!(s.ask("answer", json!({"id": first, "class": 1, "seconds": 9}))["taken"], 0);
    assert_eq!(s.ask("answer", json!({"id": first, "class": null}))["taken"], 1);
    assert_eq!((s.ledger().len(), &s.ledger()[1]["cost"]), (2, &0.0.into()));
    for bad in [
        json!({"annotator": "ann", "page": "p1", "id": first, "class": 2}),
        json!({"annotator": "ann", "page": "p1", "id": first, "class": -1}),
        json!({"annotator": "ann", "page": "p1", "id": first}),
        json!({"annotator": "ann", "page": "p1", "id": 99, "class": 0}),
        json!({"annotator": " ", "page": "p1", "id": first, "class": 0}),
        json!({"annotator": "x".repeat(81), "page": "p1", "id": first, "class": 0}),
        json!({"annotator": "a\nb", "page": "p1", "id": first, "class": 0}),
        json!({"annotator": "ann", "page": "../x", "id": first, "class": 0}),
        json!({"annotator": "ann", "page": "p1", "id": first, "class": 0, "file": "/etc/passwd"}),
        json!([]),
    ] {
        assert_eq!(status(&s.post("answer", &bad)), 400, "{bad}");
    }
    // seconds that say nothing are left out, and the whole region is answered at once
    let turn = s.ask("next", json!({"annotator": "bob"}));
    // the picture that ann's page shows is not among them
    assert_eq!(turn["card"]["region_open"], 1);
    let turn = s.ask(
        "answer",
        json!({"annotator": "bob", "id": turn["card"]["id"], "class": 0, "region": true, "seconds": -4}),
    );
    assert_eq!((&turn["taken"], &turn["done"], &turn["card"]), (&2.into(), &3.into(), &Value::Null));
    assert!(s.ledger().iter().skip(2).all(|l| l["by"] == "bob" && l["seconds"].is_null()));
}
