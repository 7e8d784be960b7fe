//! Give runs, data and experiments names that are markup, commands and no text at all.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, Run, TINY, npy, two_cells};

/// Begins markup, attributes, formulas, the template's expressions and a shell's commands; holds what
/// XML does not have. A file may be called so.
const WORD: &str = "\"'><img src=x onerror=alert(1)>&lt;{{7*7}}$x^2$\u{fffe}\u{1b}[31m`touch seized`$(touch seized);touch seized;";

/// Folders with these names make a path that ends elements.
const FOLDER: &str = "d</script></style></title><script>alert(2)<";

/// A site whose names and files hold `word`: two runs, the second made from the first and not scored.
/// Report, its figures, and an experiment's page are made.
fn site(folder: &str, word: &str) -> (Folder, Run) {
    let site = Folder::new();
    let path = |name: &str| site.path().join(name);
    fs::create_dir_all(path(folder)).unwrap();
    let data = format!("{folder}/{word}.npy");
    fs::write(path(&data), npy(&[70, 12, 11])).unwrap();
    let (first, second) = (format!("{folder}/{word}1"), format!("{folder}/{word}2"));
    let train = |out: &str, more: &[&str]| {
        let mut command = site.tightbound(&format!("train {TINY} --k 3 --epochs 1"));
        Run::of(command.args(["--data", &data, "--out", out]).args(more)).succeeds()
    };
    train(&first, &[]);
    Run::of(site.tightbound("eval --k 5").arg(&first)).succeeds();
    train(&second, &["--from", &first]);

    let evaluation = path(&first).join("evaluation.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&evaluation).unwrap()).unwrap();
    json["protocol"] = format!("{folder}{word}").into();
    fs::write(&evaluation, json.to_string()).unwrap();
    // Scores of the validation images, as far as the file tells.
    json["on"]["part"] = format!("{folder}{word}").into();
    fs::write(path(&first).join("evaluation-other.json"), json.to_string()).unwrap();
    let unknown = serde_json::json!({ "kind": format!("{folder}{word}"), word: word });
    let log = path(&first).join("metrics.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{text}{unknown}\n{word}\n")).unwrap();
    fs::write(path(&second).join("snr.json"), serde_json::json!({ word: word }).to_string())
        .unwrap();

    let title = serde_json::to_string(&format!("{folder}{word}")).unwrap();
    let name = serde_json::to_string(&data).unwrap();
    fs::write(path("two.toml"), two_cells(&title, &name)).unwrap();
    let line = "reproduce two.toml --budget smoke --set data.limit=45 --out two";
    site.run(line).succeeds();

    let mut command = site.tightbound("report -o page.html --files files --title");
    let run = Run::of(command.arg(format!("{folder}{word}")).args([&first, &second]));
    (site, run)
}

/// The tags of HTML or SVG, each with the names of its attributes. What stands in scripts and styles is
/// skipped as a browser skips it.
fn tags(markup: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = markup;
    while let Some((_, after)) = rest.split_once('<') {
        let name_end = after.find(|c: char| c.is_whitespace() || c == '>').unwrap();
        let mut tag = after[..name_end].to_owned();
        rest = &after[name_end..];
        while !rest.starts_with('>') {
            let c = rest.chars().next().unwrap();
            rest = &rest[c.len_utf8()..];
            match c {
                '"' | '\'' => rest = rest.split_once(c).unwrap().1,
                c => tag.push(c),
            }
        }
        for raw in ["script", "style"] {
            if tag.split_whitespace().next() == Some(raw) {
                rest = &rest[rest.find(&format!("</{raw}")).unwrap()..];
            }
        }
        tags.push(tag.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    tags
}

/// The texts of the files of a folder that end so.
fn texts(folder: &Path, ending: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension() == Some(ending.as_ref()));
    files.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Pages, tables and pictures of hostile names are made of the tags of harmless ones.
#[test]
fn a_run_named_script_shows_as_text() {
    let (hostile, said) = site(FOLDER, WORD);
    let (harmless, _) = site("d", "word");
    for page in ["page.html", "two/report.html"] {
        let read = |site: &Folder| fs::read_to_string(site.path().join(page)).unwrap();
        let (hostile, harmless) = (read(&hostile), read(&harmless));
        assert_eq!(tags(&hostile), tags(&harmless), "{page}");
        assert!(hostile.contains("&lt;img src=x onerror=alert(1)&gt;&amp;lt;{{7*7}}"), "{page}");
    }
    for folder in ["files", "two/report"] {
        for ending in ["svg", "html"] {
            let all = |site: &Folder| texts(&site.path().join(folder), ending);
            let known = |text: &String| tags(text).into_iter().collect::<Vec<_>>();
            let (hostile, harmless) = (all(&hostile), all(&harmless));
            // Names that were cut are still names of their own.
            assert!(!hostile.is_empty() && hostile.len() == harmless.len(), "{folder} {ending}");
            let harmless: BTreeSet<String> = harmless.iter().flat_map(known).collect();
            for text in hostile {
                let strange: Vec<String> =
                    tags(&text).into_iter().filter(|tag| !harmless.contains(tag)).collect();
                assert_eq!(strange, [""; 0], "{folder} {ending}");
                assert!(!text.contains(['\u{fffe}', '\u{1b}']), "{folder}: it is XML: {text}");
            }
        }
    }
    terminals_obey_no_name(&said);
    commands_stay_commands(&hostile, said);
}

/// What is shown of a name that colours a terminal are its letters.
fn terminals_obey_no_name(said: &Run) {
    assert!(said.stderr.contains(r"\u001b[31m"), "{}", said.stderr);
    for shown in [&said.stdout, &said.stderr] {
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown}");
    }
}

/// The shown commands, copied into a shell, start `tightbound` and nothing else.
fn commands_stay_commands(site: &Folder, said: Run) {
    let advice =
        said.stderr.split_once("not scored: run `").expect("the second run is not scored").1;
    let (advice, _) = advice.split_once("`.\n").unwrap();
    let page = fs::read_to_string(site.path().join("page.html")).unwrap();
    let (_, commands) = page.split_once("<code>").unwrap();
    let (commands, _) = commands.split_once("</code>").unwrap();
    let mut commands = commands.to_owned();
    for (entity, c) in [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ] {
        commands = commands.replace(entity, c);
    }
    let script = format!("tightbound() {{ echo \"called: $1\"; }}\n{commands}\n{advice}\n");
    let run = Run::of(site.process("sh").args(["-c", &script]));
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{script}");
    // Both trainings, both evaluations of the first, and what is advised for the second.
    let called: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(called.iter().filter(|line| **line == "called: eval").count(), 3, "{script}");
    assert_eq!(called.iter().filter(|line| **line == "called: train").count(), 2, "{script}");
    assert_eq!(called.len(), 5, "{called:?}");
    assert!(!site.path().join("seized").exists(), "{script}");
}

#[test]
fn names_that_are_not_utf8_or_look_like_flags_are_names() {
    let site = Folder::new();
    let odd = |name: &[u8]| OsStr::from_bytes(name).to_owned();
    let with = |line: &str, name: &[u8]| Run::of(site.tightbound(line).arg(odd(name)));
    let tiny = format!("train --data glyphs {TINY} --k 3 --epochs 1");
    let trained = with(&format!("{tiny} --json --out"), b"\xffrun\n").json();
    assert_eq!(trained["run"], "\u{fffd}run\n");
    with("eval --k 5", b"\xffrun\n").succeeds();
    with("verify", b"\xffrun\n").succeeds();
    with("ais --images 2 --chains 2 --steps 9 --k 5 --json", b"\xffrun\n").json();
    let line =
        |line: &str, out: &[u8]| Run::of(site.tightbound(line).args([odd(out), odd(b"\xffrun\n")]));
    for (command, key) in [
        ("report --json -o", "page"),
        ("sample --json --out", "png"),
        ("reconstruct --images 3 --json --out", "png"),
        ("encode --json --out", "file"),
    ] {
        assert_eq!(line(command, b"\xff\"out").json()[key], "\u{fffd}\"out", "{command}");
    }
    let run = with(&format!("{tiny} --out child --from"), b"\xffrun\n");
    run.fails(1, &["cannot start from", "its name is not UTF-8"]);
    assert!(!site.path().join("child").exists());

    let flag = site.run(&format!("{tiny} --out=-x"));
    assert!(flag.stderr.ends_with("next: tightbound eval ./-x\n"), "{}", flag.stderr);
    site.run("eval ./-x --k 5").succeeds();
    site.run("report --json -- -x").json();
}
