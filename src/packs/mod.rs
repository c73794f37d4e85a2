//! Owns the data under `models/`: reading it, holding it unchanged, naming its version.
//! Knows the files' shapes (`schema`) and rules (`check`), never how the data is applied.

mod check;
pub mod schema;
mod source;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

pub(crate) use check::scopes;
pub use check::{Finding, Severity, check};
pub use source::{PackError, Source};

use schema::{CueTable, LanguageSpec, ModelSpec, PlaybookSpec, PolicySpec, RuleTable, ScopeTable, StepTexts};

/// Everything known of one language.
#[derive(Debug, Clone)]
pub struct Language {
    /// BCP 47 tag: the name of its folder.
    pub tag: String,
    /// What is true of the language as such.
    pub spec: LanguageSpec,
    /// Rules by cue, those of the language it extends first.
    pub rules: Vec<Rule>,
    /// Scope triggers.
    pub scope: ScopeTable,
    /// Words of the playbook steps.
    pub texts: StepTexts,
}

/// A rule with its id.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `language/cue/number`, counted from 1 in the file.
    pub id: String,
    /// Cue it gives.
    pub cue: String,
    /// What the file says.
    pub spec: schema::RuleSpec,
}

impl Language {
    /// Number of rules for a cue.
    #[must_use]
    pub fn rules_for(&self, cue: &str) -> usize {
        self.rules.iter().filter(|r| r.cue == cue).count()
    }

    /// First subtag: the language without script and region.
    #[must_use]
    pub fn primary(&self) -> &str {
        primary(&self.tag)
    }
}

/// First subtag of a BCP 47 tag.
#[must_use]
pub fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// A model's description and weights.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Name of its folder.
    pub name: String,
    /// What `model.toml` says.
    pub spec: ModelSpec,
    /// The weights.
    pub weights: std::borrow::Cow<'static, [u8]>,
}

/// All data, loaded and immutable.
#[derive(Debug, Clone)]
pub struct Packs {
    /// Every cue.
    pub cues: CueTable,
    /// Signals → points → level.
    pub policy: PolicySpec,
    /// Playbooks by id.
    pub playbooks: BTreeMap<String, PlaybookSpec>,
    /// Languages by tag, in order of the tag.
    pub languages: BTreeMap<String, Language>,
    /// First 12 hexadecimal digits of the SHA-256 over all data but policy and weights.
    pub revision: String,
    /// The same over the policy.
    pub policy_revision: String,
    source: Source,
}

impl Packs {
    /// Reads all data of a source.
    ///
    /// # Errors
    /// Every file that cannot be read or does not have its shape, with file and line.
    pub fn load(source: &Source) -> Result<Self, Vec<PackError>> {
        let mut errors = Vec::new();
        let mut digest = Sha256::new();
        let policy_text = source.text("policy.toml").map_err(|e| vec![e])?;
        let mut read = Reader { source, errors: &mut errors, digest: &mut digest };

        let cues: Option<CueTable> = read.toml("cues.toml");
        let mut playbooks = BTreeMap::new();
        for (id, path) in read.list("playbooks", ".toml") {
            if let Some(spec) = read.toml::<PlaybookSpec>(&path) {
                playbooks.insert(id, spec);
            }
        }
        let mut languages = BTreeMap::new();
        for tag in source.folders("languages") {
            if let Some(language) = read.language(&tag) {
                languages.insert(tag, language);
            }
        }
        let policy = source::parse::<PolicySpec>("policy.toml", &policy_text).map_err(|e| errors.push(e)).ok();
        extend(&mut languages, &mut errors);
        if languages.is_empty() && errors.is_empty() {
            errors.push(PackError::new(
                "languages",
                "no language found: a pack folder holds languages/<tag>/language.toml",
            ));
        }
        match (cues, policy) {
            (Some(cues), Some(policy)) if errors.is_empty() => Ok(Self {
                cues,
                policy,
                playbooks,
                languages,
                revision: short(&digest.finalize()),
                policy_revision: short(&Sha256::digest(policy_text.as_bytes())),
                source: source.clone(),
            }),
            _ => Err(errors),
        }
    }

    /// The pack that serves a stated tag: the tag itself, else the pack of the longest prefix,
    /// else one of the same primary language (RFC 4647 lookup). `None` if no pack serves it.
    #[must_use]
    pub fn resolve(&self, tag: &str) -> Option<&Language> {
        let wanted = tag.replace('_', "-");
        let mut prefix = wanted.as_str();
        loop {
            let found = self.languages.values().find(|l| l.tag.eq_ignore_ascii_case(prefix));
            if found.is_some() {
                return found;
            }
            match prefix.rsplit_once('-') {
                Some((shorter, _)) => prefix = shorter,
                None => break,
            }
        }
        let region_is_traditional =
            ["tw", "hk", "mo"].iter().any(|r| wanted.to_lowercase().ends_with(&format!("-{r}")));
        let mut same = self.languages.values().filter(|l| l.primary().eq_ignore_ascii_case(prefix));
        if region_is_traditional {
            return same.find(|l| l.tag.ends_with("Hant"));
        }
        same.next()
    }

    /// The weights and description of the model `name` under `sentiment/`.
    ///
    /// # Errors
    /// The file that is missing, does not have its shape or does not have the stated hash.
    pub fn model(&self, name: &str) -> Result<ModelFile, PackError> {
        ModelFile::load(&self.source, name)
    }

    /// Where the data came from, for people.
    #[must_use]
    pub fn origin(&self) -> String {
        self.source.to_string()
    }
}

impl ModelFile {
    /// Reads the model `name` of a source and compares its weights with the stated hash.
    ///
    /// # Errors
    /// The file that is missing, does not have its shape or does not have the stated hash.
    pub fn load(source: &Source, name: &str) -> Result<Self, PackError> {
        let path = format!("sentiment/{name}/model.toml");
        let spec: ModelSpec = source::parse(&path, &source.text(&path)?)?;
        let file = format!("sentiment/{name}/{}", spec.weights);
        let weights = source.bytes(&file)?;
        let found = hex(&Sha256::digest(&weights));
        if found != spec.sha256 {
            let what =
                format!("its SHA-256 is {found}, but {path} states {}: restore the file or retrain", spec.sha256);
            return Err(PackError::new(&file, what));
        }
        Ok(Self { name: name.to_owned(), spec, weights })
    }
}

/// Only the table of cues of a source.
///
/// # Errors
/// The file is missing or does not have its shape.
pub fn cue_table(source: &Source) -> Result<CueTable, PackError> {
    source::parse("cues.toml", &source.text("cues.toml")?)
}

struct Reader<'a> {
    source: &'a Source,
    errors: &'a mut Vec<PackError>,
    digest: &'a mut Sha256,
}

impl Reader<'_> {
    fn toml<T: serde::de::DeserializeOwned>(&mut self, path: &str) -> Option<T> {
        let parsed = self.source.text(path).and_then(|text| {
            self.digest.update(path.as_bytes());
            self.digest.update(text.as_bytes());
            source::parse(path, &text)
        });
        parsed.map_err(|e| self.errors.push(e)).ok()
    }

    fn optional<T: serde::de::DeserializeOwned + Default>(&mut self, path: &str) -> T {
        if self.source.exists(path) { self.toml(path).unwrap_or_default() } else { T::default() }
    }

    fn list(&self, folder: &str, suffix: &str) -> Vec<(String, String)> {
        let files = self.source.files(folder);
        files.into_iter().filter_map(|f| Some((f.strip_suffix(suffix)?.to_owned(), format!("{folder}/{f}")))).collect()
    }

    fn language(&mut self, tag: &str) -> Option<Language> {
        let folder = format!("languages/{tag}");
        let spec: LanguageSpec = self.toml(&format!("{folder}/language.toml"))?;
        let table: RuleTable = self.optional(&format!("{folder}/cues.toml"));
        let rules = table
            .into_iter()
            .flat_map(|(cue, specs)| {
                let tag = tag.to_owned();
                specs.into_iter().enumerate().map(move |(n, spec)| Rule {
                    id: format!("{tag}/{cue}/{}", n + 1),
                    cue: cue.clone(),
                    spec,
                })
            })
            .collect();
        Some(Language {
            tag: tag.to_owned(),
            spec,
            rules,
            scope: self.optional(&format!("{folder}/scope.toml")),
            texts: self.optional(&format!("{folder}/playbooks.toml")),
        })
    }
}

/// Gives every language that extends another the other's rules, scope and words.
fn extend(languages: &mut BTreeMap<String, Language>, errors: &mut Vec<PackError>) {
    let bases: Vec<(String, String)> =
        languages.values().filter_map(|l| Some((l.tag.clone(), l.spec.extends.clone()?))).collect();
    for (tag, base) in bases {
        let path = format!("languages/{tag}/language.toml");
        let Some(parent) = languages.get(&base).cloned() else {
            errors.push(PackError::new(&path, format!("extends {base:?}, which is not there")));
            continue;
        };
        if parent.spec.extends.is_some() {
            errors
                .push(PackError::new(&path, format!("extends {base:?}, which itself extends another; name that one")));
            continue;
        }
        if let Some(child) = languages.get_mut(&tag) {
            if !child.rules.is_empty() {
                errors.push(PackError::new(
                    &format!("languages/{tag}/cues.toml"),
                    format!("a language that extends another shares its rules; put these into {base}"),
                ));
            }
            child.rules = parent.rules;
            child.scope = parent.scope;
        }
    }
}

/// First 12 hexadecimal digits.
#[must_use]
pub fn short(digest: &[u8]) -> String {
    hex(digest).chars().take(12).collect()
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
