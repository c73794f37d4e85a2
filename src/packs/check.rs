//! Owns every rule about data that can be stated without running it.
//! Knows the schema only; the proofs of rules are run by `cues::prove`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::{Channel, Level, Suppression};

use super::Packs;
use super::schema::Condition;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The data works, but something is missing.
    Warning,
    /// The data is refused.
    Error,
}

/// Something to say about a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Path below the data folder, with the place in it.
    pub place: String,
    /// What is wrong and what to do about it.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{kind}: {}: {}", self.place, self.what)
    }
}

impl Finding {
    /// A finding that refuses the data.
    #[must_use]
    pub fn error(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), what: what.into() }
    }

    /// A finding that does not.
    #[must_use]
    pub fn warning(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, place: place.into(), what: what.into() }
    }
}

/// Checks everything that can be stated without running a rule. Returns all findings.
#[must_use]
pub fn check(packs: &Packs) -> Vec<Finding> {
    let mut findings = Vec::new();
    cues(packs, &mut findings);
    languages(packs, &mut findings);
    let facts = facts(packs);
    policy(packs, &facts, &mut findings);
    playbooks(packs, &facts, &mut findings);
    texts(packs, &mut findings);
    findings
}

fn cues(packs: &Packs, findings: &mut Vec<Finding>) {
    for (id, spec) in &packs.cues {
        for scope in &spec.scopes {
            if Suppression::parse(scope).is_none() {
                findings.push(Finding::error(
                    format!("cues.toml: {id}"),
                    format!("scope {scope:?} is none of {}", suppressions()),
                ));
            }
        }
    }
}

fn suppressions() -> String {
    Suppression::ALL.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ")
}

fn languages(packs: &Packs, findings: &mut Vec<Finding>) {
    for language in packs.languages.values() {
        let folder = format!("languages/{}", language.tag);
        if language.spec.iso639_3.len() != 3 {
            findings
                .push(Finding::error(format!("{folder}/language.toml"), "iso639_3 has three letters (spa, deu, cmn)"));
        }
        let own = format!("{}/", language.tag);
        for rule in language.rules.iter().filter(|r| r.id.starts_with(&own)) {
            let place = format!("{folder}/cues.toml: {}", rule.id);
            if !packs.cues.contains_key(&rule.cue) {
                findings.push(Finding::error(
                    &place,
                    format!("cue {:?} is not in cues.toml; known: {}", rule.cue, keys(&packs.cues)),
                ));
            }
            if rule.spec.matches.is_empty() {
                findings.push(Finding::error(&place, "a rule needs at least one message under matches"));
            }
            if rule.spec.level > 3 {
                findings.push(Finding::error(&place, "level is 1, 2 or 3"));
            }
            let signals = packs.cues.get(&rule.cue).map_or(&[][..], |c| &c.signals);
            if let Some(signal) = rule.spec.signal.as_ref().filter(|s| !signals.contains(s)) {
                findings.push(Finding::error(
                    &place,
                    format!("signal {signal:?} is none of those of the cue in cues.toml: {signals:?}"),
                ));
            }
            for name in rule.spec.immune.iter().filter(|n| Suppression::parse(n).is_none()) {
                findings.push(Finding::error(&place, format!("immune {name:?} is none of {}", suppressions())));
            }
        }
        for cue in packs.cues.keys().filter(|cue| language.rules_for(cue) == 0) {
            findings.push(Finding::warning(format!("{folder}/cues.toml"), format!("no rule for {cue}")));
        }
        for (kind, spec) in scopes(&language.scope) {
            for cue in spec.cues.iter().chain(&spec.not_cues).filter(|c| !packs.cues.contains_key(*c)) {
                findings.push(Finding::error(
                    format!("{folder}/scope.toml: {kind}"),
                    format!("pattern {:?} names the unknown cue {cue:?}", spec.pattern),
                ));
            }
        }
    }
}

/// Every scope trigger with the name of its suppression.
pub(crate) fn scopes(
    table: &super::schema::ScopeTable,
) -> impl Iterator<Item = (&'static str, &super::schema::ScopeSpec)> {
    table
        .negated
        .iter()
        .map(|s| ("negated", s))
        .chain(table.hypothetical.iter().map(|s| ("hypothetical", s)))
        .chain(table.reported.iter().map(|s| ("reported", s)))
        .chain(table.excepted.iter().map(|s| ("excepted", s)))
}

fn keys<V>(map: &BTreeMap<String, V>) -> String {
    map.keys().cloned().collect::<Vec<_>>().join(", ")
}

/// Names of all facts a condition may use.
fn facts(packs: &Packs) -> BTreeSet<String> {
    let mut facts: BTreeSet<String> = [
        "negative",
        "neutral",
        "positive",
        "anger_1",
        "anger_2",
        "anger_3",
        "complaint",
        "previous_contacts",
        "reopened",
        "waiting",
        "vip",
        "model_escalation",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    for cue in packs.cues.keys() {
        facts.insert(cue.clone());
        facts.insert(format!("model_{cue}"));
    }
    facts.extend(Level::ALL.iter().map(|l| format!("priority_{}", l.name())));
    facts.extend(Channel::ALL.iter().map(|(n, _)| format!("channel_{n}")));
    facts.extend(packs.cues.values().flat_map(|c| c.signals.clone()));
    facts.extend(packs.policy.derived.iter().map(|d| d.id.clone()));
    facts
}

fn condition(place: &str, condition: &Condition, facts: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    for name in condition.names().filter(|n| !facts.contains(*n)) {
        findings.push(Finding::error(
            place,
            format!("unknown fact {name:?}; known: {}", facts.iter().cloned().collect::<Vec<_>>().join(", ")),
        ));
    }
    if condition.all.is_empty() && condition.any.is_empty() {
        findings.push(Finding::error(place, "a condition needs `all` or `any`"));
    }
}

fn policy(packs: &Packs, facts: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let policy = &packs.policy;
    let bounds = policy.levels;
    if !(0.0 < bounds.normal && bounds.normal < bounds.high && bounds.high < bounds.urgent && bounds.urgent <= 100.0) {
        findings.push(Finding::error("policy.toml: levels", "0 < normal < high < urgent ≤ 100 must hold"));
    }
    let [mild, clear, rage] = policy.anger.bounds;
    if !(0.0 < mild && mild < clear && clear < rage) {
        findings.push(Finding::error("policy.toml: anger", "the three bounds must rise"));
    }
    for (cue, bound) in policy.model.gives.iter().chain(&policy.model.settles) {
        if !packs.cues.contains_key(cue) {
            let what = format!("cue {cue:?} is not defined; known: {}", keys(&packs.cues));
            findings.push(Finding::error("policy.toml: model", what));
        }
        if !(0.0 < *bound && *bound <= 1.0) {
            findings.push(Finding::error("policy.toml: model", format!("{cue} needs a bound above 0, at most 1")));
        }
    }
    for derived in &policy.derived {
        for when in &derived.when {
            condition(&format!("policy.toml: derived {}", derived.id), when, facts, findings);
        }
    }
    let mut seen = BTreeSet::new();
    for signal in &policy.signals {
        let place = format!("policy.toml: signal {}", signal.id);
        condition(&place, &signal.when, facts, findings);
        if !seen.insert(&signal.id) {
            findings.push(Finding::error(&place, "stands twice"));
        }
        if !policy.groups.contains_key(&signal.group) {
            findings.push(Finding::error(
                &place,
                format!("group {:?} is not defined; known: {}", signal.group, keys(&policy.groups)),
            ));
        }
        if signal.points.is_nan() || signal.points < 0.0 {
            findings.push(Finding::error(&place, "points are 0 or more"));
        }
        if let Some(force) = signal.force.as_deref().filter(|f| Level::parse(f).is_none()) {
            findings.push(Finding::error(&place, format!("force {force:?} is none of low, normal, high, urgent")));
        }
    }
}

fn playbooks(packs: &Packs, facts: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    let ids: BTreeSet<&String> = packs.playbooks.values().flat_map(|p| p.steps.iter().map(|s| &s.id)).collect();
    for (id, playbook) in &packs.playbooks {
        for step in &playbook.steps {
            let place = format!("playbooks/{id}.toml: {}", step.id);
            if !seen.insert(&step.id) {
                findings.push(Finding::error(&place, "the step id stands twice"));
            }
            for when in &step.when {
                condition(&place, when, facts, findings);
            }
            for channel in step.channels.iter().filter(|c| Channel::parse(c).is_none()) {
                findings.push(Finding::error(&place, format!("unknown channel {channel:?}")));
            }
            for other in step.excludes.iter().chain(step.only_with.iter().flatten()).filter(|o| !ids.contains(o)) {
                findings
                    .push(Finding::error(&place, format!("excludes or only_with names the unknown step {other:?}")));
            }
            if let Some(due) = step.due.as_deref().filter(|d| d.parse::<jiff::Span>().is_err()) {
                findings.push(Finding::error(&place, format!("due {due:?} is no ISO 8601 duration (PT24H, P30D)")));
            }
        }
    }
}

fn texts(packs: &Packs, findings: &mut Vec<Finding>) {
    let ids: BTreeSet<&String> = packs.playbooks.values().flat_map(|p| p.steps.iter().map(|s| &s.id)).collect();
    for language in packs.languages.values() {
        let place = format!("languages/{}/playbooks.toml", language.tag);
        for id in language.texts.keys().filter(|id| !ids.contains(id)) {
            findings.push(Finding::error(&place, format!("{id} is no step of a playbook")));
        }
        for (id, text) in &language.texts {
            for phrase in &text.phrases {
                if phrase.matches('{').count() != phrase.matches('}').count() {
                    findings.push(Finding::error(&place, format!("{id}: a slot is not closed in {phrase:?}")));
                }
            }
        }
    }
    let Some(english) = packs.languages.get("en") else { return };
    for id in ids.iter().filter(|id| english.texts.get(**id).is_none_or(|t| t.title.is_empty() || t.do_.is_empty())) {
        findings.push(Finding::error("languages/en/playbooks.toml", format!("{id} has no title or no guidance")));
    }
    for language in packs.languages.values() {
        let missing = ids.iter().filter(|id| !language.texts.contains_key(**id)).count();
        if missing > 0 {
            findings.push(Finding::warning(
                format!("languages/{}/playbooks.toml", language.tag),
                format!("{missing} steps without words; English stands in"),
            ));
        }
    }
}
