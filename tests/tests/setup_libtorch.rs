//! `scripts/setup-libtorch` against a package index of our own: what it says, and what it leaves behind.

use hybridrepair_tests::{Ran, root};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
};
use tempfile::TempDir;

/// The wheels as PyPI names them: project, file.
const WHEELS: [(&str, &str); 3] = [
    ("torch", "torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl"),
    ("nvidia-cuda-cupti", "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl"),
    ("nvidia-cuda-runtime", "nvidia_cuda_runtime-13.0.96-py3-none-manylinux1_x86_64.whl"),
];

/// What is wrong with this machine for these tests, said aloud; `None` when they can run.
fn unsuited() -> Option<&'static str> {
    let works = |args: &[&str]| {
        let status = Command::new("python3").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|s| s.success())
    };
    let why = if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        "libtorch is fetched on Linux on x86_64 only"
    } else if !works(&["-c", ""]) {
        "python3 is missing"
    } else if !works(&["-m", "pip", "--version"]) {
        "python3 has no pip"
    } else {
        return None;
    };
    // past the capture of the test harness, so that a person sees it
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    Some(why)
}

/// A package index that offers the wheels under their right names, with wrong content. Gives its address.
fn wrong_index() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    format!("http://{address}/simple")
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|l| !l.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let page = |file: &str| format!("<!DOCTYPE html><html><body><a href=\"/files/{file}\">{file}</a></body></html>");
    let found = WHEELS.iter().find_map(|(project, file)| {
        if path == format!("/files/{file}") {
            Some(("application/octet-stream", "PK: not the wheel that PyPI has".to_owned()))
        } else {
            (path.trim_end_matches('/') == format!("/simple/{project}")).then(|| ("text/html", page(file)))
        }
    });
    let (status, (kind, body)) = match found {
        Some(found) => ("200 OK", found),
        None => ("404 Not Found", ("text/plain", String::new())),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
    let _ = write!(stream, "{head}Connection: close\r\n\r\n{body}");
}

/// A clone that holds nothing but the script, a cache, and a Python that has no torch of the right version.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["clone/scripts", "cache", "home", "python/torch-0.0.0.dist-info"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::copy(root().join("scripts/setup-libtorch"), dir.path().join("clone/scripts/setup-libtorch")).unwrap();
        // stands before whatever torch the machine's Python may have
        let metadata = "Metadata-Version: 2.1\nName: torch\nVersion: 0.0.0\n";
        fs::write(dir.path().join("python/torch-0.0.0.dist-info/METADATA"), metadata).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn setup(&self, index: &str) -> Ran {
        let mut command = Command::new("bash");
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper.starts_with("PIP_") || upper.starts_with("LIBTORCH") || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command
            .arg(self.path("clone/scripts/setup-libtorch"))
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("PYTHONPATH", self.path("python"))
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_INDEX_URL", index)
            .env("PIP_TRUSTED_HOST", "127.0.0.1")
            .env("PIP_RETRIES", "0")
            .stdin(Stdio::null());
        command.output().expect("bash starts").into()
    }

    /// Nothing but the lock may be left in the cache, and the clone must not remember a libtorch.
    fn nothing_left(&self) {
        let names = |dir: &Path| {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let kept = names(&self.path("cache/hybridrepair"));
        assert!(kept.iter().all(|name| name == "libtorch.lock"), "{kept:?}");
        assert_eq!(names(&self.path("cache")), ["hybridrepair"]);
        assert_eq!(names(&self.path("clone")), ["scripts"]);
    }
}

#[test]
fn a_wheel_of_another_content_is_refused_by_its_checksum() {
    if unsuited().is_some() {
        return;
    }
    let (machine, index) = (Machine::new(), wrong_index());
    let expected = "0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756";
    let words = ["error: wrong checksum (sha256)", "torch", expected, "help:", "PIP_INDEX_URL", "LIBTORCH"];
    let ran = machine.setup(&index).fails(1, &words);
    assert_eq!(ran.out, "", "no directory may be given to the build");
    assert!(!ran.err.contains("check the network"), "{}", ran.err);
    machine.nothing_left();
}

#[test]
fn no_network_is_told_apart_from_a_wrong_checksum() {
    if unsuited().is_some() {
        return;
    }
    // a port that was free a moment ago: nobody answers
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let machine = Machine::new();
    let ran = machine.setup(&format!("http://{closed}/simple")).fails(1, &["error:", "check the network"]);
    assert!(!ran.err.contains("checksum"), "{}", ran.err);
    machine.nothing_left();
}
