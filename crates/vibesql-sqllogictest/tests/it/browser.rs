//! A browser without a window, which is told what to do over two pipes: the DevTools protocol, one JSON object for each
//! message, with a NUL behind it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// So long a browser may think about a message. It takes a part of it even on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: File,
    from: Receiver<Value>,
    session: String,
    last: u64,
    /// What it has told besides the answers.
    events: Vec<Value>,
    // Its profile.
    _home: TempDir,
}

/// Where Chromium or its like is. The CI on Linux must have one; elsewhere tests do without.
fn program() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome", "headless_shell"];
    let path = crate::sandbox::path_of_tests();
    let mut places = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = places.find(|place| place.is_file());
    #[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
    let ci = cfg!(target_os = "linux") && std::env::var_os("CI").is_some();
    assert!(found.is_some() || !ci, "no Chromium: `apt-get install chromium`");
    found
}

impl Browser {
    /// Starts one; nothing if there is none on this machine.
    pub(crate) fn start() -> Option<Self> {
        let program = program()?;
        let home = tempfile::tempdir().unwrap();
        let [to, from] = ["to", "from"].map(|name| home.path().join(name));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let words = r#"exec "$0" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
            --disable-extensions --disable-background-networking --remote-debugging-pipe \
            --user-data-dir="$HOME/profile" about:blank 3<"$1" 4>"$2""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", words]).args([&program, &to, &from]).env("HOME", home.path());
        let child = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // In the order in which the shell opens them: each waits for the other end.
        let to = File::options().write(true).open(to).unwrap();
        let mut lines = BufReader::new(File::open(from).unwrap()).split(0);
        let (sender, from) = channel();
        std::thread::spawn(move || {
            while let Some(Ok(message)) = lines.next() {
                let message = serde_json::from_slice(&message).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let session = String::new();
        let mut browser = Self { child, to, from, session, last: 0, events: Vec::new(), _home: home };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Sends a message, and returns the answer.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut answer = self.from.recv_timeout(PATIENCE).unwrap();
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// Goes to a file, with what is behind `#`, and returns when it is shown.
    pub(crate) fn open(&mut self, page: &Path, hash: &str) {
        // Another `#` alone would load nothing.
        for url in ["about:blank".to_owned(), format!("file://{}{hash}", page.display())] {
            self.events.retain(|event| event["method"] != "Page.loadEventFired");
            self.call("Page.navigate", json!({"url": url}));
            while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
                let event = self.from.recv_timeout(PATIENCE).unwrap();
                self.events.push(event);
            }
        }
    }

    /// The value of an expression of JavaScript, which may be a promise.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let words = json!({"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let mut answer = self.call("Runtime.evaluate", words);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// The text of the value of an expression.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        match self.value(expression) {
            Value::String(text) => text,
            other => panic!("{expression} is {other}"),
        }
    }

    /// Returns when an expression is true.
    pub(crate) fn until(&mut self, expression: &str) {
        let wait = format!(
            "new Promise((done) => {{ let tries = 0; const look = () => ({expression}) ? done(true) \
             : ++tries > 1000 ? done(false) : setTimeout(look, 20); look(); }})"
        );
        let came = self.value(&wait);
        assert_eq!(came, true, "{expression}: {}", self.value("document.activeElement.outerHTML"));
    }

    /// Presses a key, by its name.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, Some("\r")),
            "Tab" => (9, None),
            "Escape" => (27, None),
            character => (0, Some(character)),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut words = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            if let Some(text) = text.filter(|_| kind == "keyDown") {
                words["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", words);
        }
    }

    /// Types a text where the focus is.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Whatever the browser had to complain about, and what it has loaded besides files.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let is_complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded") => true,
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap();
                !["file:", "data:", "about:"].iter().any(|kind| url.starts_with(kind))
            }
            _ => false,
        };
        self.events.iter().filter(is_complaint).map(Value::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends its own processes when it is asked.
        let asked = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        if asked.is_err() {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}
