//! Owns the step from facts to a priority with reasons.
//! Knows the policy and what was found, not how it was found. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Channel, CueHit, Level, Metadata, ModelScores, Priority, Reason, Stance};
use crate::packs::schema::{CueTable, PolicySpec, SignalSpec};

/// What is known of a message: names that conditions in the data use.
pub type Facts = BTreeSet<String>;

/// What facts are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Cues the author performs.
    pub cues: &'a [CueHit],
    /// Stance of the author.
    pub stance: Stance,
    /// Anger, 0…3.
    pub anger: u8,
    /// What the helpdesk knows.
    pub metadata: &'a Metadata,
    /// How the message came in.
    pub channel: Option<Channel>,
    /// What the model says.
    pub model: &'a ModelScores,
    /// The cues of the model's cue heads; none where the text is too short to believe them.
    pub model_cues: &'a [String],
}

/// Draws the facts that conditions can use. Anger is cumulative: `anger_3` implies `anger_2`.
#[must_use]
pub fn facts(evidence: &Evidence<'_>, policy: &PolicySpec, cues: &CueTable) -> Facts {
    let mut facts = Facts::new();
    facts.insert(evidence.stance.name().to_owned());
    for hit in evidence.cues {
        facts.insert(hit.cue.to_string());
        facts.extend(hit.signal.as_deref().map(str::to_owned));
        if cues.get(&*hit.cue).is_some_and(|c| c.complaint) {
            facts.insert("complaint".to_owned());
        }
    }
    facts.extend((1..=evidence.anger.min(3)).map(|level| format!("anger_{level}")));
    let bounds = &policy.metadata;
    let metadata = evidence.metadata;
    let mut when = |holds: bool, name: &str| {
        if holds {
            facts.insert(name.to_owned());
        }
    };
    when(metadata.previous_contacts >= bounds.previous_contacts, "previous_contacts");
    when(metadata.reopened >= bounds.reopened, "reopened");
    when(metadata.hours_waiting >= bounds.hours_waiting, "waiting");
    when(metadata.vip, "vip");
    when(evidence.model.escalation.is_some_and(|p| p >= policy.model.escalation), "model_escalation");
    for (cue, p) in evidence.model_cues.iter().zip(&evidence.model.cues) {
        when(*p >= policy.model.cue, &format!("model_{cue}"));
    }
    if let Some(channel) = evidence.channel {
        facts.insert(format!("channel_{}", channel.name()));
    }
    for derived in &policy.derived {
        if derived.when.iter().any(|c| c.holds(&facts)) {
            facts.insert(derived.id.clone());
        }
    }
    facts
}

/// Adds up the points of the signals that hold. Within a group the largest counts in full, each
/// further one by the group's share, together at most its cap; `force` lifts the level.
#[must_use]
pub fn prioritise(facts: &Facts, policy: &PolicySpec) -> Priority {
    let mut groups: BTreeMap<&str, Vec<&SignalSpec>> = BTreeMap::new();
    for signal in policy.signals.iter().filter(|s| s.when.holds(facts)) {
        groups.entry(&signal.group).or_default().push(signal);
    }
    let mut reasons = Vec::new();
    let mut score = 0.0;
    let mut forced = Level::Low;
    for (group, mut signals) in groups {
        let Some(spec) = policy.groups.get(group) else { continue };
        signals.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| a.id.cmp(&b.id)));
        let mut left = spec.cap;
        for (place, signal) in signals.into_iter().enumerate() {
            let share = if place == 0 { 1.0 } else { spec.further };
            let points = (signal.points * share).min(left);
            left -= points;
            score += points;
            forced = forced.max(signal.force.as_deref().and_then(Level::parse).unwrap_or(Level::Low));
            if points > 0.0 {
                reasons.push(Reason { signal: signal.id.clone(), points: tenth(points) });
            }
        }
    }
    reasons.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| a.signal.cmp(&b.signal)));
    let score = tenth(score.max(floor(forced, policy)).clamp(0.0, 100.0));
    Priority { level: level(score, policy), score, reasons }
}

/// Level of a score.
fn level(score: f64, policy: &PolicySpec) -> Level {
    Level::ALL.into_iter().rev().find(|l| score >= floor(*l, policy)).unwrap_or(Level::Low)
}

/// Least score of a level.
fn floor(level: Level, policy: &PolicySpec) -> f64 {
    match level {
        Level::Low => 0.0,
        Level::Normal => policy.levels.normal,
        Level::High => policy.levels.high,
        Level::Urgent => policy.levels.urgent,
    }
}

/// Points are stated to a tenth.
fn tenth(points: f64) -> f64 {
    (points * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::{Packs, Source};

    fn priority(names: &[&str]) -> Priority {
        let packs = Packs::load(&Source::Embedded).unwrap();
        let mut facts: Facts = names.iter().map(|n| (*n).to_owned()).collect();
        for derived in &packs.policy.derived {
            if derived.when.iter().any(|c| c.holds(&facts)) {
                facts.insert(derived.id.clone());
            }
        }
        prioritise(&facts, &packs.policy)
    }

    /// The rubric of fixtures/GUIDELINES.md, line by line.
    #[test]
    fn the_policy_is_the_rubric() {
        use Level::{High, Low, Normal, Urgent};
        for (facts, level) in [
            (&["neutral"][..], Low),
            (&["positive", "resolved_thanks"], Low),
            (&["negative"], Normal),
            (&["neutral", "urgency"], Low),
            (&["negative", "complaint", "urgency", "refund_demand", "threat_churn", "anger_1"], Normal),
            (&["negative", "anger_1", "anger_2", "profanity", "insult", "refund_demand", "urgency"], Normal),
            (&["negative", "repeat_contact", "refund_demand", "vip", "waiting", "anger_1", "urgency"], Normal),
            (&["negative", "anger_1", "anger_2", "repeat_contact"], High),
            (&["negative", "anger_1", "anger_2", "threat_churn"], High),
            (&["negative", "anger_1", "anger_2", "anger_3"], High),
            (&["complaint", "manager_demand"], High),
            (&["complaint", "threat_legal"], High),
            (
                &[
                    "complaint",
                    "threat_publicity",
                    "chargeback",
                    "threat_regulator",
                    "threat_legal",
                    "urgency",
                    "refund_demand",
                    "repeat_contact",
                ],
                High,
            ),
            (&["complaint", "anger_1", "anger_2", "threat_legal", "repeat_contact"], High),
            (&["complaint", "anger_1", "anger_2", "profanity", "threat_legal"], Urgent),
            (&["complaint", "anger_1", "anger_2", "anger_3", "threat_regulator"], Urgent),
            (&["complaint", "anger_1", "anger_2", "anger_3", "manager_demand", "repeat_contact"], Urgent),
            (&["complaint", "anger_1", "anger_2", "anger_3", "manager_demand"], High),
            (&["threat_self_harm", "neutral"], Urgent),
            (&["threat_violence", "positive"], Urgent),
            (&["urgency", "danger", "neutral"], Urgent),
        ] {
            let given = priority(facts);
            assert_eq!(given.level, level, "{facts:?}: {given:?}");
        }
    }

    #[test]
    fn more_evidence_never_lowers_the_score() {
        let packs = Packs::load(&Source::Embedded).unwrap();
        let names: Vec<String> = packs.cues.keys().cloned().collect();
        let mut facts = Facts::new();
        let mut last = 0.0;
        for name in names {
            facts.insert(name);
            let score = prioritise(&facts, &packs.policy).score;
            assert!(score >= last, "{facts:?}");
            last = score;
        }
    }
}
