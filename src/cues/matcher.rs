//! Owns finding all patterns of a language in a message, in time linear in the message.
//! Knows classes and pattern numbers, not what a pattern is for.
//!
//! Every pattern has a token that it cannot do without; of those the one that costs least is its
//! anchor. An index from class to anchors says at each token which patterns could be there, and
//! only these are read, backwards and forwards from the anchor, a set of positions at a time as
//! the bits of one word. So common words cost nothing, a pattern costs something only where its
//! rarest word stands, and no reading is longer than a pattern. (A lazily built automaton over all
//! patterns was measured first: with gaps, nearly every message made new states of it, at ten
//! times this cost, and its network took most of the start of the program.)

use std::sync::Arc;

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
    anchored: Vec<Anchored>,
    /// Per class the anchored patterns that begin to be read at it.
    index: Vec<Vec<u32>>,
}

/// A pattern, or one branch of it, seen from its anchor.
#[derive(Debug, Clone)]
struct Anchored {
    pattern: usize,
    classes: Ranges,
    before: Vec<Arc<Node>>,
    after: Vec<Arc<Node>>,
}

/// Classes as ranges (first and last) in rising order.
type Ranges = Vec<(Class, Class)>;

/// A pattern over classes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// One token of one of these classes.
    Word(Ranges),
    /// Up to so many tokens, none of them the end of a sentence.
    Gap(u32),
    /// All of them, one after the other.
    Sequence(Vec<Arc<Node>>),
    /// One of them.
    Either(Vec<Arc<Node>>),
    /// It, or nothing.
    Optional(Arc<Node>),
}

/// Longest pattern in tokens: one bit of a machine word each.
pub(super) const MAX_TOKENS: usize = 63;
/// What it costs to have another anchor for the same pattern, in uses of a word.
const COST_OF_ANCHOR: u64 = 2;

impl Matcher {
    /// Prepares patterns over a vocabulary.
    #[must_use]
    pub fn new(patterns: &[Pattern], vocabulary: &Vocabulary) -> Self {
        let nodes: Vec<Arc<Node>> = patterns.iter().map(|p| Node::new(p, vocabulary)).collect();
        let mut uses = vec![1_u64; vocabulary.len()];
        for node in &nodes {
            node.count(&mut uses);
        }
        for (class, cost) in uses.iter_mut().enumerate() {
            *cost *= vocabulary.commonness(class);
        }
        let mut anchored = Vec::new();
        for (pattern, node) in nodes.iter().enumerate() {
            anchor(node, (&[], &[]), pattern, &uses, &mut anchored);
        }
        let mut index = vec![Vec::new(); vocabulary.len()];
        for (number, anchor) in (0..).zip(&anchored) {
            for class in anchor.classes.iter().flat_map(|&(from, to)| from..=to) {
                if let Some(list) = index.get_mut(usize::from(class)) {
                    list.push(number);
                }
            }
        }
        Self { anchored, index }
    }

    /// Finds every pattern in a stream of classes. For each pattern, anchor and end the longest
    /// match is given.
    #[must_use]
    pub fn find(&self, stream: &[Class]) -> Vec<Found> {
        let mut found = Vec::new();
        for (at, class) in stream.iter().enumerate() {
            let here = self.index.get(usize::from(*class)).map_or(&[][..], Vec::as_slice);
            for anchored in here.iter().filter_map(|&n| self.anchored.get(n as usize)) {
                anchored.read(stream, at, &mut found);
            }
        }
        found
    }
}

impl Anchored {
    fn read(&self, stream: &[Class], at: usize, found: &mut Vec<Found>) {
        let back = Side { stream, at, backwards: true };
        let before = self.before.iter().rev().fold(1, |distances, node| node.reach(&back, distances));
        if before == 0 {
            return;
        }
        let forth = Side { stream, at: at + 1, backwards: false };
        let mut after = self.after.iter().fold(1, |distances, node| node.reach(&forth, distances));
        let longest = (u64::BITS - 1 - before.leading_zeros()) as usize;
        while after != 0 {
            let end = at + 1 + after.trailing_zeros() as usize;
            after &= after - 1;
            found.push(Found { pattern: self.pattern, start: at - longest, end });
        }
    }
}

/// The tokens on one side of an anchor.
struct Side<'a> {
    stream: &'a [Class],
    /// First token of what follows, or the token after the last one of what comes before.
    at: usize,
    backwards: bool,
}

impl Side<'_> {
    /// The token at a distance: 0 is the one beside the anchor.
    fn token(&self, distance: usize) -> Option<Class> {
        let at = if self.backwards { self.at.checked_sub(distance + 1)? } else { self.at + distance };
        self.stream.get(at).copied()
    }

    /// One token further from every distance at which the token fits.
    fn step(&self, distances: u64, fits: impl Fn(Class) -> bool) -> u64 {
        let mut left = distances & !(1 << MAX_TOKENS);
        let mut out = 0;
        while left != 0 {
            let distance = left.trailing_zeros();
            left &= left - 1;
            if self.token(distance as usize).is_some_and(&fits) {
                out |= 1 << (distance + 1);
            }
        }
        out
    }
}

impl Node {
    fn new(pattern: &Pattern, vocabulary: &Vocabulary) -> Arc<Self> {
        let all = |parts: &[Pattern]| parts.iter().map(|p| Self::new(p, vocabulary)).collect::<Vec<_>>();
        Arc::new(match pattern {
            Pattern::Literal(word) => Self::Word(vocabulary.ranges(word, false)),
            Pattern::Prefix(word) => Self::Word(vocabulary.ranges(word, true)),
            Pattern::Gap(n) => Self::Gap(*n),
            Pattern::Sequence(parts) => Self::Sequence(all(parts)),
            Pattern::Optional(part) => Self::Optional(Self::new(part, vocabulary)),
            Pattern::Either(parts) => {
                // Branches of one word each are one set of classes.
                let (words, mut branches): (Vec<_>, Vec<_>) =
                    all(parts).into_iter().partition(|node| matches!(**node, Self::Word(_)));
                let ranges =
                    words.iter().flat_map(|node| if let Self::Word(r) = &**node { r.clone() } else { Vec::new() });
                let ranges = joined(ranges.collect());
                if branches.is_empty() {
                    return Arc::new(Self::Word(ranges));
                }
                if !ranges.is_empty() {
                    branches.push(Arc::new(Self::Word(ranges)));
                }
                Self::Either(branches)
            }
        })
    }

    /// Counts in how many places each class is asked for.
    fn count(&self, uses: &mut [u64]) {
        match self {
            Self::Word(ranges) => {
                for class in ranges.iter().flat_map(|&(from, to)| from..=to) {
                    if let Some(count) = uses.get_mut(usize::from(class)) {
                        *count += 1;
                    }
                }
            }
            Self::Gap(_) => {}
            Self::Optional(part) => part.count(uses),
            Self::Sequence(parts) | Self::Either(parts) => parts.iter().for_each(|p| p.count(uses)),
        }
    }

    /// Bit `n` of `distances` means: what stands between the anchor and this node can be `n` tokens
    /// long. The result says the same with this node.
    fn reach(&self, side: &Side<'_>, distances: u64) -> u64 {
        match self {
            _ if distances == 0 => 0,
            Self::Word(ranges) => side.step(distances, |class| contains(ranges, class)),
            Self::Gap(n) => {
                let mut all = distances;
                let mut last = distances;
                for _ in 0..*n {
                    last = side.step(last, |class| class != STOP);
                    all |= last;
                }
                all
            }
            Self::Sequence(parts) if side.backwards => parts.iter().rev().fold(distances, |d, p| p.reach(side, d)),
            Self::Sequence(parts) => parts.iter().fold(distances, |d, p| p.reach(side, d)),
            Self::Either(parts) => parts.iter().fold(0, |all, part| all | part.reach(side, distances)),
            Self::Optional(part) => distances | part.reach(side, distances),
        }
    }
}

/// What the cheapest anchors of a node cost; `None` if the node can be left out.
fn cost(node: &Node, costs: &[u64]) -> Option<u64> {
    match node {
        Node::Word(classes) => {
            let of_class = |class: Class| costs.get(usize::from(class)).copied().unwrap_or(1);
            Some(classes.iter().flat_map(|&(from, to)| from..=to).map(of_class).sum::<u64>() + COST_OF_ANCHOR)
        }
        Node::Gap(_) | Node::Optional(_) => None,
        Node::Sequence(parts) => parts.iter().filter_map(|part| cost(part, costs)).min(),
        Node::Either(parts) => parts.iter().map(|part| cost(part, costs)).sum(),
    }
}

/// Adds the cheapest anchors of a node that stands between `around.0` and `around.1`.
fn anchor(
    node: &Arc<Node>,
    around: (&[Arc<Node>], &[Arc<Node>]),
    pattern: usize,
    costs: &[u64],
    out: &mut Vec<Anchored>,
) {
    let (before, after) = around;
    match &**node {
        Node::Word(classes) => {
            let classes = classes.clone();
            out.push(Anchored { pattern, classes, before: before.to_vec(), after: after.to_vec() });
        }
        Node::Gap(_) | Node::Optional(_) => {}
        Node::Sequence(parts) => {
            let cheapest = (0..parts.len())
                .filter_map(|at| Some((cost(parts.get(at)?, costs)?, at)))
                .min()
                .and_then(|(_, at)| Some((at, parts.get(at)?)));
            if let Some((at, part)) = cheapest {
                let before: Vec<_> = before.iter().chain(parts.iter().take(at)).cloned().collect();
                let after: Vec<_> = parts.iter().skip(at + 1).chain(after).cloned().collect();
                anchor(part, (&before, &after), pattern, costs, out);
            }
        }
        Node::Either(parts) => {
            for part in parts {
                anchor(part, around, pattern, costs, out);
            }
        }
    }
}

fn contains(ranges: &[(Class, Class)], class: Class) -> bool {
    let after = ranges.partition_point(|r| r.0 <= class);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|r| class <= r.1)
}

/// Ranges in rising order, overlapping ones joined.
fn joined(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut out: Ranges = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.0 <= last.1 => last.1 = last.1.max(range.1),
            _ => out.push(range),
        }
    }
    out
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
                (inner.clone(), inner).prop_map(|(a, b)| Pattern::Sequence(vec![a, Pattern::Optional(Box::new(b))])),
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
            let matcher = Matcher::new(&patterns, &vocabulary);
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
        let matcher = Matcher::new(&patterns, &vocabulary);
        let (a, b) = (vocabulary.class("a", false), vocabulary.class("b", false));
        assert_eq!(matcher.find(&[a, 0, b]), [Found { pattern: 0, start: 0, end: 3 }]);
        assert_eq!(matcher.find(&[a, STOP, b]), []);
    }
}
