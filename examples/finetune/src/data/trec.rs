//! TREC question classification: a class from 0 to 5, a space, a question.

use std::path::Path;

use super::{Dataset, Sentence, required_text};
use crate::error::Error;

const CLASSES: usize = 6;

/// Reads labelled texts.
pub fn parse(path: &Path, text: &str) -> Result<Dataset, Error> {
    let mut data = Dataset::default();
    for (index, row) in text.lines().enumerate() {
        if !row.trim().is_empty() {
            data.sentences.push(sentence(path, index + 1, row)?);
        }
    }
    Ok(data)
}

fn sentence(path: &Path, line: usize, row: &str) -> Result<Sentence, Error> {
    let (class, text) = row.trim().split_once(' ').unwrap_or((row.trim(), ""));
    match class.parse::<usize>() {
        Ok(number) if number < CLASSES => Ok(Sentence {
            line,
            text: required_text(path, line, "question", text)?,
            class: number.to_string(),
        }),
        Ok(number) => {
            let reason = format!("class {number} is outside 0..{}", CLASSES - 1);
            Err(Error::row(path, line, reason))
        }
        Err(_) => {
            let reason = format!("expected a class number, a space and a text, found `{class}`");
            Err(Error::row(path, line, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dataset, Error> {
        parse(Path::new("questions.txt"), text)
    }

    #[test]
    fn classes_and_questions_are_read() {
        let data = read("4 Which river is longest ?\n\n0 Why do cats purr ?\n").unwrap();
        assert_eq!(data.sentences[0].class, "4");
        assert_eq!(data.sentences[1].text, "Why do cats purr ?");
        assert_eq!(data.sentences[1].line, 3);
    }

    #[test]
    fn broken_rows_name_their_line() {
        for (text, message) in [
            ("1 a\n6 b\n", "questions.txt:2: class 6 is outside 0..5"),
            ("Which one ?\n", "questions.txt:1: expected a class number"),
            ("1 a\n2\n", "questions.txt:2: `question` is empty"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
