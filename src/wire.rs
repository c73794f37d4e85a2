//! Owns the JSON shapes of documents and results, the same for HTTP and for archives.
//! Knows the contract's names and the nouns they stand for, not how either travels.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::{Analysis, Author, Channel, DocumentId, LanguageSource, Message, Metadata, Strategy};
use crate::engine::{MessageError, Provenance};

/// In which unit `start` and `end` are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetUnit {
    /// Unicode code points (Python).
    #[default]
    Codepoint,
    /// Bytes of UTF-8 (Rust, Go).
    Utf8,
    /// Code units of UTF-16 (JavaScript, Java).
    Utf16,
}

/// An id as the client gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IdView {
    /// An integer.
    Number(i64),
    /// A string.
    Text(String),
}

impl From<DocumentId> for IdView {
    fn from(id: DocumentId) -> Self {
        match id {
            DocumentId::Text(text) => Self::Text(text),
            DocumentId::Number(number) => Self::Number(number),
        }
    }
}

impl From<IdView> for DocumentId {
    fn from(id: IdView) -> Self {
        match id {
            IdView::Text(text) => Self::Text(text),
            IdView::Number(number) => Self::Number(number),
        }
    }
}

/// A document that cannot be a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct DocumentError {
    /// The field, as a path below the document (`metadata/vip`).
    pub field: String,
    /// What is wrong and what is expected.
    pub what: String,
}

/// Keys that a document may have.
pub const DOCUMENT_KEYS: [&str; 9] =
    ["id", "text", "subject", "language", "channel", "author", "created_at", "customer_id", "metadata"];
const METADATA_KEYS: [&str; 4] = ["previous_contacts", "reopened", "hours_waiting", "vip"];

/// Reads one document. Unknown keys are refused when `strict`, passed by when not; `index` names
/// a document without an id.
///
/// # Errors
/// Every field that is missing, unknown or of the wrong type.
pub fn message(value: &serde_json::Value, index: usize, strict: bool) -> Result<Message, Vec<DocumentError>> {
    let mut errors = Vec::new();
    let Some(object) = value.as_object() else {
        return Err(vec![DocumentError {
            field: String::new(),
            what: format!("a document is an object, not {}", kind(value)),
        }]);
    };
    let mut field = Field { errors: &mut errors };
    if strict {
        field.unknown(object, &DOCUMENT_KEYS, "");
    }
    let get = |name: &str| object.get(name).filter(|v| !v.is_null());
    let id = match get("id") {
        None => DocumentId::Text(index.to_string()),
        Some(serde_json::Value::String(text)) => DocumentId::Text(text.clone()),
        Some(v) => match v.as_i64() {
            Some(number) => DocumentId::Number(number),
            None => field.wrong("id", v, "a string or an integer").unwrap_or(DocumentId::Text(index.to_string())),
        },
    };
    let text = match get("text") {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(v) => field.wrong("text", v, "a string"),
        None => field.refuse("text", "is required: the message as the customer wrote it"),
    };
    for name in ["subject", "customer_id"] {
        if let Some(v) = get(name).filter(|v| !v.is_string()) {
            field.wrong::<()>(name, v, "a string");
        }
    }
    let language = field.string(get("language"), "language");
    let channel = field.string(get("channel"), "channel").and_then(|name| match Channel::parse(&name) {
        None => {
            let known = Channel::ALL.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ");
            field.refuse("channel", &format!("{:?} is none of {known}", start(&name)))
        }
        found => found,
    });
    let author = match field.string(get("author"), "author").as_deref() {
        None | Some("customer") => Author::Customer,
        Some("agent") => Author::Agent,
        Some(other) => field
            .refuse("author", &format!("{:?} is neither customer nor agent", start(other)))
            .unwrap_or(Author::Customer),
    };
    if let Some(time) = field.string(get("created_at"), "created_at")
        && time.parse::<jiff::Timestamp>().is_err()
        && strict
    {
        field.refuse::<()>(
            "created_at",
            &format!("{:?} is no RFC 3339 time such as 2026-01-31T10:00:00Z", start(&time)),
        );
    }
    let metadata = metadata(get("metadata"), strict, &mut field);
    match text {
        Some(text) if errors.is_empty() => Ok(Message { id, text, language, channel, author, metadata }),
        _ => Err(errors),
    }
}

fn metadata(value: Option<&serde_json::Value>, strict: bool, field: &mut Field<'_>) -> Metadata {
    let Some(value) = value else { return Metadata::default() };
    let Some(object) = value.as_object() else {
        field.wrong::<()>("metadata", value, "an object");
        return Metadata::default();
    };
    if strict {
        field.unknown(object, &METADATA_KEYS, "metadata/");
    }
    let get = |name: &str| object.get(name).filter(|v| !v.is_null());
    let mut count = |name: &str| match get(name) {
        None => 0,
        Some(v) => match v.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) => n,
            None => field.wrong(&format!("metadata/{name}"), v, "a whole number, 0 or more").unwrap_or(0),
        },
    };
    let previous_contacts = count("previous_contacts");
    let reopened = count("reopened");
    let hours_waiting = match get("hours_waiting") {
        None => 0.0,
        Some(v) => match v.as_f64().filter(|h| *h >= 0.0) {
            Some(hours) => hours,
            None => field.wrong("metadata/hours_waiting", v, "a number of hours, 0 or more").unwrap_or(0.0),
        },
    };
    let vip = match get("vip") {
        None => false,
        Some(serde_json::Value::Bool(vip)) => *vip,
        Some(v) => field.wrong("metadata/vip", v, "true or false").unwrap_or(false),
    };
    Metadata { previous_contacts, reopened, hours_waiting, vip }
}

struct Field<'a> {
    errors: &'a mut Vec<DocumentError>,
}

impl Field<'_> {
    fn refuse<T>(&mut self, field: &str, what: &str) -> Option<T> {
        self.errors.push(DocumentError { field: field.to_owned(), what: what.to_owned() });
        None
    }

    fn wrong<T>(&mut self, field: &str, value: &serde_json::Value, expected: &str) -> Option<T> {
        self.refuse(field, &format!("expected {expected}, found {}", kind(value)))
    }

    fn string(&mut self, value: Option<&serde_json::Value>, field: &str) -> Option<String> {
        match value? {
            serde_json::Value::String(text) => Some(text.clone()),
            v => self.wrong(field, v, "a string"),
        }
    }

    fn unknown(&mut self, object: &serde_json::Map<String, serde_json::Value>, known: &[&str], prefix: &str) {
        for key in object.keys().filter(|k| !known.contains(&k.as_str())) {
            self.refuse::<()>(&format!("{prefix}{key}"), &format!("unknown key; known: {}", known.join(", ")));
        }
    }
}

/// As much of a wrong value as an error message quotes: it may be anything.
fn start(value: &str) -> String {
    value.chars().take(20).collect()
}

/// The JSON type of a value, for error messages.
#[must_use]
pub fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}

/// A result (contract §4).
#[derive(Debug, Clone, Serialize)]
pub struct ResultView {
    /// The document's id.
    pub id: IdView,
    /// Its position in the request.
    pub index: usize,
    language: LanguageView,
    sentiment: SentimentView,
    anger: AngerView,
    cues: Vec<CueView>,
    priority: PriorityView,
    escalation: EscalationView,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategies: Option<Vec<StrategyView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Vec<SuppressedView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterfactuals: Option<Vec<CounterfactualView>>,
    truncated: bool,
    characters_scored: usize,
}

#[derive(Debug, Clone, Serialize)]
struct LanguageView {
    code: String,
    confidence: f64,
    source: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct SentimentView {
    label: &'static str,
    score: f64,
    probabilities: ProbabilitiesView,
}

#[derive(Debug, Clone, Serialize)]
struct ProbabilitiesView {
    negative: f64,
    neutral: f64,
    positive: f64,
}

#[derive(Debug, Clone, Serialize)]
struct AngerView {
    level: u8,
    score: f64,
    /// With `explain`: what adds up to the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<BTreeMap<&'static str, f64>>,
}

#[derive(Debug, Clone, Serialize)]
struct CueView {
    cue: String,
    rule: String,
    start: usize,
    end: usize,
    text: String,
}

#[derive(Debug, Clone, Serialize)]
struct SuppressedView {
    cue: String,
    rule: String,
    start: usize,
    end: usize,
    text: String,
    reason: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct CounterfactualView {
    cue: String,
    start: usize,
    end: usize,
    level: &'static str,
    score: f64,
}

#[derive(Debug, Clone, Serialize)]
struct PriorityView {
    level: &'static str,
    score: f64,
    reasons: Vec<ReasonView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Serialize)]
struct ReasonView {
    signal: String,
    points: f64,
}

#[derive(Debug, Clone, Serialize)]
struct EscalationView {
    score: f64,
    calibrated: bool,
}

#[derive(Debug, Clone, Serialize)]
struct StrategyView {
    id: String,
    playbook: String,
    title: String,
    #[serde(rename = "do")]
    do_: Vec<String>,
    avoid: Vec<String>,
    phrases: Vec<PhraseView>,
    because: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct PhraseView {
    language: String,
    text: String,
}

/// How results are to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Unit of spans.
    pub unit: OffsetUnit,
    /// With near misses and counterfactuals.
    pub explain: bool,
    /// With strategies.
    pub strategies: bool,
    /// Helpdesk whose own priority is added.
    pub helpdesk: Option<Helpdesk>,
}

/// Helpdesks whose priority scale is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Helpdesk {
    /// Zendesk: low, normal, high, urgent.
    Zendesk,
    /// Freshdesk: 1 to 4.
    Freshdesk,
    /// Chatwoot: low, medium, high, urgent.
    Chatwoot,
    /// Zammad: 1 low, 2 normal, 3 high.
    Zammad,
    /// Frappe Helpdesk: Low, Medium, High, Urgent.
    Frappe,
    /// Jira: Low, Medium, High, Highest.
    Jira,
    /// `ServiceNow`: 1 critical to 4 low.
    ServiceNow,
}

impl Helpdesk {
    /// The helpdesk's own name or number for a level.
    fn priority(self, level: crate::domain::Level) -> serde_json::Value {
        use crate::domain::Level::{High, Low, Normal, Urgent};
        let names = |low: &'static str, normal: &'static str, high: &'static str, urgent: &'static str| match level {
            Low => low,
            Normal => normal,
            High => high,
            Urgent => urgent,
        };
        match self {
            Self::Zendesk => names("low", "normal", "high", "urgent").into(),
            Self::Freshdesk => (level as u8 + 1).into(),
            Self::Chatwoot => names("low", "medium", "high", "urgent").into(),
            Self::Zammad => names("1 low", "2 normal", "3 high", "3 high").into(),
            Self::Frappe => names("Low", "Medium", "High", "Urgent").into(),
            Self::Jira => names("Low", "Medium", "High", "Highest").into(),
            Self::ServiceNow => (4 - level as u8).into(),
        }
    }
}

/// Shows the analysis of a message.
#[must_use]
pub fn result(message: &Message, index: usize, analysis: Analysis, style: &Style) -> ResultView {
    let text = message.text.as_str();
    let mut spans = Offsets::new(text, style.unit);
    let slice = |span: &Range<usize>| text.get(span.clone()).unwrap_or_default().to_owned();
    let cues: Vec<CueView> = analysis
        .cues
        .iter()
        .map(|h| {
            let (start, end) = spans.of(&h.span);
            CueView { cue: h.cue.to_string(), rule: h.rule.to_string(), start, end, text: slice(&h.span) }
        })
        .collect();
    let counterfactuals = analysis
        .counterfactuals
        .iter()
        .filter_map(|c| {
            let cue = cues.get(c.cue)?;
            Some(CounterfactualView {
                cue: String::from(&*cue.cue),
                start: cue.start,
                end: cue.end,
                level: c.level.name(),
                score: c.score,
            })
        })
        .collect();
    let suppressed = analysis
        .suppressed
        .into_iter()
        .map(|s| {
            let (start, end) = spans.of(&s.hit.span);
            SuppressedView {
                cue: s.hit.cue.to_string(),
                rule: s.hit.rule.to_string(),
                start,
                end,
                text: slice(&s.hit.span),
                reason: s.reason.name(),
            }
        })
        .collect();
    let [negative, neutral, positive] = rounded(analysis.sentiment.probabilities);
    ResultView {
        id: message.id.clone().into(),
        index,
        language: LanguageView {
            code: analysis.language.tag,
            confidence: round(analysis.language.confidence),
            source: match analysis.language.source {
                LanguageSource::Stated => "stated",
                LanguageSource::Detected => "detected",
                LanguageSource::Default => "default",
            },
        },
        sentiment: SentimentView {
            label: analysis.sentiment.label().name(),
            score: round(positive - negative),
            probabilities: ProbabilitiesView { negative, neutral, positive },
        },
        anger: AngerView {
            level: analysis.anger.level,
            score: round(analysis.anger.score),
            parts: style.explain.then(|| analysis.anger.parts.iter().map(|p| (p.name, round(p.value))).collect()),
        },
        cues,
        priority: PriorityView {
            level: analysis.priority.level.name(),
            score: analysis.priority.score,
            external: style.helpdesk.map(|h| h.priority(analysis.priority.level)),
            reasons: analysis
                .priority
                .reasons
                .into_iter()
                .map(|r| ReasonView { signal: r.signal, points: r.points })
                .collect(),
        },
        escalation: EscalationView { score: round(analysis.escalation), calibrated: analysis.calibrated },
        strategies: style.strategies.then(|| analysis.strategies.into_iter().map(strategy).collect()),
        suppressed: style.explain.then_some(suppressed),
        counterfactuals: style.explain.then_some(counterfactuals),
        truncated: analysis.truncated,
        characters_scored: analysis.characters_scored,
    }
}

fn strategy(s: Strategy) -> StrategyView {
    StrategyView {
        id: s.id,
        playbook: s.playbook,
        title: s.title,
        do_: s.do_,
        avoid: s.avoid,
        phrases: s.phrases.into_iter().map(|p| PhraseView { language: p.language, text: p.text }).collect(),
        because: s.because,
        due: s.due,
    }
}

/// Four decimals.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Four decimals each that still sum to 1: the largest takes what rounding left.
fn rounded(p: [f64; 3]) -> [f64; 3] {
    let [mut a, mut b, mut c] = p.map(round);
    let rest = 1.0 - (a + b + c);
    if a >= b && a >= c {
        a = round(a + rest);
    } else if b >= c {
        b = round(b + rest);
    } else {
        c = round(c + rest);
    }
    [a, b, c]
}

/// Converts byte offsets, which mostly rise, to another unit in one pass.
struct Offsets<'a> {
    text: &'a str,
    unit: OffsetUnit,
    byte: usize,
    units: usize,
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str, unit: OffsetUnit) -> Self {
        Self { text, unit, byte: 0, units: 0 }
    }

    fn of(&mut self, span: &Range<usize>) -> (usize, usize) {
        (self.at(span.start), self.at(span.end))
    }

    fn at(&mut self, byte: usize) -> usize {
        if self.unit == OffsetUnit::Utf8 {
            return byte;
        }
        let count = |text: &str| match self.unit {
            OffsetUnit::Utf16 => text.chars().map(char::len_utf16).sum::<usize>(),
            _ => text.chars().count(),
        };
        if byte >= self.byte {
            self.units += count(self.text.get(self.byte..byte).unwrap_or_default());
        } else {
            self.units -= count(self.text.get(byte..self.byte).unwrap_or_default());
        }
        self.byte = byte;
        self.units
    }
}

/// One message that could not be scored.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorView {
    /// The document's id.
    pub id: IdView,
    /// Its position in the request.
    pub index: usize,
    /// Stable code.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl ErrorView {
    /// Shows why a message has no result.
    #[must_use]
    pub fn new(message: &Message, index: usize, error: &MessageError) -> Self {
        Self { id: message.id.clone().into(), index, code: error.code(), message: error.to_string() }
    }
}

/// What an answer depends on beside the text.
#[derive(Debug, Clone, Serialize)]
pub struct ProvenanceView {
    version: String,
    model: ModelView,
    packs: String,
    policy: String,
}

#[derive(Debug, Clone, Serialize)]
struct ModelView {
    id: String,
    revision: String,
}

impl From<Provenance> for ProvenanceView {
    fn from(p: Provenance) -> Self {
        Self {
            version: p.version,
            model: ModelView { id: p.model.id, revision: p.model.revision },
            packs: p.packs,
            policy: p.policy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_read_strictly() {
        let full = json!({"id": 7, "text": "hi", "subject": "s", "language": "es", "channel": "email", "author": "agent",
            "created_at": "2026-01-31T10:00:00Z", "customer_id": "c", "metadata": {"previous_contacts": 2, "hours_waiting": 30.5, "vip": true}});
        let read = message(&full, 0, true).unwrap();
        assert_eq!(read.id, DocumentId::Number(7));
        assert_eq!(read.metadata.previous_contacts, 2);
        assert_eq!(message(&json!({"text": "hi"}), 3, true).unwrap().id, DocumentId::Text("3".into()));
        for (document, field) in [
            (json!({}), "text"),
            (json!({"text": 1}), "text"),
            (json!({"text": "a", "id": 1.5}), "id"),
            (json!({"text": "a", "nope": 1}), "nope"),
            (json!({"text": "a", "channel": "fax"}), "channel"),
            (json!({"text": "a", "author": "bot"}), "author"),
            (json!({"text": "a", "created_at": "yesterday"}), "created_at"),
            (json!({"text": "a", "metadata": {"vip": "yes"}}), "metadata/vip"),
            (json!({"text": "a", "metadata": {"reopened": -1}}), "metadata/reopened"),
            (json!({"text": "a", "metadata": {"x": 1}}), "metadata/x"),
            (json!("text"), ""),
        ] {
            let errors = message(&document, 0, true).unwrap_err();
            assert_eq!(errors[0].field, field, "{document}");
        }
        assert!(message(&json!({"text": "a", "nope": 1}), 0, false).is_ok());
    }

    #[test]
    fn offsets_convert_in_both_directions() {
        let text = "añ😀b";
        for (unit, expected) in
            [(OffsetUnit::Codepoint, [1, 2, 3, 4]), (OffsetUnit::Utf16, [1, 2, 4, 5]), (OffsetUnit::Utf8, [1, 3, 7, 8])]
        {
            let mut offsets = Offsets::new(text, unit);
            assert_eq!([1, 3, 7, 8].map(|b| offsets.at(b)), expected);
            assert_eq!(offsets.at(1), expected[0]);
        }
    }

    #[test]
    fn rounded_probabilities_sum_to_one() {
        for p in [[1.0 / 3.0; 3], [0.123_45, 0.234_56, 0.641_99], [0.99999, 0.000_005, 0.000_005]] {
            assert!((rounded(p).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
