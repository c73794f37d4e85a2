//! Owns finding all patterns of a language in a message, in time linear in the message.
//! Knows classes and pattern numbers, not what a pattern is for.
//!
//! Every pattern has a token that it cannot do without; of those the one that costs least is its
//! anchor. An index from class to anchors says at each token which patterns could be there. Most
//! of them are dropped at once, because the words beside the anchor do not fit or another word they
//! need is nowhere in the sentence; the rest are read, backwards and forwards from the anchor, a set
//! of positions at a time as the bits of one word, and of many alternatives only those that begin
//! with the word at hand. So common words cost nothing, a pattern costs something only where its
//! rarest word stands, and no reading is longer than a pattern. (A lazily built automaton over all patterns was measured first: with
//! gaps, nearly every message made new states of it, at ten times this cost, and its network took
//! most of the start of the program.)

use super::nodes::{Builder, Needs, Nodes, Row, Side, Signature, bit, is_filler};
use super::pattern::Pattern;
use super::vocabulary::{Class, STOP, Vocabulary};

/// A pattern found in a stream of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Number of the pattern, in the order given to [`Matcher::new`].
    pub pattern: usize,
    /// First token, as a position in the stream.
    pub start: usize,
    /// Token after the last one.
    pub end: usize,
}

/// All patterns of one language, by anchor.
#[derive(Debug)]
pub struct Matcher {
    nodes: Nodes,
    anchored: Vec<Anchored>,
    /// Where the anchors of each class begin in `index`; one more entry than classes.
    starts: Vec<u32>,
    /// What may be read at a class, class by class.
    index: Vec<Entry>,
    /// By class, whether it may be passed over between the words of a pattern.
    fillers: Vec<bool>,
}

/// An anchored pattern in the index, with what is quickly seen to speak against it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Number of the anchored pattern.
    anchored: u32,
    groups: Groups,
    needs: Needs,
}

/// A pattern, or one branch of it, seen from its anchor.
#[derive(Debug)]
struct Anchored {
    pattern: usize,
    before: Row,
    after: Row,
}

/// Groups of patterns, a bit each.
pub type Groups = u32;

/// Longest pattern in tokens: one bit of a machine word each.
pub(super) const MAX_TOKENS: usize = 63;

impl Matcher {
    /// Prepares patterns over a vocabulary, each with the groups (as bits) in which it is wanted.
    #[must_use]
    pub fn new<'a>(patterns: impl IntoIterator<Item = (&'a Pattern, Groups)>, vocabulary: &Vocabulary) -> Self {
        let mut builder = Builder::new(vocabulary);
        let (roots, groups): (Vec<_>, Vec<_>) = patterns.into_iter().map(|(p, g)| (builder.node(p), g)).unzip();
        let mut nodes = builder.finish();
        let mut uses = vec![1_u64; vocabulary.len()];
        for root in &roots {
            nodes.count(*root, &mut uses);
        }
        for (class, cost) in uses.iter_mut().enumerate() {
            *cost *= vocabulary.commonness(class);
        }
        let mut anchors = Vec::new();
        for (pattern, root) in roots.into_iter().enumerate() {
            nodes.anchor(root, (&[], &[]), pattern, &uses, &mut anchors);
        }
        let mut entries: Vec<(Class, Entry)> = Vec::new();
        let mut anchored = Vec::with_capacity(anchors.len());
        for (number, anchor) in (0..).zip(anchors) {
            let groups = groups.get(anchor.pattern).copied().unwrap_or_default();
            let entry = Entry { anchored: number, groups, needs: nodes.needs(&anchor.before, &anchor.after) };
            entries.extend(nodes.classes(anchor.word).into_iter().map(|class| (class, entry)));
            let (before, after) = (nodes.row(anchor.before), nodes.row(anchor.after));
            anchored.push(Anchored { pattern: anchor.pattern, before, after });
        }
        entries.sort_unstable_by_key(|(class, entry)| (*class, entry.anchored));
        let starts = (0..=vocabulary.len())
            .map(|class| u32::try_from(entries.partition_point(|e| usize::from(e.0) < class)).unwrap_or(u32::MAX))
            .collect();
        let index = entries.into_iter().map(|(_, entry)| entry).collect();
        Self { nodes, anchored, starts, index, fillers: Vec::new() }
    }

    /// Passes over these words between the words of a pattern.
    #[must_use]
    pub fn passing_over<'a>(mut self, fillers: impl IntoIterator<Item = &'a str>, vocabulary: &Vocabulary) -> Self {
        self.fillers = vec![false; vocabulary.len()];
        for (from, to) in fillers.into_iter().flat_map(|word| vocabulary.ranges(word, false)) {
            for slot in self.fillers.get_mut(usize::from(from)..=usize::from(to)).into_iter().flatten() {
                *slot = true;
            }
        }
        self
    }

    /// Finds every pattern in a stream of classes. For each pattern, anchor and end the longest
    /// match is given. No match crosses the end of a sentence.
    #[must_use]
    pub fn find(&self, stream: &[Class]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut from = 0;
        for sentence in stream.split(|&class| class == STOP) {
            self.find_in_sentence(sentence, from, Groups::MAX, &mut found);
            from += sentence.len() + 1;
        }
        found
    }

    /// The same for one sentence that begins at a position of the stream, and only for patterns
    /// that are wanted in one of these groups.
    pub fn find_in_sentence(&self, sentence: &[Class], from: usize, groups: Groups, found: &mut Vec<Found>) {
        let all = sentence.iter().fold(0, |all, &class| all | bit(class));
        // Beside a filler stands what stands behind it.
        let is_one = |class: &Class| is_filler(&self.fillers, *class);
        let fillers = if sentence.iter().any(is_one) { self.fillers.as_slice() } else { &[] };
        let beside = |class: Class| if is_filler(fillers, class) { Signature::MAX } else { bit(class) };
        let mut before = 0;
        for (at, &class) in sentence.iter().enumerate() {
            let after = sentence.get(at + 1).map_or(0, |&next| beside(next));
            for entry in self.entries(class) {
                if entry.groups & groups != 0
                    && entry.needs.met(before, after, all)
                    && let Some(anchored) = self.anchored.get(entry.anchored as usize)
                {
                    self.read(anchored, &Side { sentence, at, backwards: true, fillers }, from, found);
                }
            }
            before = beside(class);
        }
    }

    fn entries(&self, class: Class) -> &[Entry] {
        let bounds = self.starts.get(usize::from(class)).zip(self.starts.get(usize::from(class) + 1));
        bounds.and_then(|(&from, &to)| self.index.get(from as usize..to as usize)).unwrap_or_default()
    }

    /// Reads a pattern on both sides of its anchor, of which `back` is what comes before.
    fn read(&self, anchored: &Anchored, back: &Side<'_>, from: usize, found: &mut Vec<Found>) {
        let at = back.at;
        let before = self.nodes.through(anchored.before, back, 1);
        if before == 0 {
            return;
        }
        let forth = Side { at: at + 1, backwards: false, ..*back };
        let mut after = self.nodes.through(anchored.after, &forth, 1);
        let longest = (u64::BITS - 1 - before.leading_zeros()) as usize;
        while after != 0 {
            let end = at + 1 + after.trailing_zeros() as usize;
            after &= after - 1;
            found.push(Found { pattern: anchored.pattern, start: from + at - longest, end: from + end });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::pattern::{Context, parse};
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Pattern {
        parse(text, Context { lists: &BTreeMap::new(), elisions: &[] }).unwrap()
    }

    /// All (start, end) of a pattern in words, by trying everything.
    fn slow(pattern: &Pattern, words: &[&str], from: usize) -> BTreeSet<usize> {
        match pattern {
            Pattern::Literal(w) => words.get(from).filter(|x| *x == w).map(|_| from + 1).into_iter().collect(),
            Pattern::Prefix(w) => {
                words.get(from).filter(|x| x.starts_with(w.as_str())).map(|_| from + 1).into_iter().collect()
            }
            Pattern::Gap(n) => (from..=words.len().min(from + *n as usize)).collect(),
            Pattern::Start => (from == 0).then_some(from).into_iter().collect(),
            Pattern::End => (from == words.len()).then_some(from).into_iter().collect(),
            Pattern::Optional(p) => slow(p, words, from).into_iter().chain([from]).collect(),
            Pattern::Either(ps) => ps.iter().flat_map(|p| slow(p, words, from)).collect(),
            Pattern::Sequence(ps) => {
                ps.iter().fold(BTreeSet::from([from]), |at, p| at.into_iter().flat_map(|f| slow(p, words, f)).collect())
            }
        }
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        let word = prop_oneof![
            proptest::sample::select(vec!["a", "b", "ab", "abc", "c"]).prop_map(|w| Pattern::Literal(w.to_owned())),
            proptest::sample::select(vec!["a", "ab", "b"]).prop_map(|w| Pattern::Prefix(w.to_owned())),
        ];
        word.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Pattern::Sequence),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Pattern::Either),
                (inner.clone(), 1_u32..4, inner.clone()).prop_map(|(a, n, b)| Pattern::Sequence(vec![
                    a,
                    Pattern::Gap(n),
                    b
                ])),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| Pattern::Sequence(vec![Pattern::Optional(Box::new(a)), b])),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| Pattern::Sequence(vec![a, Pattern::Optional(Box::new(b))])),
                inner.clone().prop_map(|a| Pattern::Sequence(vec![Pattern::Start, a])),
                inner.prop_map(|a| Pattern::Sequence(vec![a, Pattern::End])),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_what_trying_everything_finds(
            patterns in proptest::collection::vec(patterns(), 1..5),
            words in proptest::collection::vec(proptest::sample::select(vec!["a", "b", "ab", "abc", "abd", "c", "x"]), 0..12),
        ) {
            let vocabulary = Vocabulary::new(patterns.iter(), &[], &[], "").unwrap();
            let matcher = Matcher::new(patterns.iter().map(|p| (p, 1)), &vocabulary);
            let stream: Vec<Class> = words.iter().map(|w| vocabulary.class(w, false)).collect();
            let found = matcher.find(&stream);
            for (number, pattern) in patterns.iter().enumerate() {
                let mut longest: BTreeMap<usize, usize> = BTreeMap::new();
                for start in (0..words.len()).rev() {
                    for end in slow(pattern, &words, start) {
                        longest.insert(end, start);
                    }
                }
                let mut given: BTreeMap<usize, usize> = BTreeMap::new();
                for f in found.iter().filter(|f| f.pattern == number) {
                    let start = given.entry(f.end).or_insert(f.start);
                    *start = (*start).min(f.start);
                }
                prop_assert_eq!(given, longest, "{:?} in {:?}", pattern, words);
            }
        }
    }

    #[test]
    fn a_gap_never_crosses_the_end_of_a_sentence() {
        let patterns = [parsed("a ..3 b")];
        let vocabulary = Vocabulary::new(patterns.iter(), &[], &[], "").unwrap();
        let matcher = Matcher::new(patterns.iter().map(|p| (p, 1)), &vocabulary);
        let (a, b) = (vocabulary.class("a", false), vocabulary.class("b", false));
        assert_eq!(matcher.find(&[a, 0, b]), [Found { pattern: 0, start: 0, end: 3 }]);
        assert_eq!(matcher.find(&[a, STOP, b]), []);
    }

    #[test]
    fn a_sentence_has_edges() {
        let patterns = [parsed("^ a [b] $")];
        let vocabulary = Vocabulary::new(patterns.iter(), &[], &[], "").unwrap();
        let matcher = Matcher::new(patterns.iter().map(|p| (p, 1)), &vocabulary);
        let (a, b) = (vocabulary.class("a", false), vocabulary.class("b", false));
        assert_eq!(matcher.find(&[b, STOP, a, STOP]), [Found { pattern: 0, start: 2, end: 3 }]);
        assert_eq!(matcher.find(&[a, b]), [Found { pattern: 0, start: 0, end: 2 }]);
        assert_eq!(matcher.find(&[b, a]), []);
        assert_eq!(matcher.find(&[a, a]), []);
    }

    #[test]
    fn fillers_are_passed_over_between_words_only() {
        let patterns = [parsed("a b (c|ab c)")];
        let vocabulary = Vocabulary::new(patterns.iter().chain(&[parsed("abc")]), &[], &[], "").unwrap();
        let stream: Vec<Class> =
            "abc a abc b abc abc c abc".split(' ').map(|word| vocabulary.class(word, false)).collect();
        let plain = Matcher::new(patterns.iter().map(|p| (p, 1)), &vocabulary);
        assert_eq!(plain.find(&stream), []);
        let matcher = plain.passing_over(["abc"], &vocabulary);
        assert_eq!(matcher.find(&stream), [Found { pattern: 0, start: 1, end: 7 }]);
        let three: Vec<Class> = "a abc abc abc b c".split(' ').map(|word| vocabulary.class(word, false)).collect();
        assert_eq!(matcher.find(&three), [], "two in one place at most");
    }
}
