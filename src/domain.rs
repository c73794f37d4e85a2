//! Owns the nouns of the product: what comes in, what is found, what is advised.
//! Knows nothing of files, HTTP, JSON shapes or how a finding is made.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What a client calls its ticket; returned exactly as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DocumentId {
    /// A string identifier.
    Text(String),
    /// An integer identifier.
    Number(i64),
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Author {
    /// The customer: the message is scored.
    #[default]
    Customer,
    /// An agent of the company.
    Agent,
}

/// How a message reached the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Electronic mail.
    Email,
    /// Live chat or a messenger.
    Chat,
    /// A public post on a social network.
    Social,
    /// A public review.
    Review,
    /// A telephone call (as a transcript).
    Phone,
    /// A conversation face to face (as a note).
    InPerson,
    /// A web form.
    Form,
    /// Anything else.
    Other,
}

impl Channel {
    /// Every channel with its name on the wire.
    pub const ALL: [(&'static str, Self); 8] = [
        ("email", Self::Email),
        ("chat", Self::Chat),
        ("social", Self::Social),
        ("review", Self::Review),
        ("phone", Self::Phone),
        ("in_person", Self::InPerson),
        ("form", Self::Form),
        ("other", Self::Other),
    ];

    /// The channel of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, c)| *c == self).map_or("other", |(n, _)| n)
    }
}

/// What the helpdesk knows about a ticket beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metadata {
    /// How often the customer has written about this before.
    pub previous_contacts: u32,
    /// How often the ticket was reopened.
    pub reopened: u32,
    /// Hours since the customer's first unanswered message, not negative.
    pub hours_waiting: f64,
    /// The customer is marked as important.
    pub vip: bool,
}

/// One message to be scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The client's name for it.
    pub id: DocumentId,
    /// The text as the customer wrote it, quoted mail and signature included.
    pub text: String,
    /// The language tag the client stated; `None` means detect.
    pub language: Option<String>,
    /// How it came in, if known.
    pub channel: Option<Channel>,
    /// Who wrote it.
    pub author: Author,
    /// What the helpdesk knows beside the text.
    pub metadata: Metadata,
}

impl Message {
    /// A customer's message with nothing known but its text.
    #[must_use]
    pub fn new(id: DocumentId, text: impl Into<String>) -> Self {
        Self {
            id,
            text: text.into(),
            language: None,
            channel: None,
            author: Author::Customer,
            metadata: Metadata::default(),
        }
    }
}

/// Where a language decision came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LanguageSource {
    /// The client named it.
    Stated,
    /// It was recognised in the text.
    Detected,
    /// The text gave no evidence; the default pack serves.
    Default,
}

/// The language a message is read in.
#[derive(Debug, Clone, PartialEq)]
pub struct LanguageGuess {
    /// Tag of the pack that serves it (`es`, `zh-Hant`).
    pub tag: String,
    /// 0…1; 1 for a stated language, 0 when there was no evidence.
    pub confidence: f64,
    /// Who decided.
    pub source: LanguageSource,
    /// Tag of a second language that the message mixes in, or may be written in instead: its cues
    /// are looked for too.
    pub also: Option<String>,
}

/// The three stances of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stance {
    /// An unmet expectation, however calmly told.
    Negative,
    /// A question, a fact or a request where nothing went wrong.
    Neutral,
    /// Thanks, praise, relief.
    Positive,
}

impl Stance {
    /// All three, in the order every model's probabilities are kept in.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }

    /// The stance of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// Probabilities of the three stances; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentiment {
    /// Negative, neutral, positive, each 0…1.
    pub probabilities: [f64; 3],
}

impl Sentiment {
    /// The most probable stance; the graver one wins a tie.
    #[must_use]
    pub fn label(&self) -> Stance {
        let [negative, neutral, positive] = self.probabilities;
        if negative >= neutral && negative >= positive {
            Stance::Negative
        } else if neutral >= positive {
            Stance::Neutral
        } else {
            Stance::Positive
        }
    }

    /// Positive minus negative probability, −1…1.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.probabilities[2] - self.probabilities[0]
    }
}

/// How angry the author is.
#[derive(Debug, Clone, PartialEq)]
pub struct Anger {
    /// 0 none, 1 mild, 2 clear, 3 rage.
    pub level: u8,
    /// Probability of clear anger or more, 0…1.
    pub score: f64,
    /// The parts of the sum that decides the level, in the order of the weights in `policy.toml`.
    pub parts: Vec<AngerPart>,
}

/// One part of the sum that decides the level of anger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AngerPart {
    /// Name of the weight in `policy.toml`.
    pub name: &'static str,
    /// What it adds; the bounds of the levels are on the same scale.
    pub value: f64,
}

/// What a model says of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelScores {
    /// The three stances.
    pub sentiment: Sentiment,
    /// Probability of anger levels 0…3, if the model has that head; sums to 1.
    pub anger: Option<[f64; 4]>,
    /// Probability that the ticket deserves «high» or «urgent», if the model has that head.
    pub escalation: Option<f64>,
    /// Probability per cue, in the order of [`ModelId::cues`], if the model has those heads.
    pub cues: Vec<f64>,
    /// Characters of the text the model saw.
    pub characters: usize,
}

/// Which model answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelId {
    /// Its name, the folder under `models/sentiment`.
    pub id: String,
    /// First 12 hexadecimal digits of the SHA-256 of its weights.
    pub revision: String,
    /// The cues it has a soft head for, in the order of [`ModelScores::cues`].
    pub cues: Vec<String>,
}

/// Why a cue that nearly fired was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suppression {
    /// The author denies it.
    Negated,
    /// The author asks about it or imagines it.
    Hypothetical,
    /// Somebody else says it, or it lies in the past and is settled.
    Reported,
    /// It stands in quoted mail, a signature or quotation marks.
    Quoted,
    /// An exception of the data applies: praise, a product's name.
    Excepted,
}

impl Suppression {
    /// Every reason with its name on the wire and in `scope.toml`.
    pub const ALL: [(&'static str, Self); 5] = [
        ("negated", Self::Negated),
        ("hypothetical", Self::Hypothetical),
        ("reported", Self::Reported),
        ("quoted", Self::Quoted),
        ("excepted", Self::Excepted),
    ];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, s)| *s == self).map_or("", |(n, _)| n)
    }

    /// The reason of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, s)| *s)
    }
}

/// A cue found in the author's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CueHit {
    /// Cue id of `models/cues.toml`.
    pub cue: Arc<str>,
    /// Rule id: `language/cue/number`.
    pub rule: Arc<str>,
    /// Bytes of the original text.
    pub span: Range<usize>,
    /// Strength 1…3 where the rule states one (anger), else 0.
    pub level: u8,
    /// A further signal the rule raises (`danger`), if any.
    pub signal: Option<Arc<str>>,
}

/// A cue that nearly fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// What would have been given.
    pub hit: CueHit,
    /// Why it was not.
    pub reason: Suppression,
}

/// How urgent a ticket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Neutral question, thanks, praise, noise.
    Low,
    /// Ordinary complaint or problem.
    Normal,
    /// Somebody with authority should answer soon.
    High,
    /// Now.
    Urgent,
}

impl Level {
    /// All levels, least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Urgent];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// The level of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }
}

/// One reason for a priority.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Signal id of `models/policy.toml`.
    pub signal: String,
    /// Points it added.
    pub points: f64,
}

/// Level, score and the reasons for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Priority {
    /// The level.
    pub level: Level,
    /// 0…100, monotone in level.
    pub score: f64,
    /// Greatest first.
    pub reasons: Vec<Reason>,
}

/// What the priority would be without one piece of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterfactual {
    /// Index into [`Analysis::cues`] of the evidence taken away.
    pub cue: usize,
    /// Priority without it.
    pub level: Level,
    /// Score without it.
    pub score: f64,
}

/// A sentence an agent can send, in the language it is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Tag of its language.
    pub language: String,
    /// The sentence, slots in braces.
    pub text: String,
}

/// One step of advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// Step id (`rsv-respond`).
    pub id: String,
    /// Playbook it belongs to (`resolved`).
    pub playbook: String,
    /// Short title in the agent's language.
    pub title: String,
    /// What to do, in the agent's language.
    pub do_: Vec<String>,
    /// What to avoid, in the agent's language.
    pub avoid: Vec<String>,
    /// What to say, in the customer's language.
    pub phrases: Vec<Phrase>,
    /// Signals that called for it.
    pub because: Vec<String>,
    /// When it is due, as an ISO 8601 duration.
    pub due: Option<String>,
}

/// Everything known about one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Language it was read in.
    pub language: LanguageGuess,
    /// Stance of the author.
    pub sentiment: Sentiment,
    /// Anger of the author.
    pub anger: Anger,
    /// Cues performed by the author, in order of position.
    pub cues: Vec<CueHit>,
    /// Cues that nearly fired, in order of position.
    pub suppressed: Vec<Suppressed>,
    /// Level and reasons.
    pub priority: Priority,
    /// Evidence whose absence would lower the level.
    pub counterfactuals: Vec<Counterfactual>,
    /// Estimated probability of escalation, 0…1.
    pub escalation: f64,
    /// `escalation` was fitted to outcomes.
    pub calibrated: bool,
    /// Advice, first step first.
    pub strategies: Vec<Strategy>,
    /// The model did not see all of the author's words.
    pub truncated: bool,
    /// Characters of the text that were scored.
    pub characters_scored: usize,
}
