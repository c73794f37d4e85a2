//! Owns the choice of advice: from the facts of a message to ordered steps with words.
//! Knows the playbooks and the languages' words, not how a fact came about. Pure.

use crate::domain::{Channel, Phrase, Strategy};
use crate::packs::Packs;
use crate::packs::schema::{StepSpec, StepText};
use crate::priority::Facts;

/// Most steps in one answer: more are not read.
pub const MOST: usize = 5;
/// Language that stands in where another has no words.
const FALLBACK: &str = "en";

/// Who will read the advice.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Tag of the language the agent reads.
    pub agent: &'a str,
    /// Tag of the language the customer writes.
    pub customer: &'a str,
    /// How the answer will be given, if known.
    pub channel: Option<Channel>,
}

/// The steps that the facts call for, first step first, at most [`MOST`], none excluding another.
#[must_use]
pub fn advise(facts: &Facts, packs: &Packs, reader: &Reader<'_>) -> Vec<Strategy> {
    let mut fitting: Vec<_> = packs
        .playbooks
        .iter()
        .flat_map(|(id, playbook)| playbook.steps.iter().map(move |step| (id, step)))
        .filter(|(_, step)| {
            reader.channel.is_none_or(|c| step.channels.is_empty() || step.channels.iter().any(|n| n == c.name()))
        })
        .filter_map(|(id, step)| Some((id, step, step.when.iter().find(|c| c.holds(facts))?)))
        .collect();
    fitting.sort_by_key(|(_, step, _)| (step.order, step.id.clone()));
    let mut chosen: Vec<&StepSpec> = Vec::new();
    let mut answer = Vec::new();
    for (playbook, step, because) in fitting {
        let clashes = chosen.iter().any(|c| !c.allows(&step.id) || !step.allows(&c.id));
        if clashes || chosen.len() == MOST {
            continue;
        }
        chosen.push(step);
        let words = guidance(packs, &step.id, reader.agent);
        answer.push(Strategy {
            id: step.id.clone(),
            playbook: playbook.clone(),
            title: words.title,
            do_: words.do_,
            avoid: words.avoid,
            phrases: phrases(packs, &step.id, reader.customer),
            because: because.all.iter().chain(&because.any).filter(|f| facts.contains(*f)).cloned().collect(),
            due: step.due.clone(),
        });
    }
    answer
}

/// What the agent reads, in the agent's language or the fallback.
#[must_use]
pub fn guidance(packs: &Packs, step: &str, tag: &str) -> StepText {
    let of = |tag: &str| {
        packs.languages.get(tag).and_then(|l| l.texts.get(step)).filter(|t| !t.title.is_empty() && !t.do_.is_empty())
    };
    of(tag).or_else(|| of(FALLBACK)).cloned().unwrap_or_default()
}

/// What the customer hears, in the customer's language, that of its base, or the fallback; each
/// phrase says which.
#[must_use]
pub fn phrases(packs: &Packs, step: &str, tag: &str) -> Vec<Phrase> {
    let base = packs.languages.get(tag).and_then(|l| l.spec.extends.as_deref());
    for candidate in [Some(tag), base, Some(FALLBACK)].into_iter().flatten() {
        let words = packs.languages.get(candidate).and_then(|l| l.texts.get(step)).filter(|t| !t.phrases.is_empty());
        if let Some(words) = words {
            return words
                .phrases
                .iter()
                .map(|text| Phrase { language: candidate.to_owned(), text: text.clone() })
                .collect();
        }
    }
    Vec::new()
}
