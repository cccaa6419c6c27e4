//! Whether a file of tabs puts values into quotes, as spreadsheets and pandas write it. Most have texts with quotes in
//! them, and no other meaning of these.

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

/// Whether some values begin with a quote, and each of these ends with one, all others within it being double.
pub fn are_quoted(contents: &Contents) -> Result<bool, Error> {
    let (mut place, mut some) = (Place::Begin, false);
    for byte in contents.text()?.bytes() {
        let byte = byte.map_err(|error| contents.unreadable(error))?;
        place = match (place, byte) {
            (Place::Quoted, b'"') => Place::Quote,
            (Place::Quoted, _) | (Place::Quote, b'"') => Place::Quoted,
            (_, b'\t' | b'\n' | b'\r') => Place::Begin,
            (Place::Begin, b'"') => {
                some = true;
                Place::Quoted
            }
            (Place::Quote, _) => return Ok(false),
            _ => Place::Within,
        };
    }
    Ok(some && place != Place::Quoted)
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
}
