//! Owns finding all patterns of a language in a message, in time linear in the message.
//! Knows classes and pattern numbers, not what a pattern is for.
//!
//! Every pattern has a token that it cannot do without; of those the one that costs least is its
//! anchor. An index from class to anchors says at each token which patterns could be there. Most
//! of them are dropped at once, because the words beside the anchor do not fit or another word they
//! need is nowhere in the sentence; the rest are read, backwards and forwards from the anchor, a set of positions at a time as the bits
//! of one word, and of many alternatives only those that begin with the word at hand. So common
//! words cost nothing, a pattern costs something only where its rarest word stands, and no reading
//! is longer than a pattern. (A lazily built automaton over all patterns was measured first: with
//! gaps, nearly every message made new states of it, at ten times this cost, and its network took
//! most of the start of the program.)

use std::sync::Arc;

use rustc_hash::FxHashMap;

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
    /// Where the anchors of each class begin in `index`; one more entry than classes.
    starts: Vec<u32>,
    /// What may be read at a class, class by class.
    index: Vec<Entry>,
}

/// An anchored pattern in the index, with what is quickly seen to speak against it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Number of the anchored pattern.
    anchored: u32,
    groups: Groups,
    needs: Needs,
}

/// Words without which an anchored pattern cannot be there.
#[derive(Debug, Clone, Copy)]
struct Needs {
    /// What may stand directly before the anchor.
    before: Signature,
    /// What may stand directly after it.
    after: Signature,
    /// Of what some must stand in the sentence.
    anywhere: Signature,
}

/// A pattern, or one branch of it, seen from its anchor.
#[derive(Debug)]
struct Anchored {
    pattern: usize,
    classes: Classes,
    needs: Needs,
    before: Vec<Arc<Node>>,
    after: Vec<Arc<Node>>,
}

/// A pattern over classes.
#[derive(Debug)]
enum Node {
    /// One token of one of these classes.
    Word(Classes),
    /// Up to so many tokens.
    Gap(u32),
    /// The place before the first word of a sentence.
    Start,
    /// The place after the last word of a sentence.
    End,
    /// All of them, one after the other.
    Sequence(Vec<Arc<Node>>),
    /// One of them.
    Either(Alternatives),
    /// It, or nothing.
    Optional(Arc<Node>),
}

/// Branches by the class with which they begin, so that only those are read that can match.
#[derive(Debug)]
struct Alternatives {
    branches: Vec<Arc<Node>>,
    forwards: Entrances,
    backwards: Entrances,
}

/// Which branches can begin with a class, read in one direction.
#[derive(Debug)]
struct Entrances {
    /// Class and branch, in order of class.
    by_class: Vec<(Class, u16)>,
    /// Branches that can begin with anything.
    always: Vec<u16>,
}

/// A set of classes.
#[derive(Debug, Clone)]
struct Classes {
    signature: Signature,
    /// First and last, in rising order.
    ranges: Vec<(Class, Class)>,
}

/// Groups of patterns, a bit each.
pub type Groups = u32;

/// A set of classes in one word: a class may be in it only if its bit is set.
type Signature = u64;

/// Longest pattern in tokens: one bit of a machine word each.
pub(super) const MAX_TOKENS: usize = 63;
/// What it costs to have another anchor for the same pattern, in uses of a word.
const COST_OF_ANCHOR: u64 = 2;

impl Matcher {
    /// Prepares patterns over a vocabulary, each with the groups (as bits) in which it is wanted.
    #[must_use]
    pub fn new<'a>(patterns: impl IntoIterator<Item = (&'a Pattern, Groups)>, vocabulary: &Vocabulary) -> Self {
        let mut builder = Builder { vocabulary, done: FxHashMap::default() };
        let (nodes, groups): (Vec<_>, Vec<_>) = patterns.into_iter().map(|(p, g)| (builder.node(p), g)).unzip();
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
        let mut entries: Vec<(Class, Entry)> = Vec::new();
        for (number, a) in (0..).zip(&anchored) {
            let groups = groups.get(a.pattern).copied().unwrap_or_default();
            let entry = Entry { anchored: number, groups, needs: a.needs };
            entries.extend(a.classes.each().map(|class| (class, entry)));
        }
        entries.sort_unstable_by_key(|(class, entry)| (*class, entry.anchored));
        let starts = (0..=vocabulary.len())
            .map(|class| u32::try_from(entries.partition_point(|e| usize::from(e.0) < class)).unwrap_or(u32::MAX))
            .collect();
        Self { anchored, starts, index: entries.into_iter().map(|(_, entry)| entry).collect() }
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
        let mut before = 0;
        for (at, &class) in sentence.iter().enumerate() {
            let after = sentence.get(at + 1).map_or(0, |&next| bit(next));
            for entry in self.entries(class) {
                if entry.groups & groups != 0
                    && entry.needs.met(before, after, all)
                    && let Some(anchored) = self.anchored.get(entry.anchored as usize)
                {
                    anchored.read(sentence, at, from, found);
                }
            }
            before = bit(class);
        }
    }

    fn entries(&self, class: Class) -> &[Entry] {
        let bounds = self.starts.get(usize::from(class)).zip(self.starts.get(usize::from(class) + 1));
        bounds.and_then(|(&from, &to)| self.index.get(from as usize..to as usize)).unwrap_or_default()
    }
}

impl Needs {
    fn new(before: &[Arc<Node>], after: &[Arc<Node>]) -> Self {
        let beside = |nodes: &[Arc<Node>], backwards| {
            let classes = entrance(nodes, backwards);
            classes.map_or(Signature::MAX, |classes| classes.into_iter().fold(0, |all, class| all | bit(class)))
        };
        let anywhere = before.iter().chain(after).map(|n| n.need()).min_by_key(|s| s.count_ones());
        Self {
            before: beside(before, true),
            after: beside(after, false),
            anywhere: anywhere.unwrap_or(Signature::MAX),
        }
    }

    /// Whether the signatures of the tokens beside the anchor and of the whole sentence allow it.
    fn met(&self, before: Signature, after: Signature, all: Signature) -> bool {
        let beside = |allowed: Signature, there: Signature| allowed == Signature::MAX || allowed & there != 0;
        self.anywhere & all != 0 && beside(self.before, before) && beside(self.after, after)
    }
}

impl Anchored {
    fn read(&self, sentence: &[Class], at: usize, from: usize, found: &mut Vec<Found>) {
        let back = Side { sentence, at, backwards: true };
        let Some(before) = back.through(self.before.iter().rev()) else { return };
        let forth = Side { sentence, at: at + 1, backwards: false };
        let Some(mut after) = forth.through(&self.after) else { return };
        let longest = (u64::BITS - 1 - before.leading_zeros()) as usize;
        while after != 0 {
            let end = at + 1 + after.trailing_zeros() as usize;
            after &= after - 1;
            found.push(Found { pattern: self.pattern, start: from + at - longest, end: from + end });
        }
    }
}

/// The tokens on one side of an anchor.
struct Side<'a> {
    sentence: &'a [Class],
    /// First token of what follows, or the token after the last one of what comes before.
    at: usize,
    backwards: bool,
}

/// Bit `n` means: what stands between the anchor and a node can be `n` tokens long.
type Distances = u64;

impl Side<'_> {
    /// Tokens on this side.
    fn len(&self) -> usize {
        if self.backwards { self.at } else { self.sentence.len().saturating_sub(self.at) }
    }

    /// The token at a distance: 0 is the one beside the anchor.
    fn token(&self, distance: u32) -> Option<Class> {
        let at =
            if self.backwards { self.at.checked_sub(distance as usize + 1)? } else { self.at + distance as usize };
        self.sentence.get(at).copied()
    }

    /// The distances behind nodes that follow each other; `None` if they are not there.
    fn through<'n>(&self, nodes: impl IntoIterator<Item = &'n Arc<Node>>) -> Option<Distances> {
        nodes.into_iter().try_fold(1, |distances, node| Some(node.reach(self, distances)).filter(|&d| d != 0))
    }

    /// One token further from every distance at which the token fits.
    fn step(&self, distances: Distances, classes: &Classes) -> Distances {
        each_bit(distances & !(1 << MAX_TOKENS))
            .filter(|&d| self.token(d).is_some_and(|class| classes.contain(class)))
            .fold(0, |out, d| out | 2 << d)
    }

    /// Up to `n` tokens further from every distance, as far as the sentence goes.
    fn stretch(&self, distances: Distances, n: u32) -> Distances {
        let mut all = distances;
        let mut done = 0;
        while done < n {
            let more = (n - done).min(done + 1);
            all |= all << more;
            done += more;
        }
        let there = u32::try_from(self.len()).unwrap_or(u32::MAX);
        all & Distances::MAX.checked_shl(there + 1).map_or(Distances::MAX, |beyond| !beyond)
    }

    /// Only the distance at which the sentence ends, if it is among these.
    fn edge(&self, distances: Distances) -> Distances {
        u32::try_from(self.len()).ok().and_then(|d| 1_u64.checked_shl(d)).unwrap_or(0) & distances
    }
}

/// Makes nodes; equal parts of patterns, such as named lists, become one node.
struct Builder<'a> {
    vocabulary: &'a Vocabulary,
    done: FxHashMap<&'a Pattern, Arc<Node>>,
}

impl<'a> Builder<'a> {
    fn node(&mut self, pattern: &'a Pattern) -> Arc<Node> {
        if let Some(node) = self.done.get(pattern) {
            return Arc::clone(node);
        }
        let node = Arc::new(match pattern {
            Pattern::Literal(word) => Node::Word(Classes::new(self.vocabulary.ranges(word, false))),
            Pattern::Prefix(word) => Node::Word(Classes::new(self.vocabulary.ranges(word, true))),
            Pattern::Gap(n) => Node::Gap(*n),
            Pattern::Start => Node::Start,
            Pattern::End => Node::End,
            Pattern::Sequence(parts) => Node::Sequence(parts.iter().map(|p| self.node(p)).collect()),
            Pattern::Optional(part) => Node::Optional(self.node(part)),
            Pattern::Either(parts) => {
                // Branches of one word each are one set of classes.
                let (mut branches, mut words) = (Vec::new(), Vec::new());
                for node in parts.iter().map(|p| self.node(p)) {
                    match &*node {
                        Node::Word(classes) => words.extend_from_slice(&classes.ranges),
                        _ => branches.push(node),
                    }
                }
                let words = Node::Word(Classes::new(words));
                if branches.is_empty() {
                    words
                } else {
                    branches.push(Arc::new(words));
                    Node::Either(Alternatives::new(branches))
                }
            }
        });
        self.done.insert(pattern, Arc::clone(&node));
        node
    }
}

impl Node {
    /// Counts in how many places each class is asked for.
    fn count(&self, uses: &mut [u64]) {
        match self {
            Self::Word(classes) => {
                for class in classes.each() {
                    if let Some(count) = uses.get_mut(usize::from(class)) {
                        *count += 1;
                    }
                }
            }
            Self::Gap(_) | Self::Start | Self::End => {}
            Self::Optional(part) => part.count(uses),
            Self::Sequence(parts) => parts.iter().for_each(|p| p.count(uses)),
            Self::Either(any) => any.branches.iter().for_each(|p| p.count(uses)),
        }
    }

    /// The distances behind this node, from those before it.
    fn reach(&self, side: &Side<'_>, distances: Distances) -> Distances {
        match self {
            Self::Word(classes) => side.step(distances, classes),
            Self::Gap(n) => side.stretch(distances, *n),
            Self::Start if side.backwards => side.edge(distances),
            Self::End if !side.backwards => side.edge(distances),
            // No sentence begins after an anchor or ends before it.
            Self::Start | Self::End => 0,
            Self::Sequence(parts) => {
                let step = |d: Distances, part: &Arc<Self>| Some(part.reach(side, d)).filter(|&d| d != 0);
                if side.backwards { parts.iter().rev().try_fold(distances, step) } else { parts.iter().try_fold(distances, step) }
                    .unwrap_or(0)
            }
            Self::Either(any) => any.reach(side, distances),
            Self::Optional(part) => distances | part.reach(side, distances),
        }
    }

    /// The classes with which it can begin in a direction; `None` if with anything.
    fn entrance(&self, backwards: bool) -> Option<Vec<Class>> {
        match self {
            Self::Word(classes) => Some(classes.each().collect()),
            Self::Gap(_) | Self::Start | Self::End | Self::Optional(_) => None,
            Self::Either(any) => {
                let all: Option<Vec<_>> = any.branches.iter().map(|b| b.entrance(backwards)).collect();
                Some(all?.concat())
            }
            Self::Sequence(parts) => entrance(parts, backwards),
        }
    }

    /// Classes of which one must stand somewhere; all of them if nothing is sure.
    fn need(&self) -> Signature {
        match self {
            Self::Word(classes) => classes.signature,
            Self::Gap(_) | Self::Start | Self::End | Self::Optional(_) => Signature::MAX,
            Self::Sequence(parts) => {
                parts.iter().map(|p| p.need()).min_by_key(|s| s.count_ones()).unwrap_or(Signature::MAX)
            }
            Self::Either(any) => any.branches.iter().fold(0, |all, branch| all | branch.need()),
        }
    }
}

impl Alternatives {
    fn new(branches: Vec<Arc<Node>>) -> Self {
        let (forwards, backwards) = (Entrances::new(&branches, false), Entrances::new(&branches, true));
        Self { branches, forwards, backwards }
    }

    fn reach(&self, side: &Side<'_>, distances: Distances) -> Distances {
        let entrances = if side.backwards { &self.backwards } else { &self.forwards };
        let branch = |number: u16, from: Distances| self.branches.get(usize::from(number)).map_or(0, |b| b.reach(side, from));
        let mut out = entrances.always.iter().fold(0, |out, &number| out | branch(number, distances));
        for distance in each_bit(distances & !(1 << MAX_TOKENS)) {
            let Some(class) = side.token(distance) else { continue };
            let from = entrances.by_class.partition_point(|e| e.0 < class);
            let here = entrances.by_class.iter().skip(from).take_while(|e| e.0 == class);
            out = here.fold(out, |out, &(_, number)| out | branch(number, 1 << distance));
        }
        out
    }
}

impl Entrances {
    fn new(branches: &[Arc<Node>], backwards: bool) -> Self {
        let mut entrances = Self { by_class: Vec::new(), always: Vec::new() };
        for (number, branch) in (0..).zip(branches) {
            match branch.entrance(backwards) {
                Some(classes) => entrances.by_class.extend(classes.into_iter().map(|class| (class, number))),
                None => entrances.always.push(number),
            }
        }
        entrances.by_class.sort_unstable();
        entrances.by_class.dedup();
        entrances
    }
}

impl Classes {
    /// From ranges in any order.
    fn new(mut ranges: Vec<(Class, Class)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(Class, Class)> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.0 <= last.1 => last.1 = last.1.max(range.1),
                _ => joined.push(range),
            }
        }
        let mut classes = Self { signature: 0, ranges: joined };
        classes.signature = classes.each().fold(0, |all, class| all | bit(class));
        classes
    }

    fn each(&self) -> impl Iterator<Item = Class> {
        self.ranges.iter().flat_map(|&(from, to)| from..=to)
    }

    fn contain(&self, class: Class) -> bool {
        if self.signature & bit(class) == 0 {
            return false;
        }
        let after = self.ranges.partition_point(|r| r.0 <= class);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|r| class <= r.1)
    }
}

/// The classes with which nodes that follow each other can begin in a direction; `None` if with
/// anything, or if they can all be left out.
fn entrance(parts: &[Arc<Node>], backwards: bool) -> Option<Vec<Class>> {
    let mut classes = Vec::new();
    for at in 0..parts.len() {
        let part = if backwards { parts.iter().nth_back(at) } else { parts.get(at) }?;
        let Node::Optional(inner) = &**part else {
            classes.extend(part.entrance(backwards)?);
            return Some(classes);
        };
        classes.extend(inner.entrance(backwards)?);
    }
    None
}

fn bit(class: Class) -> Signature {
    1 << (class % 64)
}

fn each_bit(bits: Distances) -> impl Iterator<Item = u32> {
    let mut left = bits;
    std::iter::from_fn(move || {
        let bit = (left != 0).then(|| left.trailing_zeros());
        left &= left.wrapping_sub(1);
        bit
    })
}

/// What the cheapest anchors of a node cost; `None` if the node can be left out.
fn cost(node: &Node, costs: &[u64]) -> Option<u64> {
    match node {
        Node::Word(classes) => {
            let of_class = |class: Class| costs.get(usize::from(class)).copied().unwrap_or(1);
            Some(classes.each().map(of_class).sum::<u64>() + COST_OF_ANCHOR)
        }
        Node::Gap(_) | Node::Start | Node::End | Node::Optional(_) => None,
        Node::Sequence(parts) => parts.iter().filter_map(|part| cost(part, costs)).min(),
        Node::Either(any) => any.branches.iter().map(|part| cost(part, costs)).sum(),
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
            out.push(Anchored {
                pattern,
                classes: classes.clone(),
                needs: Needs::new(before, after),
                before: before.to_vec(),
                after: after.to_vec(),
            });
        }
        Node::Gap(_) | Node::Start | Node::End | Node::Optional(_) => {}
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
        Node::Either(any) => {
            for part in &any.branches {
                anchor(part, around, pattern, costs, out);
            }
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
}
