//! Owns the two scripts of Chinese: folding Traditional to Simplified, telling them apart.
//! Knows single characters only; wording that differs by region is data of the language packs.

use std::sync::LazyLock;

const FIRST: u32 = 0x4E00;
const LAST: u32 = 0x9FFF;

struct Table {
    simplified: Vec<char>,
    is_target: Vec<bool>,
}

/// Character table made once from `fast2s`, so that folding costs one look-up.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let all: Vec<char> = (FIRST..=LAST).filter_map(char::from_u32).collect();
    // Separated by a Latin letter, so that no character is read in the context of its neighbour.
    let spaced: String = all.iter().flat_map(|&c| [c, 'a']).collect();
    let simplified: Vec<char> = fast2s::convert(&spaced).chars().step_by(2).collect();
    let mut is_target = vec![false; all.len()];
    for (&from, &to) in all.iter().zip(&simplified) {
        if let Some(at) = index(to)
            && from != to
            && let Some(slot) = is_target.get_mut(at)
        {
            *slot = true;
        }
    }
    Table { simplified, is_target }
});

fn index(c: char) -> Option<usize> {
    let code = u32::from(c);
    (FIRST..=LAST).contains(&code).then(|| (code - FIRST) as usize)
}

/// The Simplified form of a Han character; any other character is returned unchanged.
pub(super) fn simplify(c: char) -> char {
    index(c).and_then(|at| TABLE.simplified.get(at).copied()).unwrap_or(c)
}

/// How many characters are Traditional only, and how many are Simplified forms.
#[must_use]
pub fn script_votes(text: &str) -> (usize, usize) {
    let table = &*TABLE;
    let mut votes = (0, 0);
    for c in text.chars() {
        let Some(at) = index(c) else { continue };
        if table.simplified.get(at) != Some(&c) {
            votes.0 += 1;
        } else if table.is_target.get(at) == Some(&true) {
            votes.1 += 1;
        }
    }
    votes
}

/// Whether Chinese text is written in Traditional characters. Text without evidence is not.
#[must_use]
pub fn is_traditional(text: &str) -> bool {
    let (traditional, simplified) = script_votes(text);
    traditional > 0 && traditional * 2 >= simplified
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_scripts_apart() {
        assert!(is_traditional("我會去消保官申訴"));
        assert!(!is_traditional("这已经是我第三次找你们客服了"));
        assert!(!is_traditional("你好"));
    }

    #[test]
    fn folds_single_characters() {
        let folded: String = "氣死我了，退錢".chars().map(simplify).collect();
        assert_eq!(folded, "气死我了，退钱");
    }
}
