//! TREC question classification: a class from 0 to 5 or such as `DESC:manner`, a space, a question.

use super::contents::Contents;
use super::{Place, required_text};
use crate::error::Error;

const CLASSES: usize = 6;

/// Letters of a text that an error shows.
const SHOWN: usize = 40;

/// A text with its place and its class.
type Labelled = (Place, String, String);

/// Reads labelled texts, which come after their classes.
pub fn rows(contents: &Contents) -> Result<impl Iterator<Item = Result<Labelled, Error>>, Error> {
    let filled = |(_, row): &(usize, String)| !row.trim().is_empty();
    let lines = contents.lines()?.filter(move |line| line.as_ref().map_or(true, filled));
    Ok(lines.map(|line| {
        let (number, row) = line?;
        sentence(Place::new(contents.path().clone(), number), &row)
    }))
}

fn sentence(place: Place, row: &str) -> Result<Labelled, Error> {
    let (class, text) = row.trim().split_once(' ').unwrap_or((row.trim(), ""));
    let sentence = |class: String| {
        let text = required_text(&place, "question", text)?;
        Ok((place.clone(), class, text))
    };
    match class.parse::<usize>() {
        Ok(number) if number < CLASSES => sentence(number.to_string()),
        Ok(number) => {
            let reason = format!("class {number} is outside 0..{}", CLASSES - 1);
            Err(place.error(reason))
        }
        Err(_) if is_name(class) => sentence(class.to_string()),
        Err(_) => {
            let found: String = class.chars().take(SHOWN).collect();
            let (kind, format) = match row.contains('\t') {
                true => ("values between tabs", "tsv"),
                false => ("one text per line", "lines"),
            };
            let reason = format!(
                "expected a class number, a space and a text, as in TREC, found `{found}`; for {kind}, say \
                 --format {format} (for --eval: --eval-format)"
            );
            Err(place.error(reason))
        }
    }
}

/// Whether this is a class by its name, coarse and fine, as the original files have it.
fn is_name(class: &str) -> bool {
    class.split_once(':').is_some_and(|(coarse, fine)| {
        let upper = |letter: char| letter.is_ascii_uppercase();
        !coarse.is_empty() && coarse.chars().all(upper) && !fine.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<Vec<Labelled>, Error> {
        let contents = Contents::of_bytes(Path::new("questions.txt"), text.as_bytes());
        rows(&contents)?.collect()
    }

    #[test]
    fn classes_and_questions_are_read() {
        let rows = read("4 Which river is longest ?\n\n0 Why do cats purr ?\n").unwrap();
        let (place, class, text) = &rows[1];
        assert_eq!((place.line, &class[..], &text[..]), (3, "0", "Why do cats purr ?"));
        assert_eq!(rows[0].1, "4");
        let rows = read("DESC:manner How did it end ?\nENTY:cremat What is it ?\n").unwrap();
        assert_eq!((&rows[0].1[..], &rows[1].2[..]), ("DESC:manner", "What is it ?"));
    }

    #[test]
    fn broken_rows_name_their_line() {
        for (text, message) in [
            ("1 a\n6 b\n", "questions.txt:2: class 6 is outside 0..5"),
            (
                "Which one ?\n",
                "questions.txt:1: expected a class number, a space and a text, as in TREC, found `Which`; for one \
                 text per line, say --format lines",
            ),
            ("1 a\n2\n", "questions.txt:2: `question` is empty"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
