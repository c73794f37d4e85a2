//! Owns the one composition of everything: a batch of messages in, an analysis each out.
//! Knows every part and no front door; the same text has the same answer in every batch.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::anger;
use crate::consult::{Words, consult};
use crate::cues::{self, Lexicon, Reading};
use crate::domain::{
    Analysis, Anger, Author, Counterfactual, CueHit, LanguageGuess, LanguageSource, Message, ModelId, ModelScores,
    Priority, Sentiment, Suppressed,
};
use crate::language::{self, Recogniser};
use crate::packs::{self, Finding, PackError, Packs, Severity, Source};
use crate::playbook::{self, Reader};
use crate::priority::{self, Facts};
use crate::sentiment::{self, Backend, BackendError, Input};
use crate::stance;
use crate::text::{Intensity, MailMarkers, Normalised, OwnWords, columns, normalise, separate};

/// Characters of a message that are read; what is longer is marked as truncated.
pub const MAX_CHARACTERS: usize = 100_000;
/// Name of the model that is always there.
pub const BUILT_IN_MODEL: &str = "compact";

/// How an engine is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the data comes from.
    pub source: Source,
    /// Threads of a batch; 0 for one per core.
    pub threads: usize,
    /// Name of the model; empty for the built-in one.
    pub model: String,
}

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Files that are missing or do not have their shape.
    #[error("{}", lines(.0))]
    Packs(Vec<PackError>),
    /// Data that breaks a rule, or rules whose examples fail.
    #[error("{}", lines(.0))]
    Findings(Vec<Finding>),
    /// The model.
    #[error("model: {0}")]
    Model(#[from] BackendError),
    /// The threads could not be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

fn lines<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Why one message has no analysis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// There is nothing to read.
    #[error("the text is empty")]
    Empty,
    /// No pack serves the stated language.
    #[error("no language pack serves {tag:?}; loaded: {loaded}")]
    Language {
        /// The stated tag, at most its first 20 characters: it may be anything.
        tag: String,
        /// Tags that are served.
        loaded: String,
    },
    /// The rules of the language cannot be used.
    #[error("the language pack cannot be used, see `defuse check`: {0}")]
    Pack(String),
    /// The model failed on the batch.
    #[error("the model could not answer: {0}")]
    Model(String),
}

impl MessageError {
    /// The code of the error in answers and error records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_text",
            Self::Language { .. } => "unsupported_language",
            Self::Pack(_) => "pack_failed",
            Self::Model(_) => "model_failed",
        }
    }
}

/// What is wanted beside the scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Near misses and counterfactuals.
    pub explain: bool,
    /// Advice.
    pub strategies: bool,
    /// Tag of the language the agent reads.
    pub guidance_language: String,
}

impl Default for Request {
    fn default() -> Self {
        Self { explain: false, strategies: true, guidance_language: "en".to_owned() }
    }
}

/// What an answer depends on beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// The model.
    pub model: ModelId,
    /// Revision of the data but for policy and model.
    pub packs: String,
    /// Revision of the policy.
    pub policy: String,
}

/// Everything that is needed to analyse messages, immutable and shared between threads.
pub struct Engine {
    packs: Packs,
    /// Compiled when a language is first met, by the tag of the language that owns the rules.
    lexicons: BTreeMap<String, OnceLock<Result<Lexicon, String>>>,
    recogniser: Recogniser,
    markers: MailMarkers,
    backend: Box<dyn Backend>,
    pool: rayon::ThreadPool,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("provenance", &self.provenance()).finish_non_exhaustive()
    }
}

/// A message on its way: everything but what the model says.
struct Prepared<'a> {
    message: &'a Message,
    language: LanguageGuess,
    reading: Reading,
    intensity: Intensity,
    /// Where the author's own words stand in the text.
    parts: Vec<Range<usize>>,
    /// These words as written, and in normal form.
    own: String,
    own_normal: String,
    characters: usize,
    truncated: bool,
}

impl Engine {
    /// Loads, checks and compiles all data and opens the model.
    ///
    /// # Errors
    /// Files that are missing or damaged, data that breaks a rule, a rule whose example fails.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let packs = Packs::load(&options.source).map_err(OpenError::Packs)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .thread_name(|n| format!("engine-{n}"))
            .build()?;
        let mut errors = packs::check(&packs);
        let lexicons = if options.source == Source::Embedded {
            // The tests that this binary was built from have proven its data; compiling it can wait.
            owners(&packs).map(|tag| (tag, OnceLock::new())).collect()
        } else {
            let (lexicons, findings) = pool.install(|| prepare_languages(&packs));
            errors.extend(findings);
            lexicons.into_iter().map(|(tag, lexicon)| (tag, OnceLock::from(Ok(lexicon)))).collect()
        };
        errors.retain(|f| f.severity == Severity::Error);
        if !errors.is_empty() {
            return Err(OpenError::Findings(errors));
        }
        let model = if options.model.is_empty() { BUILT_IN_MODEL } else { &options.model };
        let backend = sentiment::open(&packs, model)?;
        let recogniser = Recogniser::new(&packs);
        Ok(Self { markers: markers(&packs), packs, lexicons, recogniser, backend, pool })
    }

    /// The loaded data.
    #[must_use]
    pub fn packs(&self) -> &Packs {
        &self.packs
    }

    /// Compiles every language that no message has needed yet, so that none has to wait for it.
    pub fn warm_up(&self) {
        self.pool.install(|| {
            self.lexicons.keys().collect::<Vec<_>>().into_par_iter().for_each(|tag| {
                let _ = self.lexicon(tag);
            });
        });
    }

    /// The compiled rules that serve a language; `None` if it has none.
    fn lexicon(&self, tag: &str) -> Result<Option<&Lexicon>, MessageError> {
        let extends = self.packs.languages.get(tag).and_then(|l| l.spec.extends.as_deref());
        let owner = extends.unwrap_or(tag);
        let (Some(slot), Some(language)) = (self.lexicons.get(owner), self.packs.languages.get(owner)) else {
            return Ok(None);
        };
        let compiled = slot.get_or_init(|| Lexicon::compile(language, &self.packs.cues).map_err(|f| lines(&f)));
        compiled.as_ref().map(Some).map_err(|what| MessageError::Pack(what.clone()))
    }

    /// What an answer depends on beside the text.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: self.backend.id().clone(),
            packs: self.packs.revision.clone(),
            policy: self.packs.policy_revision.clone(),
        }
    }

    /// Threads that a batch is spread over.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Analyses one message: a batch of one.
    ///
    /// # Errors
    /// As for each message of [`Self::analyze_batch`].
    pub fn analyze(&self, message: &Message, request: &Request) -> Result<Analysis, MessageError> {
        let mut results = self.analyze_batch(std::slice::from_ref(message), request);
        results.pop().unwrap_or(Err(MessageError::Empty))
    }

    /// Analyses messages in parallel; the results are in their order.
    pub fn analyze_batch(&self, messages: &[Message], request: &Request) -> Vec<Result<Analysis, MessageError>> {
        self.pool
            .install(|| messages.par_chunks(CHUNK).flat_map_iter(|chunk| self.analyze_chunk(chunk, request)).collect())
    }

    fn analyze_chunk(&self, messages: &[Message], request: &Request) -> Vec<Result<Analysis, MessageError>> {
        let prepared: Vec<Result<Prepared<'_>, MessageError>> = messages.iter().map(|m| self.prepare(m)).collect();
        let inputs: Vec<Input<'_>> =
            prepared.iter().flatten().map(|p| Input { original: &p.own, normal: &p.own_normal }).collect();
        let scores = self.backend.score(&inputs);
        let mut scores = match scores {
            Ok(scores) => Ok(scores.into_iter()),
            Err(e) => Err(MessageError::Model(e.to_string())),
        };
        prepared
            .into_iter()
            .map(|prepared| {
                let prepared = prepared?;
                let score = match &mut scores {
                    Ok(scores) => scores
                        .next()
                        .ok_or_else(|| MessageError::Model("it answered for fewer texts than asked".to_owned()))?,
                    Err(e) => return Err(e.clone()),
                };
                Ok(self.compose(prepared, &score, request))
            })
            .collect()
    }

    fn prepare<'a>(&self, message: &'a Message) -> Result<Prepared<'a>, MessageError> {
        if message.text.trim().is_empty() {
            return Err(MessageError::Empty);
        }
        let (text, truncated) = match message.text.char_indices().nth(MAX_CHARACTERS) {
            Some((at, _)) => (message.text.get(..at).unwrap_or(&message.text), true),
            None => (message.text.as_str(), false),
        };
        let mut own = separate(text, &self.markers);
        if message.author == Author::Agent {
            own.own.clear();
        }
        let normal = normalise(text);
        let own_normal = own_in_normal_form(&normal, &own);
        let (own_text, own_normal_text) = (own.join(text), own_normal.join(&normal.text));
        let language = self.language(message, &own_text, &own_normal_text)?;
        let mut reading = Reading::default();
        for tag in [Some(&language.tag), language.also.as_ref()].into_iter().flatten() {
            if let Some(lexicon) = self.lexicon(tag)? {
                reading.join(lexicon.read(&normal, &own_normal));
            }
        }
        let intensity = Intensity::measure(text, &own.own);
        let characters = text.chars().count();
        Ok(Prepared {
            message,
            language,
            reading,
            intensity,
            parts: own.own,
            own: own_text,
            own_normal: own_normal_text,
            characters,
            truncated,
        })
    }

    fn language(&self, message: &Message, own: &str, own_normal: &str) -> Result<LanguageGuess, MessageError> {
        let Some(stated) = &message.language else { return Ok(self.recogniser.recognise(own, own_normal)) };
        let Some(language) = self.packs.resolve(stated) else {
            let loaded = self.packs.languages.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(MessageError::Language { tag: stated.chars().take(20).collect(), loaded });
        };
        // «zh» leaves the script open: the text decides.
        let open = !stated.contains(['-', '_']);
        let tag = if open { self.recogniser.script(language.tag.clone(), own) } else { language.tag.clone() };
        let also = self.recogniser.recognise(own, own_normal).also.filter(|also| *also != tag);
        Ok(LanguageGuess { tag, confidence: 1.0, source: LanguageSource::Stated, also })
    }

    fn compose(&self, prepared: Prepared<'_>, scores: &ModelScores, request: &Request) -> Analysis {
        let Prepared { message, language, mut reading, parts, own, intensity, characters, truncated, .. } = prepared;
        let bounds = &self.packs.policy.model;
        let enough = columns(&own) >= bounds.least_columns;
        if enough {
            let words = Words { text: &message.text, parts: &parts };
            consult(&mut reading, words, scores, self.backend.as_ref(), bounds);
        }
        let heads = if enough { self.backend.id().cues.as_slice() } else { &[] };
        let near = reading.suppressed.as_slice();
        let weigh = |cues: &[CueHit]| self.weigh(message, cues, near, &intensity, scores, heads);
        let Weighed { sentiment, anger, mut facts, priority } = weigh(&reading.hits);
        let counterfactuals =
            if request.explain { counterfactuals(&reading.hits, &priority, &weigh) } else { Vec::new() };
        facts.insert(format!("priority_{}", priority.level.name()));
        let strategies = if request.strategies {
            let agent = self.packs.resolve(&request.guidance_language).map_or("en", |l| l.tag.as_str());
            let reader = Reader { agent, customer: &language.tag, channel: message.channel };
            playbook::advise(&facts, &self.packs, &reader)
        } else {
            Vec::new()
        };
        let by_policy = priority.score / 100.0;
        let escalation = scores.escalation.map_or(by_policy, |model| f64::midpoint(by_policy, model));
        Analysis {
            language,
            sentiment,
            anger,
            cues: reading.hits,
            suppressed: if request.explain { reading.suppressed } else { Vec::new() },
            priority,
            counterfactuals,
            escalation,
            calibrated: false,
            strategies,
            truncated,
            characters_scored: characters,
        }
    }

    fn weigh(
        &self,
        message: &Message,
        cues: &[CueHit],
        near: &[Suppressed],
        intensity: &Intensity,
        scores: &ModelScores,
        heads: &[String],
    ) -> Weighed {
        let policy = &self.packs.policy;
        let sentiment = stance::weigh(&scores.sentiment, cues, near, &self.packs.cues, &policy.stance);
        let anger = anger::weigh(
            &anger::Evidence { cues, intensity, model: scores.anger, sentiment: &sentiment },
            &policy.anger,
        );
        let evidence = priority::Evidence {
            cues,
            stance: sentiment.label(),
            anger: anger.level,
            metadata: &message.metadata,
            channel: message.channel,
            model: scores,
            model_cues: heads,
        };
        let facts = priority::facts(&evidence, policy, &self.packs.cues);
        let priority = priority::prioritise(&facts, policy);
        Weighed { sentiment, anger, facts, priority }
    }
}

/// What the policy makes of the evidence.
struct Weighed {
    sentiment: Sentiment,
    anger: Anger,
    facts: Facts,
    priority: Priority,
}

/// Messages per call of the model: enough to batch, few enough to keep all threads busy.
const CHUNK: usize = 16;

/// The level without each piece of evidence, where it differs.
fn counterfactuals(hits: &[CueHit], priority: &Priority, weigh: &dyn Fn(&[CueHit]) -> Weighed) -> Vec<Counterfactual> {
    (0..hits.len().min(MOST_COUNTERFACTUALS))
        .filter_map(|cue| {
            let others: Vec<CueHit> =
                hits.iter().enumerate().filter(|(at, _)| *at != cue).map(|(_, h)| h.clone()).collect();
            let without = weigh(&others).priority;
            (without.level != priority.level).then_some(Counterfactual {
                cue,
                level: without.level,
                score: without.score,
            })
        })
        .collect()
}

/// Pieces of evidence that are tried one by one; keeps `explain` linear in the message.
const MOST_COUNTERFACTUALS: usize = 40;

/// The author's own stretches of the original, found again in the normal form.
fn own_in_normal_form(normal: &Normalised, own: &OwnWords) -> OwnWords {
    own.map(|span| normal.normal_span(span), normal.text.len())
}

fn markers(packs: &Packs) -> MailMarkers {
    let mut markers = MailMarkers::default();
    for language in packs.languages.values() {
        let mail = &language.spec.mail;
        markers.extend(&MailMarkers {
            quote_headers: mail.quote_headers.clone(),
            device_lines: mail.device_lines.clone(),
            closings: mail.closings.clone(),
            headers: mail.headers.clone(),
            footers: mail.footers.clone(),
        });
    }
    markers
}

/// Tags of the languages that have rules of their own.
fn owners(packs: &Packs) -> impl Iterator<Item = String> {
    packs.languages.values().filter(|l| l.spec.extends.is_none()).map(|l| l.tag.clone())
}

/// Compiles every language and runs its examples.
fn prepare_languages(packs: &Packs) -> (BTreeMap<String, Lexicon>, Vec<Finding>) {
    let languages: Vec<_> = packs.languages.values().filter(|l| l.spec.extends.is_none()).collect();
    let done: Vec<_> = languages
        .par_iter()
        .map(|language| match Lexicon::compile(language, &packs.cues) {
            Ok(lexicon) => {
                let findings = cues::prove(language, &lexicon);
                (language.tag.clone(), Some(lexicon), findings)
            }
            Err(findings) => (language.tag.clone(), None, findings),
        })
        .collect();
    let mut lexicons = BTreeMap::new();
    let mut all = Vec::new();
    for (tag, lexicon, findings) in done {
        all.extend(findings);
        lexicons.extend(lexicon.map(|lexicon| (tag, lexicon)));
    }
    (lexicons, all)
}

/// Loads and checks all data. Returns the packs, if they could be read at all, and every finding.
#[must_use]
pub fn check(source: &Source) -> (Option<Packs>, Vec<Finding>) {
    let packs = match Packs::load(source) {
        Ok(packs) => packs,
        Err(errors) => {
            let finding = |e: PackError| {
                let place = e.line.map_or(e.file.clone(), |line| format!("{}:{line}", e.file));
                Finding::error(place, e.what)
            };
            return (None, errors.into_iter().map(finding).collect());
        }
    };
    let mut findings = packs::check(&packs);
    findings.extend(prepare_languages(&packs).1);
    for language in packs.languages.values().filter(|l| !language::knows(&l.spec.iso639_3)) {
        let what =
            format!("iso639_3 {:?} is not known to the detector: only markers recognise it", language.spec.iso639_3);
        findings.push(Finding::warning(format!("languages/{}/language.toml", language.tag), what));
    }
    if let Err(e) = sentiment::open(&packs, BUILT_IN_MODEL) {
        findings.push(Finding::error("sentiment", e.to_string()));
    }
    (Some(packs), findings)
}
