//! Start the program in a folder of its own, cut off from the user's data and from the network.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Settings that train in a moment: a small model on few images.
pub const TINY: &str = "--set data.limit=60 --set model.encoder=[16] --set model.decoder=[12] \
                        --set model.latents=4";

/// A temporary folder in which the program runs.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A process in this folder that finds neither data nor network.
    pub fn process(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env_remove("TIGHTBOUND_DATA");
        command.env("XDG_CACHE_HOME", self.path().join("cache"));
        for proxy in ["ALL_PROXY", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            // Port 9 discards: a download fails at once.
            command.env(proxy, "http://127.0.0.1:9");
        }
        command
    }

    /// `tightbound` with the words of `line`.
    pub fn tightbound(&self, line: &str) -> Command {
        let mut command = self.process(env!("CARGO_BIN_EXE_tightbound"));
        command.args(line.split_whitespace());
        command
    }

    /// Runs `tightbound` with the words of `line`.
    pub fn run(&self, line: &str) -> Run {
        Run::of(&mut self.tightbound(line))
    }

    /// Trains for two epochs on tiny settings with `more` flags, into `out`.
    pub fn train(&self, out: &str, more: &str) -> Run {
        self.run(&format!("train --data glyphs {TINY} --epochs 2 {more} --out {out}"))
    }
}

/// Dark images with a few bright pixels, none like another, as NumPy stores bytes of this shape.
pub fn npy(shape: &[usize]) -> Vec<u8> {
    let count = shape.iter().product::<usize>();
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    let header =
        format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}), }}", shape.join(", "));
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:117}\n").bytes());
    bytes.extend((0..count).map(|index| if index * index % 11 == 3 { 250 } else { 20 }));
    bytes
}

/// Starts a command that says nothing.
pub fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Sends a signal, such as `INT`; says whether the process was still there.
pub fn send(signal: &str, process: &Child) -> bool {
    let mut kill = Command::new("kill");
    kill.args([format!("-{signal}"), process.id().to_string()]);
    kill.stderr(Stdio::null()).status().unwrap().success()
}

/// Numbers for moments and choices, other ones at every call.
pub struct Random(pub u64);

impl Random {
    /// A number from 0 to `below` - 1.
    pub fn below(&mut self, below: u64) -> u64 {
        // Knuth's MMIX generator; the upper bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Whether programs can be traced here. If not, says that `what` was left out.
#[cfg(target_os = "linux")]
pub fn can_trace(what: &str) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"]);
    let works = strace.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("left out, for want of a working strace: {what}");
    }
    works
}

/// An experiment of two cells on `data`; words that go into TOML as they are.
#[cfg(target_os = "linux")]
pub fn two_cells(title: &str, data: &str) -> String {
    format!(
        "title = {title}\n[settings]\ndata.name = {data}\nmodel.encoder = [8]\nmodel.decoder = [8]\n\
         model.latents = 2\nestimator.name = \"miwae\"\nestimator.k = 3\n[score]\nk = 70\n\
         [[axis]]\nvalues = [{{ estimator.m = 2 }}, {{ estimator.m = 4 }}]\n"
    )
}

/// Waits until `is` holds.
#[track_caller]
pub fn wait_until(is: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it never comes to that");
        sleep(Duration::from_millis(2));
    }
}

/// What came of a process.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program can be started");
        Self::from(output)
    }

    /// Asserts that it went well, and gives standard output.
    #[track_caller]
    pub fn succeeds(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Asserts that it ended with `code` and said every one of `words` on standard error, and
    /// nothing on standard output.
    #[track_caller]
    pub fn fails(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert_eq!(self.stdout, "");
    }

    /// The digest that a training printed.
    #[track_caller]
    pub fn digest(self) -> String {
        let stdout = self.succeeds();
        let line = stdout.lines().find_map(|line| line.strip_prefix("digest  "));
        line.unwrap_or_else(|| panic!("no digest in: {stdout}")).to_owned()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.succeeds()).expect("the output is JSON")
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
