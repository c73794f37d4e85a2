//! Owns `defuse check`: every finding about the data, and what each language covers.
//! Knows how findings are shown, not how they are made.

use std::collections::BTreeSet;

use comfy_table::{Table, presets};

use crate::engine;
use crate::packs::{Packs, Severity};

/// Validates all data: files, patterns, the examples of every rule; prints what each language covers
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  defuse check --models ./models --languages en,es\n\nExit code 1 when there is an error."
)]
pub(super) struct Args {
    /// Only these languages (tags, comma-separated) in findings and table
    #[arg(long, value_delimiter = ',', value_name = "TAGS")]
    languages: Vec<String>,
}

pub(super) fn run(args: &Args, shared: &super::Shared) -> anyhow::Result<u8> {
    let (packs, findings) = engine::check(&shared.source());
    if let Some(packs) = &packs
        && let Some(unknown) = args.languages.iter().find(|tag| !packs.languages.contains_key(*tag))
    {
        let known = packs.languages.keys().cloned().collect::<Vec<_>>().join(", ");
        anyhow::bail!("no language {unknown:?}; loaded: {known}");
    }
    let wanted = |place: &str| {
        args.languages.is_empty()
            || !place.starts_with("languages/")
            || args.languages.iter().any(|tag| place.starts_with(&format!("languages/{tag}/")))
    };
    let shown: Vec<_> = findings.iter().filter(|f| wanted(&f.place)).collect();
    for finding in &shown {
        println!("{finding}");
    }
    if let Some(packs) = &packs {
        println!("{}", coverage(packs, &args.languages));
    }
    let errors = shown.iter().filter(|f| f.severity == Severity::Error).count();
    println!("{errors} errors, {} warnings in {}", shown.len() - errors, shared.source());
    Ok(if errors > 0 { super::FAILED } else { super::DONE })
}

/// Rules per cue and language, and how many playbook steps have words in it.
fn coverage(packs: &Packs, only: &[String]) -> Table {
    let languages: Vec<_> = packs.languages.values().filter(|l| only.is_empty() || only.contains(&l.tag)).collect();
    let steps: BTreeSet<&String> = packs.playbooks.values().flat_map(|p| p.steps.iter().map(|s| &s.id)).collect();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(std::iter::once("cue".to_owned()).chain(languages.iter().map(|l| l.tag.clone())));
    for cue in packs.cues.keys() {
        table.add_row(std::iter::once(cue.clone()).chain(languages.iter().map(|l| l.rules_for(cue).to_string())));
    }
    let with = |has: &dyn Fn(&crate::packs::schema::StepText) -> bool| {
        languages
            .iter()
            .map(|l| format!("{}/{}", l.texts.values().filter(|t| has(t)).count(), steps.len()))
            .collect::<Vec<_>>()
    };
    table.add_row(std::iter::once("steps with guidance".to_owned()).chain(with(&|t| !t.do_.is_empty())));
    table.add_row(std::iter::once("steps with phrases".to_owned()).chain(with(&|t| !t.phrases.is_empty())));
    table
}
