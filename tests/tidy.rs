//! The walls of the house: who may know whom, where a library may be named, how long a room is.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read the sources has to stop"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Module and the modules of ours it may name.
const WALLS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("text", &["domain"]),
    ("packs", &["domain", "text"]),
    ("language", &["domain", "text", "packs"]),
    ("cues", &["domain", "text", "packs"]),
    ("sentiment", &["domain", "text", "packs"]),
    ("consult", &["domain", "text", "packs", "cues", "sentiment"]),
    ("stance", &["domain", "packs"]),
    ("anger", &["domain", "text", "packs"]),
    ("priority", &["domain", "text", "packs"]),
    // Both read the facts of `priority`; it is the vocabulary of conditions.
    ("playbook", &["domain", "text", "packs", "priority"]),
    ("training", &["domain", "text", "packs", "sentiment"]),
    (
        "engine",
        &[
            "domain",
            "text",
            "packs",
            "language",
            "cues",
            "sentiment",
            "consult",
            "stance",
            "anger",
            "priority",
            "playbook",
        ],
    ),
    ("wire", &["domain", "engine"]),
    ("config", &[]),
    ("archive", &["domain", "engine", "wire"]),
    ("http", &["domain", "engine", "wire", "config", "packs", "playbook"]),
    ("cli", &["domain", "engine", "wire", "config", "archive", "packs", "training", "http"]),
];

/// Library and the only places that may name it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("actix_web", &["http"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("indicatif", &["cli"]),
    ("rayon", &["engine", "training"]),
    ("toml", &["packs", "config"]),
    ("csv", &["archive"]),
    ("whatlang", &["language"]),
    ("safetensors", &["sentiment", "training"]),
    ("unicode_segmentation", &["text"]),
    ("unicode_width", &["text"]),
    ("unicode_normalization", &["text"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    out.sort();
    assert!(out.len() > 30, "the sources were not found");
    out
}

/// The module a file belongs to: its first folder or its own name below `src`.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    below.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The part of a file that is not its tests.
fn product(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap()
}

/// Modules of ours that a text names after `crate::`, also in braces.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in text.split("crate::").skip(1) {
        let word: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if word.is_empty() && part.starts_with('{') {
            let inside = part.split('}').next().unwrap();
            found.extend(
                inside.trim_start_matches('{').split(',').map(|w| w.trim().split("::").next().unwrap().to_owned()),
            );
        } else {
            found.push(word);
        }
    }
    found
}

#[test]
fn every_wall_stands() {
    for (path, text) in sources() {
        let module = module(&path);
        if module == "main" || module == "lib" {
            continue;
        }
        let (_, allowed) =
            WALLS.iter().find(|(m, _)| *m == module).unwrap_or_else(|| panic!("{module} is not in the map"));
        for other in named(product(&text)) {
            let known = WALLS.iter().any(|(m, _)| *m == other);
            let fine = !known || other == module || allowed.contains(&other.as_str());
            assert!(fine, "{}: {module} must not know {other}", path.display());
        }
    }
}

#[test]
fn every_library_stays_in_its_room() {
    for (path, text) in sources() {
        let module = module(&path);
        for (library, rooms) in LIBRARIES {
            let names = product(&text).lines().filter(|l| !l.trim_start().starts_with("//"));
            let used = names.into_iter().any(|l| {
                l.match_indices(&format!("{library}::")).any(|(at, _)| {
                    !l.get(..at).unwrap().ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '.')
                })
            });
            assert!(!used || rooms.contains(&module.as_str()), "{}: {library} belongs to {rooms:?}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_owns() {
    for (path, text) in sources() {
        let header = text.lines().take_while(|l| l.starts_with("//!")).count();
        let least = if module(&path) == "main" { 1 } else { 2 };
        assert!(header >= least, "{}: a module opens with what it owns and what it must not know", path.display());
    }
}

#[test]
fn rooms_are_read_in_one_sitting() {
    for (path, text) in sources() {
        let lines = product(&text).lines().count();
        assert!(lines <= 600, "{}: {lines} lines; give its second job a room", path.display());
    }
    let main = sources().into_iter().find(|(p, _)| p.ends_with("src/main.rs")).unwrap().1;
    assert!(main.lines().count() <= 40);
}

#[test]
fn the_readme_names_every_module() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for (module, _) in WALLS {
        assert!(readme.contains(&format!("`{module}")), "README: the map does not name {module}");
    }
}
