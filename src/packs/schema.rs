//! Owns the shape of every data file a linguist or an operator edits.
//! Knows nothing of what the data means; unknown keys are refused by name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// `models/cues.toml`: every cue the product knows.
pub type CueTable = BTreeMap<String, CueSpec>;

/// One cue.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CueSpec {
    /// Short name for people.
    pub title: String,
    /// When the cue is given.
    pub description: String,
    /// The suppressions that can take it back; all when absent.
    #[serde(default = "every_scope")]
    pub scopes: Vec<String>,
    /// Single words of its rules are recognised behind mask symbols (`f***`).
    #[serde(default)]
    pub unmask: bool,
    /// Further signals its rules may raise.
    #[serde(default)]
    pub signals: Vec<String>,
    /// The cue is a complaint in itself: giving it makes the message one.
    #[serde(default)]
    pub complaint: bool,
}

fn every_scope() -> Vec<String> {
    crate::domain::Suppression::ALL.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// `languages/<tag>/language.toml`: what is true of the language as such.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageSpec {
    /// Name in the language itself.
    pub name: String,
    /// Name in English.
    pub english_name: String,
    /// ISO 639-3 code, by which the detection library knows it.
    pub iso639_3: String,
    /// Tag of the language whose cues, scope and lists this one shares (`zh-Hant` extends
    /// `zh-Hans`); its own are its mail markers and the words of the playbooks.
    pub extends: Option<String>,
    /// Articles and pronouns that lose their vowel before an apostrophe (`l`, `d`, `qu`).
    #[serde(default)]
    pub elisions: Vec<String>,
    /// Letters written together with the next word (Arabic «و», «ال»), longest first.
    #[serde(default)]
    pub proclitics: Vec<String>,
    /// Frequent little words, blank-separated, chat spelling and romanised forms included: they
    /// decide for short and mixed text.
    #[serde(default)]
    pub markers: String,
    /// Words that can stand between the words of any pattern without changing what is meant
    /// («really», «now»), blank-separated; at most two are passed over in one place.
    #[serde(default)]
    pub fillers: String,
    /// What mail programs write in this language.
    #[serde(default)]
    pub mail: MailSpec,
    /// Named word lists, used in patterns as `{name}`.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

/// Lines that mail programs add; `*` stands for any stretch.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSpec {
    /// Lines after which mail is quoted.
    #[serde(default)]
    pub quote_headers: Vec<String>,
    /// Lines added by a device.
    #[serde(default)]
    pub device_lines: Vec<String>,
    /// Closing formulas, after which short lines are a signature.
    #[serde(default)]
    pub closings: Vec<String>,
    /// Header lines at the top of a pasted mail.
    #[serde(default)]
    pub headers: Vec<String>,
    /// First words of legal footers.
    #[serde(default)]
    pub footers: Vec<String>,
}

/// `languages/<tag>/cues.toml`: rules by cue.
pub type RuleTable = BTreeMap<String, Vec<RuleSpec>>;

/// One rule and its proof.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Token pattern.
    pub rule: String,
    /// Patterns that take the hit back when they overlap it.
    #[serde(default)]
    pub void: Vec<String>,
    /// Strength 1…3, for anger.
    #[serde(default)]
    pub level: u8,
    /// A further signal the rule raises.
    pub signal: Option<String>,
    /// Suppressions that do not apply to this rule.
    #[serde(default)]
    pub immune: Vec<String>,
    /// Messages in which the rule gives its cue.
    pub matches: Vec<String>,
    /// Messages in which the cue is not given.
    #[serde(default)]
    pub ignores: Vec<String>,
}

/// `languages/<tag>/scope.toml`: the words that change who says it and whether it is meant.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeTable {
    /// Words that no scope reaches across («but»).
    #[serde(default)]
    pub barriers: Vec<String>,
    /// The author denies it.
    #[serde(default)]
    pub negated: Vec<ScopeSpec>,
    /// The author asks about it or imagines it.
    #[serde(default)]
    pub hypothetical: Vec<ScopeSpec>,
    /// Somebody else says it, or it is past and settled.
    #[serde(default)]
    pub reported: Vec<ScopeSpec>,
    /// Praise, names of products, idioms.
    #[serde(default)]
    pub excepted: Vec<ScopeSpec>,
}

/// One word or phrase that changes what stands near it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSpec {
    /// Token pattern of the trigger.
    pub pattern: String,
    /// How many words after the trigger a cue may begin. With `back` 0 too: only cues that overlap it.
    #[serde(default)]
    pub reach: usize,
    /// How many words before the trigger a cue may end.
    #[serde(default)]
    pub back: usize,
    /// The reach crosses commas, up to the end of the sentence.
    #[serde(default)]
    pub sentence: bool,
    /// Only in a sentence that ends in a question mark.
    #[serde(default)]
    pub question: bool,
    /// The cues it concerns; all when empty.
    #[serde(default)]
    pub cues: Vec<String>,
    /// The cues it does not concern.
    #[serde(default)]
    pub not_cues: Vec<String>,
    /// Messages in which a cue is taken back for this reason.
    #[serde(default)]
    pub voids: Vec<String>,
}

/// A condition over facts: all of `all`, at least one of `any` (if given), none of `none`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Facts that must all hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<String>,
    /// Facts of which one must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// Facts of which none may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
}

impl Condition {
    /// Whether the condition holds. An empty condition never does.
    #[must_use]
    pub fn holds(&self, facts: &BTreeSet<String>) -> bool {
        let has = |name: &String| facts.contains(name);
        !(self.all.is_empty() && self.any.is_empty())
            && self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }

    /// Every fact it names.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.all.iter().chain(&self.any).chain(&self.none)
    }
}

/// `models/policy.toml`: signals → points → level.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// Name of the policy.
    pub title: String,
    /// Least score of each level but `low`.
    pub levels: LevelBounds,
    /// How cues move the model's stance.
    pub stance: StanceSpec,
    /// How anger is composed.
    pub anger: AngerSpec,
    /// Bounds from which metadata becomes a fact.
    pub metadata: MetadataBounds,
    /// Least probability of the model's heads to become a fact.
    pub model: ModelBounds,
    /// Facts made of other facts, in order.
    #[serde(default)]
    pub derived: Vec<DerivedSpec>,
    /// Groups whose points are capped together.
    pub groups: BTreeMap<String, GroupSpec>,
    /// What gives points.
    pub signals: Vec<SignalSpec>,
}

/// Least scores of the levels, 0…100.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LevelBounds {
    /// From here on «normal».
    pub normal: f64,
    /// From here on «high».
    pub high: f64,
    /// From here on «urgent».
    pub urgent: f64,
}

/// Log-odds that cues add to the model's stance.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StanceSpec {
    /// Added to «negative» by a cue that is a complaint in itself.
    pub complaint: f64,
    /// Added to «positive» by thanks for a solution.
    pub thanks: f64,
    /// Taken from «negative» when complaints were only denied, asked about, told of others or
    /// quoted: the model has read their words all the same.
    pub taken_back: f64,
}

/// Weights of the anger level: a sum of evidence, cut at the bounds of the levels.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AngerSpec {
    /// Per level of the strongest anger rule.
    pub rule: f64,
    /// For a second anger cue.
    pub further: f64,
    /// For swearing.
    pub profanity: f64,
    /// For an insult.
    pub insult: f64,
    /// For a threat of violence.
    pub violence: f64,
    /// For loud writing (capitals, marks, elongation, angry faces), at most this much.
    pub loud: f64,
    /// Per level expected by the model's anger head.
    pub model: f64,
    /// Taken off when the message is positive.
    pub positive: f64,
    /// Least sum for levels 1, 2 and 3.
    pub bounds: [f64; 3],
}

/// Bounds from which metadata becomes a fact.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataBounds {
    /// Previous contacts from which `previous_contacts` holds.
    pub previous_contacts: u32,
    /// Reopenings from which `reopened` holds.
    pub reopened: u32,
    /// Hours from which `waiting` holds.
    pub hours_waiting: f64,
}

/// Least probabilities of the model's heads.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelBounds {
    /// From here on `model_escalation` holds.
    pub escalation: f64,
    /// From here on `model_<cue>` holds, in a text of `least_columns`.
    pub cue: f64,
    /// Cues that are given from this probability on even where no rule finds them, with the
    /// sentence in which the model sees them most as evidence.
    #[serde(default)]
    pub gives: BTreeMap<String, f64>,
    /// Cues that are taken back where the model, reading the whole message, says at least this for
    /// a positive stance: what a contented author tells of is past and settled.
    #[serde(default)]
    pub settles: BTreeMap<String, f64>,
    /// Width of the author's own words from which on `cue`, `gives` and `settles` hold, in columns
    /// (UAX #11; Han, kana and Hangul take two): of a few words the model knows too little.
    #[serde(default)]
    pub least_columns: usize,
}

/// A fact made of others: it holds when one of its conditions does.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedSpec {
    /// Name of the fact.
    pub id: String,
    /// Conditions, one of which must hold.
    pub when: Vec<Condition>,
}

/// Signals whose points are capped together.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Most points the group can give.
    pub cap: f64,
    /// Share of its points that each signal after the first one gives, 0…1.
    pub further: f64,
}

/// One signal.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignalSpec {
    /// Its name in `reasons`.
    pub id: String,
    /// Group it belongs to.
    pub group: String,
    /// Points it gives.
    pub points: f64,
    /// Lifts the ticket to at least this level, whatever the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
    /// When it holds.
    pub when: Condition,
}

/// `models/playbooks/<id>.toml`: a method and its steps.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlaybookSpec {
    /// Name for people.
    pub title: String,
    /// The document it restates.
    pub source: String,
    /// Its steps.
    pub steps: Vec<StepSpec>,
}

/// One step of a method.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// Its id, unique over all playbooks.
    pub id: String,
    /// Place in an answer: lower comes first.
    pub order: u32,
    /// When it is advised; one of the conditions must hold.
    pub when: Vec<Condition>,
    /// Channels it is fit for; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// When it is due, ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Steps it excludes from the same answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
    /// When given, only these steps may stand in the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_with: Option<Vec<String>>,
}

impl StepSpec {
    /// Whether this step lets another one stand in the same answer.
    #[must_use]
    pub fn allows(&self, other: &str) -> bool {
        !self.excludes.iter().any(|e| e == other)
            && self.only_with.as_ref().is_none_or(|with| with.iter().any(|w| w == other))
    }
}

/// `languages/<tag>/playbooks.toml`: words of the steps by step id.
pub type StepTexts = BTreeMap<String, StepText>;

/// What a step says in one language.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    /// Short title, for the agent.
    #[serde(default)]
    pub title: String,
    /// What to do, for the agent.
    #[serde(default, rename = "do")]
    pub do_: Vec<String>,
    /// What to avoid, for the agent.
    #[serde(default)]
    pub avoid: Vec<String>,
    /// What to say to the customer; slots in braces.
    #[serde(default)]
    pub phrases: Vec<String>,
}

/// `sentiment/<name>/model.toml`: what a model is and how it was made.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Kind of model (`compact`).
    pub kind: String,
    /// File with the weights, beside this one.
    pub weights: String,
    /// SHA-256 of that file, hexadecimal.
    pub sha256: String,
    /// Licence of the weights.
    pub licence: String,
    /// Stances in the order of the sentiment head's outputs.
    pub labels: Vec<String>,
    /// Cues in the order of the cue heads' outputs.
    #[serde(default)]
    pub cues: Vec<String>,
    /// Hash buckets, a power of two.
    pub buckets: usize,
    /// Shortest and longest character n-gram.
    pub char_ngrams: [usize; 2],
    /// Longest word n-gram.
    pub word_ngrams: usize,
    /// Seed of the training run.
    pub seed: u64,
    /// Calibration: probabilities are taken of margin × slope + offset, per head.
    pub calibration: BTreeMap<String, [f64; 2]>,
    /// Sets it was trained on.
    pub data: Vec<DataSpec>,
}

/// One set of training texts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// Name of the set.
    pub set: String,
    /// Licence as its publisher states it.
    pub licence: String,
    /// Texts used.
    pub texts: usize,
    /// Weight of each text.
    pub weight: f64,
}

/// Configuration of `defuse train`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Name of the model.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// Seed of the order in which messages are visited.
    pub seed: u64,
    /// Hash buckets, a power of two.
    pub buckets: usize,
    /// Shortest and longest character n-gram.
    pub char_ngrams: [usize; 2],
    /// Longest word n-gram.
    pub word_ngrams: usize,
    /// Buckets seen in fewer messages are dropped.
    pub min_count: u32,
    /// Cost of an error on a message of weight 1 (C); larger fits closer.
    pub cost: f64,
    /// Most passes over the data.
    pub passes: usize,
    /// Sets to train on.
    #[serde(default)]
    pub data: Vec<TrainData>,
}

/// One set to train on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainData {
    /// Name of the set.
    pub set: String,
    /// Licence as its publisher states it.
    pub licence: String,
    /// A `.jsonl` file or a folder of them, relative to the configuration file.
    pub path: String,
    /// Weight of each message.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}
