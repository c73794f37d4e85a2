//! Owns functional tests: messages that each try one cue in one way, after `HateCheck` (Röttger et
//! al., ACL 2021). Knows cases and results; files are opened and messages read by the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use crate::domain::Analysis;

use super::LabelledError;

/// Ways in which a cue is tried.
pub const KINDS: [&str; 15] = [
    "plain",
    "polite",
    "slang",
    "negated",
    "conditional",
    "hypothetical",
    "reported",
    "quoted",
    "praise",
    "product",
    "masked",
    "caps",
    "elongated",
    "typo",
    "code_switched",
];

/// One case: a line of `fixtures/functional/<lang>.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its id, unique in its file.
    pub id: String,
    /// BCP 47 tag.
    pub lang: String,
    /// The cue it tries.
    pub cue: String,
    /// The way it tries it: one of [`KINDS`].
    pub kind: String,
    /// The message.
    pub text: String,
    /// Whether the cue has to be given.
    pub expect: bool,
    /// Why it is known to fail, if it is.
    pub known: Option<String>,
}

impl Case {
    /// Whether an analysis of its message gives what is expected.
    #[must_use]
    pub fn passes(&self, analysis: &Analysis) -> bool {
        analysis.cues.iter().any(|h| *h.cue == *self.cue) == self.expect
    }
}

/// Reads the cases of a file.
///
/// # Errors
/// The first line that cannot be used, with what is wrong.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, LabelledError> {
    let mut cases: Vec<Case> = Vec::new();
    let mut ids = BTreeSet::new();
    for (line, row) in (1..).zip(text.lines()).filter(|(_, row)| !row.trim().is_empty()) {
        let error = |what: String| LabelledError { file: file.to_owned(), line, what };
        let case: Case = serde_json::from_str(row).map_err(|e| error(e.to_string()))?;
        if !KINDS.contains(&case.kind.as_str()) {
            return Err(error(format!("unknown kind {:?}; known: {}", case.kind, KINDS.join(", "))));
        }
        if !ids.insert(case.id.clone()) {
            return Err(error(format!("the id {:?} stands twice", case.id)));
        }
        cases.push(case);
    }
    Ok(cases)
}

/// Cues by languages in Markdown: how many cases pass, of how many.
#[must_use]
pub fn table<'a>(results: impl IntoIterator<Item = (&'a Case, bool)>) -> String {
    let mut cells: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for (case, passed) in results {
        let cell = cells.entry((&case.cue, &case.lang)).or_default();
        cell.0 += usize::from(passed);
        cell.1 += 1;
    }
    let cues: BTreeSet<&str> = cells.keys().map(|k| k.0).collect();
    let languages: BTreeSet<&str> = cells.keys().map(|k| k.1).collect();
    let sum = |of: &dyn Fn(&(&str, &str)) -> bool| {
        let (passed, all) = cells.iter().filter(|(k, _)| of(k)).fold((0, 0), |sum, (_, c)| (sum.0 + c.0, sum.1 + c.1));
        format!("{passed}/{all}")
    };
    let mut out = format!("| cue | {} | all |\n", languages.iter().copied().collect::<Vec<_>>().join(" | "));
    let _ = writeln!(out, "|{}", "---|".repeat(languages.len() + 2));
    for cue in cues.iter().map(Some).chain([None]) {
        let _ = write!(out, "| {} |", cue.unwrap_or(&"all"));
        let of_cue = |key: &(&str, &str)| cue.is_none_or(|c| key.0 == *c);
        for language in &languages {
            let _ = write!(out, " {} |", sum(&|key| of_cue(key) && key.1 == *language));
        }
        let _ = writeln!(out, " {} |", sum(&of_cue));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"en-1","lang":"en","cue":"urgency","kind":"plain","text":"Now!","expect":true}"#;

    #[test]
    fn a_line_that_cannot_be_used_is_named() {
        let broken = format!("{LINE}\n{}", LINE.replace("plain", "plane"));
        let error = parse("x.jsonl", &broken).unwrap_err().to_string();
        assert!(error.starts_with("x.jsonl:2: unknown kind \"plane\""), "{error}");
        let twice = parse("x.jsonl", &format!("{LINE}\n{LINE}")).unwrap_err();
        assert_eq!(twice.what, "the id \"en-1\" stands twice");
    }

    #[test]
    fn the_table_counts() {
        let cases = parse("x", &format!("{LINE}\n{}", LINE.replace("en-1", "en-2"))).unwrap();
        let table = table(cases.iter().zip([true, false]));
        assert_eq!(table, "| cue | en | all |\n|---|---|---|\n| urgency | 1/2 | 1/2 |\n| all | 1/2 | 1/2 |\n");
    }
}
