//! Functional tests in the manner of `HateCheck`: every cue of every language, tried in many ways.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where its data is not there")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use defuse::domain::{DocumentId, Message};
use defuse::engine::{Engine, Options, Request};
use defuse::training::functional::{self, Case};

/// Every case with whether it passes, in order of the files.
static RESULTS: LazyLock<Vec<(Case, bool)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/functional");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        cases.extend(functional::parse(&file.display().to_string(), &text).unwrap_or_else(|e| panic!("{e}")));
    }
    let engine = Engine::open(&Options::default()).unwrap();
    let messages: Vec<Message> =
        cases.iter().map(|c| Message::new(DocumentId::Text(c.id.clone()), c.text.clone())).collect();
    let analyses = engine.analyze_batch(&messages, &Request::default());
    cases.into_iter().zip(analyses).map(|(case, analysis)| (case.clone(), case.passes(&analysis.unwrap()))).collect()
});

#[test]
fn what_is_not_known_to_fail_passes() {
    let surprises: Vec<String> = RESULTS
        .iter()
        .filter(|(case, passed)| *passed != case.known.is_none())
        .map(|(case, passed)| {
            let what = if *passed { "passes, though it is known to fail" } else { "fails" };
            format!("{} ({}, {}) {what}: {}", case.id, case.cue, case.kind, case.text)
        })
        .collect();
    assert!(surprises.is_empty(), "{} cases:\n{}", surprises.len(), surprises.join("\n"));
}

#[test]
fn at_least_98_in_100_pass() {
    let passed = RESULTS.iter().filter(|(_, passed)| *passed).count();
    assert!(passed * 100 >= RESULTS.len() * 98, "{passed} of {}", RESULTS.len());
    let known: Vec<&str> = RESULTS.iter().filter_map(|(case, _)| case.known.as_deref()).collect();
    assert!(known.iter().all(|reason| reason.len() > 10), "every known failure has its reason");
}

#[test]
fn every_cue_is_tried_in_every_language() {
    let mut count: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (case, _) in RESULTS.iter() {
        *count.entry((&case.lang, &case.cue)).or_default() += 1;
        kinds.entry(&case.cue).or_default().insert(&case.kind);
    }
    let languages: BTreeSet<&str> = count.keys().map(|k| k.0).collect();
    assert_eq!(languages.len(), 16, "{languages:?}");
    assert_eq!(kinds.len(), 15, "{:?}", kinds.keys());
    for language in languages {
        for cue in kinds.keys() {
            let cases = count.get(&(language, *cue)).copied().unwrap_or(0);
            assert!(cases >= 8, "{language} {cue}: {cases} cases");
        }
    }
    for (cue, kinds) in kinds {
        assert!(kinds.len() >= 10, "{cue} is tried in {} ways only: {kinds:?}", kinds.len());
    }
}

#[test]
fn the_table_of_the_readme_is_that_of_these_tests() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = functional::table(RESULTS.iter().map(|(case, passed)| (case, *passed)));
    assert!(
        readme.contains(&table),
        "put the output of `defuse eval --functional fixtures/functional --markdown` into README.md:\n{table}"
    );
}
