//! Quotes around values: whether they are closed, and whether a file of tabs has any, as spreadsheets and pandas
//! write it. Most have texts with quotes in them, and no other meaning of these.

use std::io::Read;

use crate::data::contents::Contents;
use crate::error::Error;

/// A place within a value.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Begin,
    Within,
    Quoted,
    /// After a quote in a quoted value: the end of it, or the first of two that stand for one.
    Quote,
}

impl Place {
    /// The place after a byte.
    fn after(self, byte: u8, separator: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) | (Self::Quote, b'"') => Self::Quoted,
            (_, b'\n' | b'\r') => Self::Begin,
            (_, byte) if byte == separator => Self::Begin,
            (Self::Begin, b'"') => Self::Quoted,
            _ => Self::Within,
        }
    }
}

/// Whether some values of a file of tabs begin with a quote, and each of these ends with one, all others within it
/// being double. A quote that reaches over a tab or a line is part of the text where every line has as many tabs.
pub fn are_quoted(contents: &Contents) -> Result<bool, Error> {
    let (mut place, mut some, mut reaches) = (Place::Begin, false, false);
    let mut tabs = Tabs::default();
    for byte in contents.text()?.bytes() {
        let byte = byte.map_err(|error| contents.unreadable(error))?;
        let next = place.after(byte, b'\t');
        if (place, next) == (Place::Quote, Place::Within) {
            return Ok(false);
        }
        some |= (place, next) == (Place::Begin, Place::Quoted);
        reaches |= place == Place::Quoted && [b'\t', b'\n'].contains(&byte);
        tabs.count(byte);
        place = next;
    }
    Ok(some && place != Place::Quoted && !(reaches && tabs.are_even()))
}

/// The tabs in each line.
#[derive(Default)]
struct Tabs {
    here: usize,
    first: Option<usize>,
    uneven: bool,
}

impl Tabs {
    fn count(&mut self, byte: u8) {
        match byte {
            b'\t' => self.here += 1,
            b'\n' => self.end_line(),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.uneven |= *self.first.get_or_insert(self.here) != self.here;
        self.here = 0;
    }

    /// Whether all lines have the same number of them, and some. The last line may have no end.
    fn are_even(mut self) -> bool {
        if self.here > 0 {
            self.end_line();
        }
        !self.uneven && self.first.is_some_and(|tabs| tabs > 0)
    }
}

/// Refuses quotes that would not end where they are meant to.
pub fn check(contents: &Contents, separator: u8) -> Result<(), Error> {
    match fault(contents, separator)? {
        None => Ok(()),
        Some((line, reason)) => Err(Error::row(contents.path(), line, reason)),
    }
}

const UNCLOSED: &str =
    "a quote begins here that never ends: close it, or double it if it belongs to the text";
const ESCAPED: &str = "a quote within a quoted value has a backslash before it, which does not keep the value from ending: \
                       double the quote, as pandas does without escapechar";

/// The first quote that never ends, or that is escaped as in programs, by its line.
fn fault(contents: &Contents, separator: u8) -> Result<Option<(usize, &'static str)>, Error> {
    let (mut place, mut line, mut began) = (Place::Begin, 1, 1);
    let (mut before, mut escaped) = (0, false);
    for byte in contents.text()?.bytes() {
        let byte = byte.map_err(|error| contents.unreadable(error))?;
        let next = place.after(byte, separator);
        if (place, next) == (Place::Begin, Place::Quoted) {
            began = line;
        }
        if (place, next) == (Place::Quoted, Place::Quote) {
            escaped = before == b'\\';
        } else if (place, next) == (Place::Quote, Place::Within) && escaped {
            return Ok(Some((line, ESCAPED)));
        }
        before = byte;
        line += usize::from(byte == b'\n');
        place = next;
    }
    Ok((place == Place::Quoted).then_some((began, UNCLOSED)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn values_are_quoted_or_have_quotes_in_them() {
        for (text, expected) in [
            ("a\t\"b\"\n", true),
            ("\"a \"\"b\"\" c\"\td\r\n", true),
            ("\"a\n\tb\"\tc", true),
            ("a\tb\n\"c\td\ne\"\tf\n", false),
            ("a\t\"\"\n", true),
            ("a\tb \"c\" d\n", false),
            ("a\t\"b\" c\n", false),
            ("\"a \"b\" c\"\td\n", false),
            ("a\t\"b\nc\td\n", false),
            ("a\tb\n", false),
        ] {
            let contents = Contents::of_bytes(Path::new("a.tsv"), text.as_bytes());
            assert_eq!(are_quoted(&contents).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quote_without_an_end_is_found_where_it_begins() {
        for (text, expected) in [
            ("a,\"b\nc,d\n", Some((1, UNCLOSED))),
            ("a,\"b\nc\"\n\"e", Some((3, UNCLOSED))),
            ("a,\"b\"\"\nc\"\n", None),
            ("a,5\" b\n", None),
            ("\"a\" b,c\n", None),
            ("\"a\n\\\"b\\\" c\",d\n", Some((2, ESCAPED))),
            ("\"a\\\",d\n", None),
        ] {
            let contents = Contents::of_bytes(Path::new("a.csv"), text.as_bytes());
            assert_eq!(fault(&contents, b',').unwrap(), expected, "{text:?}");
        }
    }
}
