//! The part of a long text that its first tokens come from.
//!
//! A tokenizer takes about a hundred bytes of memory for each byte of a text, and most of the tokens of a
//! long text are cut off.

use tokenizers::utils::truncation::TruncationDirection;

/// Tokens are rarely longer, in bytes.
const TOKEN: usize = 64;
/// How much longer the part becomes, if it gave too few tokens.
const GROWTH: usize = 8;
/// The longest part, in bytes, unless the limit in tokens is very high. Of a text that is longer and has few
/// tokens, such as one word of many megabytes, the rest is not read.
pub const LONGEST: usize = 1 << 21;

/// How many bytes of a text are read for `tokens` tokens: tried one after the other.
pub fn sizes(tokens: usize) -> impl Iterator<Item = usize> {
    let first = tokens.saturating_add(1).saturating_mul(TOKEN);
    let next = move |size: &usize| {
        let larger = size.saturating_mul(GROWTH).min(LONGEST);
        (larger > *size).then_some(larger)
    };
    std::iter::successors(Some(first), next)
}

/// The first `size` bytes of a text, or the last, and the rest of the word there, unless that is longer.
pub fn part(text: &str, size: usize, side: TruncationDirection) -> &str {
    if text.len() <= size {
        return text;
    }
    match side {
        TruncationDirection::Right => {
            let cut = text.ceil_char_boundary(size);
            let within = &text[cut..text.ceil_char_boundary(cut.saturating_add(size))];
            &text[..cut + within.find(char::is_whitespace).unwrap_or(0)]
        }
        TruncationDirection::Left => {
            let cut = text.floor_char_boundary(text.len() - size);
            let start = text.floor_char_boundary(cut.saturating_sub(size));
            let space = text[start..cut].rfind(char::is_whitespace);
            &text[space.map_or(cut, |space| start + space)..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_with_a_word() {
        let text = "one two ärger four";
        let right = |size| part(text, size, TruncationDirection::Right);
        let left = |size| part(text, size, TruncationDirection::Left);
        assert_eq!([5, 9, 40].map(right), ["one two", "one two ärger", text]);
        assert_eq!([3, 6, 40].map(left), [" four", " ärger four", text]);
        let word = "ä".repeat(9);
        assert_eq!(part(&word, 3, TruncationDirection::Right), "ää");
        assert_eq!(part(&word, 3, TruncationDirection::Left), "ää");
    }

    #[test]
    fn parts_grow_up_to_a_limit() {
        assert_eq!(sizes(511).collect::<Vec<_>>(), [1 << 15, 1 << 18, LONGEST]);
        assert_eq!(sizes(1 << 20).count(), 1);
        assert_eq!(sizes(usize::MAX).collect::<Vec<_>>(), [usize::MAX]);
    }
}
