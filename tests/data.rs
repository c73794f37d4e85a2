//! The data in the binary: every rule proven, every fixture readable, every promise of the map kept.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its data is not there"
)]

use std::collections::BTreeSet;
use std::path::Path;

use defuse::domain::{DocumentId, Message};
use defuse::engine;
use defuse::packs::{Severity, Source};
use defuse::training;

#[test]
fn the_data_in_the_binary_is_sound() {
    let (packs, findings) = engine::check(&Source::Embedded);
    let errors: Vec<String> =
        findings.iter().filter(|f| f.severity == Severity::Error).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let packs = packs.unwrap();
    for language in packs.languages.values() {
        for cue in packs.cues.keys() {
            assert!(language.rules_for(cue) > 0, "{} has no rule for {cue}", language.tag);
        }
    }
}

#[test]
fn every_labelled_message_can_be_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let cues: BTreeSet<String> = engine::check(&Source::Embedded).0.unwrap().cues.into_keys().collect();
    let mut ids = BTreeSet::new();
    for folder in ["messages", "training"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let messages = training::parse(&path.display().to_string(), &text).unwrap_or_else(|e| panic!("{e}"));
            assert!(!messages.is_empty(), "{} is empty", path.display());
            for message in messages {
                for cue in message.cues.iter().flatten() {
                    assert!(cues.contains(&cue.cue), "{}: unknown cue {}", message.id, cue.cue);
                }
                assert!(ids.insert(message.id.clone()), "{} stands twice", message.id);
            }
        }
    }
}

#[test]
fn cues_of_a_second_language_are_found_too() {
    let engine = engine::Engine::open(&engine::Options::default()).unwrap();
    let text = "Hola, mi pedido no ha llegado todavía y nadie me contesta. You people should be ashamed of yourselves, this is a disgrace.";
    let message = Message::new(DocumentId::Number(0), text.to_owned());
    let analysis = engine.analyze(&message, &engine::Request::default()).unwrap();
    assert_eq!(analysis.language.tag, "es");
    let languages: BTreeSet<&str> = analysis.cues.iter().filter_map(|h| h.rule.split('/').next()).collect();
    assert!(languages.contains("es") && languages.contains("en"), "{languages:?}: {:?}", analysis.cues);
}
