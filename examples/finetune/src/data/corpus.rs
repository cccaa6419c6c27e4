//! The built-in corpus: English sentences on everyday topics, written for this program.
//!
//! Three files for training and three for evaluation, with no sentence in both, each in a format
//! that `--data` reads: pairs with a score and a class, triplets with a margin, sentences with
//! their topic. The sentences also feed `MSELoss`, with the embeddings of [`super::teacher`].

use std::path::Path;
use std::sync::Arc;

use super::texts::Collector;
use super::{Dataset, Format, Hints, parse, parse_with, teacher};
use crate::error::Error;

/// One compiled-in file: its name below the package, and its text.
type File = (&'static str, &'static str);

macro_rules! file {
    ($path:literal) => {
        ($path, include_str!(concat!("../../", $path)))
    };
}

/// The rows to train on.
pub fn training() -> Result<Dataset, Error> {
    dataset(
        "the built-in corpus",
        file!("corpus/train/pairs.jsonl"),
        file!("corpus/train/triplets.jsonl"),
        file!("corpus/train/sentences.jsonl"),
    )
}

/// The rows to evaluate on.
pub fn evaluation() -> Result<Dataset, Error> {
    dataset(
        "the built-in evaluation corpus",
        file!("corpus/eval/pairs.jsonl"),
        file!("corpus/eval/triplets.jsonl"),
        file!("corpus/eval/sentences.jsonl"),
    )
}

fn dataset(name: &str, pairs: File, triplets: File, sentences: File) -> Result<Dataset, Error> {
    let mut texts = Collector::new(None);
    let mut read = |(path, text): File| {
        parse_with(Path::new(path), text.as_bytes(), Format::Jsonl, &mut texts)
    };
    let (pairs, rankings) = (read(pairs)?.pairs, read(triplets)?.rankings);
    let (path, text) = sentences;
    let labelled = parse(Path::new(path), text.as_bytes(), Format::Jsonl, Hints::default())?;
    let sentences = read(sentences)?.sentences;
    let teacher_targets = teacher::targets(&labelled, &mut texts)?;
    Ok(Dataset {
        path: name.into(),
        pairs,
        rankings,
        teacher_targets,
        sentences,
        texts: Arc::new(texts.finish()?),
        ..Dataset::default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_corpus_reads_without_an_error_and_has_a_few_hundred_rows() {
        let (training, evaluation) = (training().unwrap(), evaluation().unwrap());
        for (data, least) in [(&training, 100), (&evaluation, 30)] {
            assert!(data.pairs.len() >= least, "{}", data.contents());
            assert!(data.rankings.len() >= least, "{}", data.contents());
            assert!(data.sentences.len() >= least, "{}", data.contents());
        }
        assert_eq!(training.sentence_classes(), evaluation.sentence_classes());
    }

    #[test]
    fn no_sentence_is_in_both_halves() {
        let (training, evaluation) = (training().unwrap(), evaluation().unwrap());
        let texts = |data: &Dataset| {
            let lower = |text| data.text(text).unwrap().to_lowercase();
            data.all_texts().map(lower).collect::<HashSet<_>>()
        };
        let (known, others) = (texts(&training), texts(&evaluation));
        let common: Vec<_> = known.intersection(&others).collect();
        assert!(common.is_empty(), "{common:?}");
    }
}
