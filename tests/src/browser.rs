//! A browser, driven over the `WebDriver` protocol: Chromium without a window, if there is one.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A browser with an empty profile. It ends with its value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

/// Keys that have no letter.
pub mod keys {
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
    /// Arrow to the left.
    pub const LEFT: &str = "\u{e012}";
    /// Arrow to the right.
    pub const RIGHT: &str = "\u{e014}";
}

impl Browser {
    /// Starts one; `None` after saying aloud that the test is skipped.
    pub fn start() -> Option<Self> {
        let driver = find(&["chromedriver"], "CHROMEDRIVER");
        let chromium = find(&["chromium", "chromium-browser", "google-chrome"], "CHROMIUM");
        let (Some(driver), Some(chromium)) = (driver, chromium) else {
            eprintln!("SKIPPED: no Chromium with its driver (Debian: apt-get install chromium chromium-driver)");
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("piped"));
        let port = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).expect("readable") > 0, "the driver says its port");
            let after = line.split("successfully on port ").nth(1).map(|t| t.trim().trim_end_matches('.').to_owned());
            if let Some(port) = after.and_then(|t| t.parse().ok()) {
                break port;
            }
        };
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let profile = tempfile::tempdir().expect("a temporary folder");
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let mut args: Vec<String> = args.map(str::to_owned).to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let options = json!({ "binary": chromium, "args": args });
        let logs = json!({ "browser": "ALL" });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options, "goog:loggingPrefs": logs } } });
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let session = browser.call("POST", "/session", &wanted);
        browser.session = session["sessionId"].as_str().expect("a session").to_owned();
        Some(browser)
    }

    /// Opens an address.
    pub fn open(&self, address: &str) {
        self.post("url", &json!({ "url": address }));
    }

    /// Loads the page once more.
    pub fn reload(&self) {
        self.post("refresh", &json!({}));
    }

    /// The value of an expression in the page.
    pub fn value(&self, expression: &str) -> Value {
        self.post("execute/sync", &json!({ "script": format!("return ({expression});"), "args": [] }))
    }

    /// The text of the element with this id.
    pub fn text(&self, id: &str) -> String {
        self.value(&format!("document.getElementById('{id}').textContent")).as_str().unwrap_or("").to_owned()
    }

    /// Waits until an expression is true.
    pub fn wait_for(&self, expression: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.value(&format!("Boolean({expression})")) != Value::Bool(true) {
            assert!(Instant::now() < until, "never: {expression}\n{}", self.value("document.body.innerText"));
            sleep(Duration::from_millis(15));
        }
    }

    /// Presses keys one after the other.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|c| [json!({ "type": "keyDown", "value": c }), json!({ "type": "keyUp", "value": c })])
            .collect();
        let input = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("actions", &json!({ "actions": [input] }));
    }

    /// Clicks on the middle of the first element that fits.
    pub fn click(&self, selector: &str) {
        let found = self.post("element", &json!({ "using": "css selector", "value": selector }));
        let element = found.as_object().and_then(|o| o.values().next()).and_then(Value::as_str).expect("an element");
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// Opens a second page and goes to it; gives the names of the one before and the new one.
    pub fn second_page(&self) -> (String, String) {
        let before = self.call("GET", &format!("/session/{}/window", self.session), &Value::Null);
        let new = self.post("window/new", &json!({ "type": "tab" }));
        let new = new["handle"].as_str().expect("a page").to_owned();
        self.switch(&new);
        (before.as_str().expect("a page").to_owned(), new)
    }

    /// Goes to a page by its name.
    pub fn switch(&self, page: &str) {
        self.post("window", &json!({ "handle": page }));
    }

    /// A command of the `DevTools` protocol.
    pub fn devtools(&self, command: &str, params: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    /// Width and height of the page in pixels of CSS, and whether the system is set to dark.
    pub fn screen(&self, width: u32, height: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// A network with this delay in milliseconds and so many bytes per second; -1 for no limit.
    pub fn network(&self, latency: f64, bytes: f64) {
        self.devtools("Network.enable", &json!({}));
        let limits =
            json!({ "offline": false, "latency": latency, "downloadThroughput": bytes, "uploadThroughput": bytes });
        self.devtools("Network.emulateNetworkConditions", &limits);
    }

    /// A picture of the element that fits, as PNG.
    pub fn picture_of(&self, selector: &str) -> Vec<u8> {
        let place = format!(
            "(() => {{ const r = document.querySelector('{selector}').getBoundingClientRect(); \
             return [r.x + scrollX, r.y + scrollY, r.width, r.height]; }})()"
        );
        let at = self.value(&place);
        let clip = json!({ "x": at[0], "y": at[1], "width": at[2], "height": at[3], "scale": 1 });
        let params = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let data = self.devtools("Page.captureScreenshot", &params);
        from_base64(data["data"].as_str().expect("a picture"))
    }

    /// Writes a picture of the page, of its whole length where `whole` says so, into the folder that `HYBRIDREPAIR_SHOTS`
    /// names; without it nothing is written.
    pub fn shot(&self, name: &str, whole: bool) {
        let Some(folder) = std::env::var_os("HYBRIDREPAIR_SHOTS") else { return };
        let mut params = json!({ "format": "png" });
        if whole {
            let size = self.value("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]");
            params["captureBeyondViewport"] = true.into();
            params["clip"] = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        }
        let data = self.devtools("Page.captureScreenshot", &params);
        let bytes = from_base64(data["data"].as_str().expect("a picture"));
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).expect("a picture");
    }

    /// What the page has complained about since the last call, but for requests that got no answer.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({ "type": "browser" }));
        let lines = log.as_array().into_iter().flatten().filter_map(|l| l["message"].as_str());
        lines.filter(|l| !l.contains("net::ERR")).map(str::to_owned).collect()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}/{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("the driver reads");
        // the driver keeps the connection open: the length says where the answer ends
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).expect("the driver answers") > 2 {
            if let Some((name, value)) = line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().unwrap_or_else(|e| panic!("{name}: {e}"));
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).expect("the driver answers");
        let body = String::from_utf8_lossy(&answer);
        let value: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"));
        let value = value["value"].clone();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A program: the one that a variable names, else the first that is on the path.
fn find(names: &[&str], variable: &str) -> Option<String> {
    if let Some(named) = std::env::var(variable).ok().filter(|n| !n.is_empty()) {
        return Some(named);
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    names.iter().find_map(|n| folders.iter().map(|f| f.join(n)).find(|p| p.is_file())).map(|p| p.display().to_string())
}

fn from_base64(text: &str) -> Vec<u8> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => u32::from(b - b'A'),
        b'a'..=b'z' => u32::from(b - b'a') + 26,
        b'0'..=b'9' => u32::from(b - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'=').collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let word = four.iter().enumerate().fold(0, |w, (i, b)| w | value(*b) << (18 - 6 * i));
        word.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
