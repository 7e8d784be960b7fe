//! Let a browser found on PATH run a page, and hear from a script what it saw.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;

/// Hears of errors from the first line of the page on, and sees to it that time passes.
const WITNESS: &str = include_str!("witness.js");
/// Waits for the page, runs the test's function `probe`, and writes down what it returned.
const REPORT: &str = include_str!("report.js");

/// A folder that goes away with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tightbound-page-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A browser's last process may still write; what is left lies in the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn on_path() -> Option<PathBuf> {
    let folders: Vec<_> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// Runs `probe`, the body of an asynchronous function, at the end of `html` and gives what it
/// returns; nothing where no browser is installed.
pub fn ask<Answer: DeserializeOwned>(html: &str, probe: &str) -> Option<Answer> {
    let Some(browser) = on_path() else {
        eprintln!("not run: no chromium, chromium-browser or google-chrome on PATH");
        return None;
    };
    let folder = Folder::new();
    let page = folder.0.join("page.html");
    fs::write(&page, with_scripts(html, probe)).unwrap();
    let dom = dump(&browser, &page, &folder.0.join("profile"));
    let answer = dom.split_once(r#"<output id="answer">"#);
    let answer = answer.and_then(|(_, rest)| rest.split_once("</output>"));
    let (answer, _) = answer.unwrap_or_else(|| panic!("no answer in {} bytes", dom.len()));
    Some(serde_json::from_slice(&STANDARD.decode(answer).unwrap()).unwrap())
}

/// The page with the script that hears of errors.
pub fn witnessed(html: &str) -> String {
    html.replacen("<head>", &format!("<head>\n<script>{WITNESS}</script>"), 1)
}

fn with_scripts(html: &str, probe: &str) -> String {
    let report = format!(
        "<script>const probe = async () => {{\n{probe}\n}};\n{REPORT}</script>\n</body>\n</html>"
    );
    let (start, end) = html.rsplit_once("</body>").unwrap();
    assert_eq!(end.trim(), "</html>");
    witnessed(start) + &report
}

/// The document as it is after the page's scripts ran. The clock of the page is virtual: it waits
/// for work, and skips idle time.
fn dump(browser: &Path, page: &Path, profile: &Path) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--window-size=1280,1000", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
