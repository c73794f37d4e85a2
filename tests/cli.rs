//! The program as a user runs it: exit codes, files, messages, the same answer at both doors.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its premise fails"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn defuse(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_defuse"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("DEFUSE_CONFIG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap_or_default().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn an_archive_loses_no_ticket() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    let run = defuse(&["score", "fixtures/archives/archive.csv", "-o", out.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(3), "{}", text(&run.stderr));
    let (results, errors) = (rows(&out), rows(&folder.path().join("out.jsonl.errors.jsonl")));
    let tickets = csv_tickets("fixtures/archives/archive.csv");
    assert_eq!(results.len() + errors.len(), tickets, "{}", text(&run.stderr));
    let mut seen: Vec<u64> = results.iter().chain(&errors).map(|r| r["index"].as_u64().unwrap()).collect();
    seen.sort_unstable();
    assert!(seen.iter().enumerate().all(|(at, &index)| index == at as u64), "every ticket once");
    assert!(errors.iter().all(|e| e["line"].as_u64().unwrap() > 1 && e["code"].is_string()));
    assert!(text(&run.stderr).contains(&format!("{tickets} tickets read")));
}

fn csv_tickets(path: &str) -> usize {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    csv::ReaderBuilder::new().flexible(true).from_reader(bytes.as_slice()).into_byte_records().count()
}

#[test]
fn every_kind_of_damage_is_an_error_record() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    fs::write(&input, b"{\"id\":1,\"text\":\"fine\"}\n{broken\n{\"id\":2}\n{\"id\":3,\"text\":\"\"}\n{\"id\":4,\"text\":\"a\",\"language\":\"tlh\"}\n\xFF\n{\"id\":5,\"text\":\"fine\",\"extra\":[1]}").unwrap();
    let out = folder.path().join("out.csv");
    let run = defuse(&["score", input.to_str().unwrap(), "-o", out.to_str().unwrap(), "--quiet"]);
    assert_eq!(run.status.code(), Some(3));
    assert!(run.stderr.is_empty(), "{}", text(&run.stderr));
    let codes: Vec<(u64, String)> = rows(&folder.path().join("out.csv.errors.jsonl"))
        .iter()
        .map(|e| (e["line"].as_u64().unwrap(), e["code"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        (2, "invalid_json"),
        (3, "invalid_document"),
        (6, "invalid_utf8"),
        (4, "empty_text"),
        (5, "unsupported_language"),
    ];
    assert_eq!(codes, expected.map(|(l, c)| (l, c.to_owned())));
    let table = fs::read_to_string(&out).unwrap();
    assert_eq!(table.lines().count(), 3);
    assert!(table.starts_with("id,index,language_code,"));
}

#[test]
fn standard_input_and_output_are_an_archive_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_defuse"))
        .args(["score", "-", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"id\":\"a\",\"text\":\"Thanks, it works!\"}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&row["id"], &row["sentiment"]["label"]), (&"a".into(), &"positive".into()));
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models"), &models);
    let models = models.to_str().unwrap();
    let broken = |file: &str, append: &str| {
        let path = Path::new(models).join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, [before.as_slice(), append.as_bytes()].concat()).unwrap();
        let run = defuse(&["score", "--models", models]);
        let checked = defuse(&["check", "--models", models]);
        fs::write(&path, before).unwrap();
        assert_eq!(checked.status.code(), Some(1));
        (run.status.code(), text(&run.stderr), text(&checked.stdout))
    };
    for (file, append, wanted) in [
        ("languages/en/cues.toml", "\nbroken = [\n", "languages/en/cues.toml:"),
        ("languages/en/cues.toml", "\n[[anger]]\nrule = \"a\"\nmaches = []\n", "unknown field `maches`"),
        (
            "languages/en/cues.toml",
            "\n[[anger]]\nrule = \"(zorp\"\nmatches = [\"zorp\"]\n",
            "')' expected before the end",
        ),
        (
            "languages/en/cues.toml",
            "\n[[anger]]\nrule = \"zorp zarp\"\nmatches = [\"zorp\"]\n",
            "should match \"zorp\", but no pattern matches",
        ),
        (
            "languages/en/cues.toml",
            "\n[[anger]]\nrule = \"zorp\"\nmatches = [\"zorp\"]\nignores = [\"zorp now\"]\n",
            "should ignore \"zorp now\"",
        ),
        (
            "languages/en/cues.toml",
            "\n[[rage]]\nrule = \"zorp\"\nmatches = [\"zorp\"]\n",
            "cue \"rage\" is not in cues.toml",
        ),
        (
            "policy.toml",
            "\n[[signals]]\nid = \"x\"\ngroup = \"nope\"\npoints = 1\nwhen = { all = [\"zorp\"] }\n",
            "unknown fact \"zorp\"",
        ),
        ("sentiment/compact/weights.safetensors", "x", "its SHA-256 is"),
        ("sentiment/compact/model.toml", "\nzorp = 1\n", "sentiment/compact/model.toml"),
    ] {
        let (code, said, checked) = broken(file, append);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(wanted), "{wanted}: {said}");
        assert!(checked.contains(wanted), "{wanted}: {checked}");
    }
    for (args, code, wanted) in [
        (&["score", "--models", "/nowhere"][..], 1, "/nowhere"),
        (&["score", "--model", "nope"], 1, "sentiment/nope/model.toml"),
        (&["score", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (&["score", "Cargo.toml"], 1, "the format is not known"),
        (&["score", "--nope"], 2, "unexpected argument"),
        (&["eval", "nowhere"], 1, "nowhere"),
        (&["explain", " "], 1, "the text is empty"),
        (&["check", "--languages", "tlh"], 1, "no language \"tlh\""),
    ] {
        let run = defuse(args);
        assert_eq!(run.status.code(), Some(code), "{args:?}: {}", text(&run.stderr));
        assert!(text(&run.stderr).contains(wanted), "{args:?}: {}", text(&run.stderr));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            let _ = fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn help_and_explain_are_for_people() {
    for command in ["serve", "score", "explain", "check", "eval", "train"] {
        let help = defuse(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0));
        assert!(text(&help.stdout).contains("Example"), "{command} has no example");
    }
    let run = defuse(&["explain", "I'm not angry, but get me your manager!"]);
    let shown = text(&run.stdout);
    for wanted in ["priority   high", "manager_demand", "What would change it", "What to do"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
}

#[test]
fn training_is_reproducible() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("train.toml");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages/en.jsonl");
    fs::write(&config, format!("name = \"tiny\"\nlicence = \"MIT\"\nseed = 1\nbuckets = 16384\nchar_ngrams = [1, 3]\nword_ngrams = 1\nmin_count = 2\ncost = 1.0\npasses = 5\n[[data]]\nset = \"dev\"\nlicence = \"MIT\"\npath = {:?}\n", data.to_str().unwrap())).unwrap();
    let weights = |name: &str| {
        let out = folder.path().join(name);
        let run = defuse(&["train", "--config", config.to_str().unwrap(), "-o", out.to_str().unwrap()]);
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
        assert!(fs::read_to_string(out.join("MODEL_CARD.md")).unwrap().contains("45 |"));
        fs::read(out.join("weights.safetensors")).unwrap()
    };
    assert_eq!(weights("a"), weights("b"));
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_defuse"))
            .args(["serve", "--port", "0", "--log-format", "json"])
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the service stopped")).unwrap();
            let log: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
            if let Some(address) = log["fields"]["address"].as_str() {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn post(&self, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "POST /v1/score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        stream
    }
}

fn answer(mut stream: TcpStream) -> Value {
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let response = text(&response);
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let body = response.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|_| {
        // Chunked: keep what stands between the sizes.
        let joined: String = body.split("\r\n").skip(1).step_by(2).collect();
        serde_json::from_str(&joined).unwrap()
    })
}

#[cfg(unix)]
#[test]
fn a_stopped_service_finishes_what_it_accepted() {
    let mut server = Server::start(&[]);
    let documents: Vec<String> = (0..400)
        .map(|n| format!("{{\"id\": {n}, \"text\": \"{}\"}}", "Where is my order? I am waiting. ".repeat(60)))
        .collect();
    let stream = server.post(&format!("{{\"documents\": [{}]}}", documents.join(",")));
    std::thread::sleep(std::time::Duration::from_millis(100));
    let killed = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(answer(stream)["results"].as_array().unwrap().len(), 400);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn both_doors_give_the_same_answer() {
    let mut server = Server::start(&["--threads", "1"]);
    let lines: String =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages/es.jsonl")).unwrap();
    let texts: Vec<String> =
        lines.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["text"].as_str().unwrap().to_owned()).collect();
    let documents: Vec<Value> =
        texts.iter().enumerate().map(|(n, t)| serde_json::json!({"id": n, "text": t})).collect();
    let over_http = answer(server.post(&serde_json::json!({"documents": documents}).to_string()));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    fs::write(&input, documents.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")).unwrap();
    let out = folder.path().join("out.jsonl");
    let run = defuse(&["score", input.to_str().unwrap(), "-o", out.to_str().unwrap(), "--threads", "3", "--quiet"]);
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(over_http["results"].as_array().unwrap(), &rows(&out));
    assert!(rows(&out).len() > 40 && rows(&out)[0]["cues"].is_array());
}
