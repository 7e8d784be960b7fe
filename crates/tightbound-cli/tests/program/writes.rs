//! Watch every call that changes a file: the program keeps to its output, the run folder and the cache.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Folder, Run, TINY, can_trace, npy, two_cells};

/// The calls that change files or folders, beside opening.
const CHANGES: [&str; 20] = [
    "creat",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "truncate",
    "chmod",
    "fchmodat",
    "chown",
    "fchownat",
    "mknod",
    "mknodat",
];

/// The paths that successful calls of a trace by `strace -f` changed, with the calls.
fn changed(trace: &str, home: &Path) -> Vec<(String, PathBuf)> {
    let mut changed = Vec::new();
    for line in trace.lines() {
        // The number of the process, and then a call, a signal or an exit.
        let call = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
        let Some((name, arguments)) = call.split_once('(') else { continue };
        let opens = matches!(name, "open" | "openat" | "openat2")
            && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| call.contains(flag));
        if !(opens || CHANGES.contains(&name)) || call.contains(" = -1 ") {
            continue;
        }
        // `-xx` writes paths in hexadecimal digits, so that no name has quotes.
        for path in arguments.split('"').skip(1).step_by(2) {
            let digits = path.split("\\x").skip(1).map(|two| u8::from_str_radix(two, 16).unwrap());
            let path = String::from_utf8(digits.collect()).unwrap();
            // The program never changes its folder.
            changed.push((name.to_owned(), home.join(path)));
        }
    }
    changed
}

/// Whether `path` is `out`, in it, its temporary file beside it, or a folder made on the way to it.
fn belongs(call: &str, path: &Path, out: &Path) -> bool {
    let (name, target) = (path.file_name().unwrap(), out.file_name().unwrap());
    let (name, target) = (name.to_str().unwrap(), target.to_str().unwrap());
    let temporary = path.parent() == out.parent()
        && name.starts_with(&format!(".{target}."))
        && name.ends_with(".tmp");
    let way = call.starts_with("mkdir") && out.starts_with(path);
    // A folder is synced by name, which opens it for reading only.
    path.starts_with(out) || temporary || way
}

/// Every subcommand but `sweep cell` and `bench score`, and what it may write beside cache and devices.
const COMMANDS: [(&str, &[&str]); 32] = [
    ("train --data glyphs TINY --epochs 2 --k 3 --out deep/er/run", &["deep/er/run"]),
    ("train --data glyphs TINY --epochs 1 --k 3", &["runs/glyphs-iwae-1x3-seed1"]),
    ("train --data glyphs TINY --epochs 2 --k 3 --seeds 2 --from deep/er/run --out s", &["s"]),
    ("train --resume --epochs 3 --out deep/er/run", &["deep/er/run"]),
    ("train --data mnist TINY --epochs 1 --out never", &["never"]),
    ("eval deep/er/run --k 5", &["deep/er/run"]),
    ("eval deep/er/run --k 5 --data own.npy", &["deep/er/run"]),
    ("eval s/seed-1 --k 5", &["s/seed-1"]),
    ("eval s/seed-2 --k 5", &["s/seed-2"]),
    ("compare s/seed-1 s/seed-2", &[]),
    ("ais deep/er/run --images 2 --chains 2 --steps 9 --k 5", &[]),
    ("snr deep/er/run --draws 20 --m 1,2 --k 1,3", &["deep/er/run"]),
    ("encode deep/er/run --out codes.npz", &["codes.npz"]),
    ("sample deep/er/run", &["samples.png"]),
    ("sample deep/er/run --out a.png --npy a.npy", &["a.png", "a.npy"]),
    ("reconstruct deep/er/run", &["reconstructions.png"]),
    ("verify deep/er/run", &[]),
    ("cite deep/er/run", &[]),
    ("report s deep/er/run", &["report.html"]),
    ("report s -o page.html --files p/files", &["page.html", "p/files"]),
    ("reproduce two.toml --budget smoke --set data.limit=45 --out two", &["two"]),
    ("sweep plan two.toml --budget smoke --set data.limit=45 --out sweep", &["sweep"]),
    ("sweep run sweep", &["sweep"]),
    ("sweep status sweep", &[]),
    ("sweep gather sweep", &["sweep"]),
    ("data glyphs --montage glyphs.png", &["glyphs.png"]),
    ("toy --dims 3 --points 8 --draws 8 --k 1,3 --out toy", &["toy"]),
    ("estimators", &[]),
    ("completions bash", &[]),
    ("certify --estimator vae --exact-only", &[]),
    ("bench step --data glyphs TINY --k 3 --seconds 1", &[]),
    (
        "demo --epochs 1 --set data.limit=60 --set model.encoder=[4] --set model.decoder=[4]",
        &["runs/demo"],
    ),
];

/// Everything in a folder, in any depth.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(below(&path));
        }
        all.push(path);
    }
    all
}

/// What strace saw is checked where there is strace; new files are looked for everywhere.
#[test]
fn nothing_is_written_outside_of_the_run_folder_and_the_cache() {
    let traced = can_trace("calls that change files that were there");
    let folder = Folder::new();
    let site = folder.path().canonicalize().unwrap();
    let [cache, watched, work] = ["cache", "watched", "work"].map(|name| site.join(name));
    for name in ["home", "tmp", "config", "data", "state"] {
        fs::create_dir_all(watched.join(name)).unwrap();
    }
    fs::create_dir(&work).unwrap();
    fs::write(work.join("own.npy"), npy(&[70, 28, 28])).unwrap();
    fs::write(work.join("images.npy"), npy(&[60, 6, 6])).unwrap();
    fs::write(work.join("two.toml"), two_cells("'Two'", "'images.npy'")).unwrap();
    let log = site.join("trace");
    let mut writes = 0;
    for (line, outs) in COMMANDS {
        let before = below(&work);
        let line = line.replace("TINY", TINY);
        let program = env!("CARGO_BIN_EXE_tightbound");
        let mut command = if traced {
            let mut command = folder.process("strace");
            command.args(["-f", "-qq", "-xx", "-s", "4096", "-e", "trace=%file", "-o"]);
            command.arg(&log).arg(program);
            command
        } else {
            folder.process(program)
        };
        command.args(line.split_whitespace()).current_dir(&work);
        for (variable, name) in [
            ("HOME", "home"),
            ("TMPDIR", "tmp"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
        ] {
            command.env(variable, watched.join(name));
        }
        let run = Run::of(&mut command);
        // The real data set cannot be had here, and its download ends in the cache or nowhere.
        assert_eq!(run.code, Some(i32::from(line.contains("mnist"))), "{line}: {}", run.stderr);
        let outs: Vec<PathBuf> = outs.iter().map(|out| work.join(out)).collect();
        let is_out = |call: &str, path: &Path| outs.iter().any(|out| belongs(call, path, out));
        let fresh = below(&work).into_iter().filter(|path| !before.contains(path));
        for path in fresh {
            let way = if path.is_dir() { "mkdir" } else { "" };
            assert!(is_out(way, &path), "{line} left {}", path.display());
        }
        if !traced {
            continue;
        }
        let trace = fs::read_to_string(&log).unwrap();
        for (call, path) in changed(&trace, &work) {
            let allowed =
                is_out(&call, &path) || path.starts_with(&cache) || path.starts_with("/dev");
            assert!(allowed, "{line}: {call} {}", path.display());
            writes += 1;
        }
    }
    for name in ["home", "tmp", "config", "data", "state"] {
        assert_eq!(below(&watched.join(name)), Vec::<PathBuf>::new(), "{name}");
    }
    assert!(!traced || writes > 100, "the trace was understood: {writes} writes");
    println!("{writes} calls that change files, by {} commands", COMMANDS.len());
}
