//! Owns the parts of all patterns of a language, over classes: made from patterns, read from an
//! anchor on. Knows one sentence at a time and no rules.

use rustc_hash::FxHashMap;

use super::matcher::MAX_TOKENS;
use super::pattern::Pattern;
use super::vocabulary::{Class, Vocabulary};

/// The parts of all patterns. Parts that are read together lie together, and equal parts, such as
/// named lists, are there once: reading is as fast as memory is near.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    all: Vec<Node>,
    sets: Vec<Classes>,
    alternatives: Vec<Alternatives>,
}

/// Nodes that follow each other in [`Nodes::all`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    from: u32,
    to: u32,
}

/// A pattern over classes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    /// One token from the first to the last of these classes.
    Word(Class, Class),
    /// One token of a set, by number.
    Words(u32),
    /// Up to so many tokens.
    Gap(u32),
    /// The place before the first word of a sentence.
    Start,
    /// The place after the last word of a sentence.
    End,
    /// All of them, one after the other.
    Sequence(Row),
    /// One of them, by number.
    Either(u32),
    /// It (a row of one), or nothing.
    Optional(Row),
}

/// Branches by the class with which they begin, so that only those are read that can match.
#[derive(Debug)]
struct Alternatives {
    branches: Row,
    forwards: Entrances,
    backwards: Entrances,
}

/// Which branches can begin with a class, read in one direction.
#[derive(Debug)]
struct Entrances {
    /// Classes with which a branch can begin, in order; once for each branch.
    classes: Vec<Class>,
    /// The branch for each of them.
    branches: Vec<u16>,
    signature: Signature,
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

/// Words without which an anchored pattern cannot be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    /// What may stand directly before the anchor.
    before: Signature,
    /// What may stand directly after it.
    after: Signature,
    /// Of what some must stand in the sentence.
    anywhere: Signature,
}

/// A set of classes in one word: a class may be in it only if its bit is set.
pub(super) type Signature = u64;

/// Most fillers passed over in one place.
const FILLERS: usize = 2;
/// What it costs to have another anchor for the same pattern, in uses of a word.
const COST_OF_ANCHOR: u64 = 2;

impl Needs {
    /// Whether the signatures of the tokens beside the anchor and of the whole sentence allow it.
    pub(super) fn met(&self, before: Signature, after: Signature, all: Signature) -> bool {
        let beside = |allowed: Signature, there: Signature| allowed == Signature::MAX || allowed & there != 0;
        self.anywhere & all != 0 && beside(self.before, before) && beside(self.after, after)
    }
}

/// The tokens on one side of an anchor.
pub(super) struct Side<'a> {
    pub(super) sentence: &'a [Class],
    /// First token of what follows, or the token after the last one of what comes before.
    pub(super) at: usize,
    pub(super) backwards: bool,
    /// By class, whether a token may be passed over between the words of a pattern; empty if the
    /// sentence has no such token.
    pub(super) fillers: &'a [bool],
}

/// Bit `n` means: what stands between the anchor and a node can be `n` tokens long.
pub(super) type Distances = u64;

impl Side<'_> {
    /// Tokens on this side.
    fn len(&self) -> usize {
        if self.backwards { self.at } else { self.sentence.len().saturating_sub(self.at) }
    }

    /// The token at a distance: 0 is the one beside the anchor.
    fn token(&self, distance: u32) -> Option<Class> {
        let at = if self.backwards { self.at.checked_sub(distance as usize + 1)? } else { self.at + distance as usize };
        self.sentence.get(at).copied()
    }

    /// One token further from every distance at which the token fits.
    fn step(&self, distances: Distances, fits: impl Fn(Class) -> bool) -> Distances {
        each_bit(self.past_fillers(distances))
            .filter(|&d| self.token(d).is_some_and(&fits))
            .fold(0, |out, d| out | 2 << d)
    }

    /// These distances, and those behind up to [`FILLERS`] fillers.
    fn past_fillers(&self, distances: Distances) -> Distances {
        let mut all = distances & !(1 << MAX_TOKENS);
        if self.fillers.is_empty() {
            return all;
        }
        let mut last = all;
        for _ in 0..FILLERS {
            let filler = |d: &u32| self.token(*d).is_some_and(|class| is_filler(self.fillers, class));
            last = each_bit(last).filter(filler).fold(0, |out, d| out | 2 << d) & !(1 << MAX_TOKENS);
            if last == 0 {
                break;
            }
            all |= last;
        }
        all
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

/// Makes nodes of patterns.
pub(super) struct Builder<'a> {
    vocabulary: &'a Vocabulary,
    nodes: Nodes,
    done: FxHashMap<&'a Pattern, Node>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(vocabulary: &'a Vocabulary) -> Self {
        Self { vocabulary, nodes: Nodes::default(), done: FxHashMap::default() }
    }

    /// All nodes made.
    pub(super) fn finish(self) -> Nodes {
        self.nodes
    }

    pub(super) fn node(&mut self, pattern: &'a Pattern) -> Node {
        if let Some(&node) = self.done.get(pattern) {
            return node;
        }
        let node = match pattern {
            Pattern::Literal(word) => self.nodes.word(self.vocabulary.ranges(word, false)),
            Pattern::Prefix(word) => self.nodes.word(self.vocabulary.ranges(word, true)),
            Pattern::Gap(n) => Node::Gap(*n),
            Pattern::Start => Node::Start,
            Pattern::End => Node::End,
            Pattern::Sequence(parts) => {
                let parts = parts.iter().map(|p| self.node(p)).collect();
                Node::Sequence(self.nodes.row(parts))
            }
            Pattern::Optional(part) => {
                let part = self.node(part);
                Node::Optional(self.nodes.row(vec![part]))
            }
            Pattern::Either(parts) => {
                // Branches of one word each are one set of classes.
                let (mut branches, mut words) = (Vec::new(), Vec::new());
                for part in parts {
                    match self.node(part) {
                        node @ (Node::Word(..) | Node::Words(_)) => words.extend(self.nodes.ranges(node)),
                        node => branches.push(node),
                    }
                }
                if branches.is_empty() {
                    self.nodes.word(words)
                } else {
                    if !words.is_empty() {
                        branches.push(self.nodes.word(words));
                    }
                    self.nodes.either(branches)
                }
            }
        };
        self.done.insert(pattern, node);
        node
    }
}

impl Nodes {
    /// Puts nodes into a row.
    pub(super) fn row(&mut self, nodes: Vec<Node>) -> Row {
        let from = number(self.all.len());
        self.all.extend(nodes);
        Row { from, to: number(self.all.len()) }
    }

    fn of(&self, row: Row) -> &[Node] {
        self.all.get(row.from as usize..row.to as usize).unwrap_or_default()
    }

    fn word(&mut self, ranges: Vec<(Class, Class)>) -> Node {
        let classes = Classes::new(ranges);
        if let [(from, to)] = classes.ranges[..] {
            return Node::Word(from, to);
        }
        self.sets.push(classes);
        Node::Words(number(self.sets.len() - 1))
    }

    fn either(&mut self, branches: Vec<Node>) -> Node {
        let (forwards, backwards) = (Entrances::new(self, &branches, false), Entrances::new(self, &branches, true));
        let branches = self.row(branches);
        self.alternatives.push(Alternatives { branches, forwards, backwards });
        Node::Either(number(self.alternatives.len() - 1))
    }

    fn branches(&self, either: u32) -> &[Node] {
        self.alternatives.get(either as usize).map_or(&[], |any| self.of(any.branches))
    }

    /// The classes of a word; none for any other node.
    fn ranges(&self, node: Node) -> Vec<(Class, Class)> {
        match node {
            Node::Word(from, to) => vec![(from, to)],
            Node::Words(set) => self.sets.get(set as usize).map_or_else(Vec::new, |c| c.ranges.clone()),
            _ => Vec::new(),
        }
    }

    pub(super) fn classes(&self, node: Node) -> Vec<Class> {
        self.ranges(node).into_iter().flat_map(|(from, to)| from..=to).collect()
    }

    /// Counts in how many places each class is asked for.
    pub(super) fn count(&self, node: Node, uses: &mut [u64]) {
        match node {
            Node::Word(..) | Node::Words(_) => {
                for class in self.classes(node) {
                    if let Some(count) = uses.get_mut(usize::from(class)) {
                        *count += 1;
                    }
                }
            }
            Node::Gap(_) | Node::Start | Node::End => {}
            Node::Sequence(row) | Node::Optional(row) => self.of(row).iter().for_each(|p| self.count(*p, uses)),
            Node::Either(any) => self.branches(any).iter().for_each(|p| self.count(*p, uses)),
        }
    }

    /// The distances behind a row of nodes, from those before it.
    pub(super) fn through(&self, row: Row, side: &Side<'_>, distances: Distances) -> Distances {
        let step = |d: Distances, node: &Node| Some(self.reach(*node, side, d)).filter(|&d| d != 0);
        let nodes = self.of(row);
        let end = if side.backwards {
            nodes.iter().rev().try_fold(distances, step)
        } else {
            nodes.iter().try_fold(distances, step)
        };
        end.unwrap_or(0)
    }

    /// The distances behind a node, from those before it.
    fn reach(&self, node: Node, side: &Side<'_>, distances: Distances) -> Distances {
        match node {
            Node::Word(from, to) => side.step(distances, |class| from <= class && class <= to),
            Node::Words(set) => {
                self.sets.get(set as usize).map_or(0, |classes| side.step(distances, |class| classes.contain(class)))
            }
            Node::Gap(n) => side.stretch(distances, n),
            Node::Start if side.backwards => side.edge(distances),
            Node::End if !side.backwards => side.edge(distances),
            // No sentence begins after an anchor or ends before it.
            Node::Start | Node::End => 0,
            Node::Sequence(row) => self.through(row, side, distances),
            Node::Optional(row) => distances | self.through(row, side, distances),
            Node::Either(any) => self.alternatives.get(any as usize).map_or(0, |any| self.one_of(any, side, distances)),
        }
    }

    fn one_of(&self, any: &Alternatives, side: &Side<'_>, distances: Distances) -> Distances {
        let entrances = if side.backwards { &any.backwards } else { &any.forwards };
        let branches = self.of(any.branches);
        let branch = |number: u16, from: Distances| {
            branches.get(usize::from(number)).map_or(0, |branch| self.reach(*branch, side, from))
        };
        let mut out = entrances.always.iter().fold(0, |out, &number| out | branch(number, distances));
        for distance in each_bit(side.past_fillers(distances)) {
            let Some(class) = side.token(distance) else { continue };
            out = entrances.at(class).iter().fold(out, |out, &number| out | branch(number, 1 << distance));
        }
        out
    }

    /// The classes with which a node can begin in a direction; `None` if with anything.
    fn entrance(&self, node: Node, backwards: bool) -> Option<Vec<Class>> {
        match node {
            Node::Word(..) | Node::Words(_) => Some(self.classes(node)),
            Node::Gap(_) | Node::Start | Node::End | Node::Optional(_) => None,
            Node::Sequence(row) => self.entrance_of_row(self.of(row), backwards),
            Node::Either(any) => {
                let all: Option<Vec<_>> = self.branches(any).iter().map(|b| self.entrance(*b, backwards)).collect();
                Some(all?.concat())
            }
        }
    }

    /// The same for nodes that follow each other; `None` too if they can all be left out.
    fn entrance_of_row(&self, nodes: &[Node], backwards: bool) -> Option<Vec<Class>> {
        let mut classes = Vec::new();
        for at in 0..nodes.len() {
            let node = *if backwards { nodes.iter().nth_back(at) } else { nodes.get(at) }?;
            let Node::Optional(inner) = node else {
                classes.extend(self.entrance(node, backwards)?);
                return Some(classes);
            };
            classes.extend(self.entrance_of_row(self.of(inner), backwards)?);
        }
        None
    }

    pub(super) fn needs(&self, before: &[Node], after: &[Node]) -> Needs {
        let beside = |nodes: &[Node], backwards| {
            self.entrance_of_row(nodes, backwards).map_or(Signature::MAX, |c| signature(&c))
        };
        let anywhere = before.iter().chain(after).map(|n| self.need(*n)).min_by_key(|s| s.count_ones());
        Needs {
            before: beside(before, true),
            after: beside(after, false),
            anywhere: anywhere.unwrap_or(Signature::MAX),
        }
    }

    /// Classes of which one must stand somewhere; all of them if nothing is sure.
    fn need(&self, node: Node) -> Signature {
        match node {
            Node::Word(..) | Node::Words(_) => signature(&self.classes(node)),
            Node::Gap(_) | Node::Start | Node::End | Node::Optional(_) => Signature::MAX,
            Node::Sequence(row) => {
                let needs = self.of(row).iter().map(|p| self.need(*p));
                needs.min_by_key(|s| s.count_ones()).unwrap_or(Signature::MAX)
            }
            Node::Either(any) => self.branches(any).iter().fold(0, |all, branch| all | self.need(*branch)),
        }
    }

    /// What the cheapest anchors of a node cost; `None` if the node can be left out.
    fn cost(&self, node: Node, costs: &[u64]) -> Option<u64> {
        match node {
            Node::Word(..) | Node::Words(_) => {
                let of_class = |class: Class| costs.get(usize::from(class)).copied().unwrap_or(1);
                Some(self.classes(node).into_iter().map(of_class).sum::<u64>() + COST_OF_ANCHOR)
            }
            Node::Gap(_) | Node::Start | Node::End | Node::Optional(_) => None,
            Node::Sequence(row) => self.of(row).iter().filter_map(|part| self.cost(*part, costs)).min(),
            Node::Either(any) => self.branches(any).iter().map(|part| self.cost(*part, costs)).sum(),
        }
    }

    /// Adds the cheapest anchors of a node that stands between `around.0` and `around.1`.
    pub(super) fn anchor(
        &self,
        node: Node,
        around: (&[Node], &[Node]),
        pattern: usize,
        costs: &[u64],
        out: &mut Vec<Anchor>,
    ) {
        let (before, after) = around;
        match node {
            Node::Word(..) | Node::Words(_) => {
                out.push(Anchor { pattern, word: node, before: before.to_vec(), after: after.to_vec() });
            }
            Node::Gap(_) | Node::Start | Node::End | Node::Optional(_) => {}
            Node::Sequence(row) => {
                let parts = self.of(row);
                let cheapest =
                    parts.iter().enumerate().filter_map(|(at, part)| Some((self.cost(*part, costs)?, at))).min();
                if let Some((at, part)) = cheapest.and_then(|(_, at)| Some((at, parts.get(at)?))) {
                    let before = [before, parts.get(..at).unwrap_or_default()].concat();
                    let after = [parts.get(at + 1..).unwrap_or_default(), after].concat();
                    self.anchor(*part, (&before, &after), pattern, costs, out);
                }
            }
            Node::Either(any) => {
                for part in self.branches(any) {
                    self.anchor(*part, around, pattern, costs, out);
                }
            }
        }
    }
}

/// An anchor of a pattern, with what stands on both sides of it.
pub(super) struct Anchor {
    pub(super) pattern: usize,
    pub(super) word: Node,
    pub(super) before: Vec<Node>,
    pub(super) after: Vec<Node>,
}

impl Entrances {
    fn new(nodes: &Nodes, branches: &[Node], backwards: bool) -> Self {
        let mut by_class: Vec<(Class, u16)> = Vec::new();
        let mut always = Vec::new();
        for (number, branch) in (0..).zip(branches) {
            match nodes.entrance(*branch, backwards) {
                Some(classes) => by_class.extend(classes.into_iter().map(|class| (class, number))),
                None => always.push(number),
            }
        }
        by_class.sort_unstable();
        by_class.dedup();
        let (classes, branches): (Vec<_>, _) = by_class.into_iter().unzip();
        Self { signature: signature(&classes), classes, branches, always }
    }

    /// The branches that can begin with a class, but for those that can begin with anything.
    fn at(&self, class: Class) -> &[u16] {
        if self.signature & bit(class) == 0 {
            return &[];
        }
        let from = self.classes.partition_point(|&c| c < class);
        let count = self.classes.iter().skip(from).take_while(|&&c| c == class).count();
        self.branches.get(from..from + count).unwrap_or_default()
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
        classes.signature = classes.ranges.iter().flat_map(|&(from, to)| from..=to).fold(0, |all, c| all | bit(c));
        classes
    }

    fn contain(&self, class: Class) -> bool {
        if self.signature & bit(class) == 0 {
            return false;
        }
        let after = self.ranges.partition_point(|r| r.0 <= class);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|r| class <= r.1)
    }
}

pub(super) fn is_filler(fillers: &[bool], class: Class) -> bool {
    fillers.get(usize::from(class)).copied().unwrap_or(false)
}

pub(super) fn bit(class: Class) -> Signature {
    1 << (class % 64)
}

fn signature(classes: &[Class]) -> Signature {
    classes.iter().fold(0, |all, &class| all | bit(class))
}

/// Numbers of nodes fit into 32 bits: a pack has a few thousand patterns.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn each_bit(bits: Distances) -> impl Iterator<Item = u32> {
    let mut left = bits;
    std::iter::from_fn(move || {
        let bit = (left != 0).then(|| left.trailing_zeros());
        left &= left.wrapping_sub(1);
        bit
    })
}
