//! Owns the question whose words these are: the author's, quoted mail, a signature, a footer.
//! Knows the markers it is given (data of the language packs) and the `>` of every mail program.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::normalise::fold;

/// What mail programs and habits of a language put around the author's own words. A marker is a
/// folded line with `*` for any stretch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailMarkers {
    /// Lines after which mail is quoted («on * wrote:»).
    pub quote_headers: Vec<String>,
    /// Lines added by a device («sent from my *»).
    pub device_lines: Vec<String>,
    /// Closing formulas, after which short lines are a signature.
    pub closings: Vec<String>,
    /// Mail header lines at the top («subject: *»).
    pub headers: Vec<String>,
    /// First words of legal footers; all that follows belongs to them.
    pub footers: Vec<String>,
}

impl MailMarkers {
    /// Adds another language's markers, each folded.
    pub fn extend(&mut self, other: &Self) {
        let add = |to: &mut Vec<String>, from: &[String]| {
            to.extend(from.iter().map(|m| fold(m)));
            to.sort();
            to.dedup();
        };
        add(&mut self.quote_headers, &other.quote_headers);
        add(&mut self.device_lines, &other.device_lines);
        add(&mut self.closings, &other.closings);
        add(&mut self.headers, &other.headers);
        add(&mut self.footers, &other.footers);
    }
}

/// A text divided into the author's own words and the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnWords {
    /// Bytes of the text that the author wrote, in order, not overlapping.
    pub own: Vec<Range<usize>>,
    len: usize,
}

impl OwnWords {
    /// Whether a span lies wholly in the author's own words.
    #[must_use]
    pub fn contains(&self, span: &Range<usize>) -> bool {
        let after = self.own.partition_point(|r| r.end < span.end);
        self.own.get(after).is_some_and(|r| r.start <= span.start && span.end <= r.end)
    }

    /// The same division of another form of the text, `len` bytes long.
    #[must_use]
    pub fn map(&self, to: impl Fn(&Range<usize>) -> Range<usize>, len: usize) -> Self {
        Self { own: self.own.iter().map(to).collect(), len }
    }

    /// The author's own words, joined.
    #[must_use]
    pub fn join(&self, text: &str) -> String {
        let mut own = String::with_capacity(self.len);
        for part in &self.own {
            own.push_str(text.get(part.clone()).unwrap_or_default());
        }
        own
    }
}

/// Divides a text (in normal form or not) into the author's own words and the rest.
/// One pass over the lines; a text without line breaks is the author's whole.
#[must_use]
pub fn separate(text: &str, markers: &MailMarkers) -> OwnWords {
    let mut own: Vec<Range<usize>> = Vec::new();
    let mut keep = |span: Range<usize>| match own.last_mut() {
        Some(last) if last.end == span.start => last.end = span.end,
        _ => own.push(span),
    };
    let lines = lines(text);
    let mut state = State::Own;
    let mut seen_own = false;
    let mut closing_lines = 0;
    for (index, span) in lines.iter().enumerate() {
        let line = text.get(span.clone()).unwrap_or_default();
        let bare = line.trim();
        if bare.starts_with('>') {
            if state == State::Quoting {
                state = State::Own;
            }
            continue;
        }
        match state {
            State::Rest => continue,
            State::Quoting if bare.is_empty() => continue,
            // A header without `>` below it quotes everything to the end.
            State::Quoting => {
                state = State::Rest;
                continue;
            }
            State::Closing => {
                closing_lines += 1;
                let long = bare.chars().count() > 60 || closing_lines > 6;
                if long || bare.is_empty() && closing_lines > 1 {
                    state = State::Own;
                } else {
                    continue;
                }
            }
            State::Own => {}
        }
        if bare.is_empty() || bare.len() > 400 {
            keep(span.clone());
            seen_own |= !bare.is_empty();
            continue;
        }
        let folded = fold(bare);
        if folded == "--" || folded == "__" || folded.starts_with("-----") && folded.len() > 8 {
            state = State::Rest;
        } else if matches_any(&folded, &markers.quote_headers) || broken_header(&folded, &lines, index, text, markers) {
            state = if seen_own || next_is_quoted(&lines, index, text) { State::Quoting } else { State::Own };
            if state == State::Own {
                keep(span.clone());
            }
        } else if matches_any(&folded, &markers.footers) {
            state = State::Rest;
        } else if !matches_any(&folded, &markers.device_lines) && (seen_own || !matches_any(&folded, &markers.headers))
        {
            keep(span.clone());
            seen_own = true;
            if matches_any(folded.trim_end_matches([',', '.', '!']), &markers.closings) {
                state = State::Closing;
                closing_lines = 0;
            }
        }
    }
    if own.iter().all(|r| text.get(r.clone()).is_none_or(|t| t.trim().is_empty())) {
        own = Vec::new();
    }
    OwnWords { own, len: text.len() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Own,
    Quoting,
    Closing,
    Rest,
}

/// The sentences (UAX #29) of the author's own words, without white space around them.
pub fn sentences<'a>(text: &'a str, own: &'a [Range<usize>]) -> impl Iterator<Item = Range<usize>> + 'a {
    own.iter().flat_map(|part| {
        let words = text.get(part.clone()).unwrap_or_default();
        words.split_sentence_bound_indices().filter_map(move |(at, sentence)| {
            let bare = sentence.trim();
            let from = part.start + at + (sentence.len() - sentence.trim_start().len());
            (!bare.is_empty()).then(|| from..from + bare.len())
        })
    })
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let span = start..start + line.len();
            start = span.end;
            span
        })
        .collect()
}

/// A quote header that a mail program broke over two lines.
fn broken_header(folded: &str, lines: &[Range<usize>], index: usize, text: &str, markers: &MailMarkers) -> bool {
    let Some(next) = lines.get(index + 1).and_then(|s| text.get(s.clone())) else { return false };
    let next = next.trim();
    if next.len() > 200 || !next.ends_with([':', '：']) {
        return false;
    }
    let joined = format!("{folded} {}", fold(next));
    markers.quote_headers.iter().any(|m| m.contains('*') && glob(m, &joined))
}

fn next_is_quoted(lines: &[Range<usize>], index: usize, text: &str) -> bool {
    let after = lines.get(index + 1..).unwrap_or_default();
    let next = after.iter().map(|s| text.get(s.clone()).unwrap_or_default().trim()).find(|l| !l.is_empty());
    next.is_some_and(|l| l.starts_with('>'))
}

fn matches_any(line: &str, markers: &[String]) -> bool {
    markers.iter().any(|m| glob(m, line))
}

/// `*` stands for any stretch; everything else for itself. Linear per star.
fn glob(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return line.is_empty() };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str) -> String {
        let markers = MailMarkers {
            quote_headers: vec!["on * wrote:".into(), "am * schrieb *:".into(), "from: *".into()],
            device_lines: vec!["sent from my *".into()],
            closings: vec!["kind regards".into()],
            headers: vec!["subject: *".into()],
            footers: vec!["this e-mail is confidential*".into()],
        };
        separate(text, &markers).join(text)
    }

    #[test]
    fn keeps_only_what_the_author_wrote() {
        for (text, expected) in [
            ("Hello", "Hello"),
            ("Noted.\n\nSent from my iPhone\n\n> From: us\n> we sue you\n", "Noted.\n\n\n"),
            ("No.\nOn Monday Support wrote:\n> calm down\nI will not.", "No.\nI will not."),
            ("No.\nOn Monday, Support\n<a@b.example> wrote:\n> calm down", "No.\n"),
            ("No.\nFrom: Support\nTo: me\nCalm down.", "No.\n"),
            ("Subject: Re: [#1] lawsuit\n\nWhere is it?", "\nWhere is it?"),
            ("Where is it?\n--\nThe Lawyers Ltd", "Where is it?\n"),
            ("Thanks.\nKind regards,\nJ. Doe\nDebt Collection\n\nPS: call me", "Thanks.\nKind regards,\n\nPS: call me"),
            ("Hi.\nThis e-mail is confidential and may be used in court.\nReally.", "Hi.\n"),
            ("> only quoted\n", ""),
        ] {
            assert_eq!(own(text), expected, "{text:?}");
        }
    }
}
