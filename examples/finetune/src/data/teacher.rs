//! A teacher for the built-in corpus: embeddings from a formula, for `MSELoss` to imitate.
//!
//! Real distillation takes its targets from a large model. The teacher of the built-in corpus uses
//! only the words and the topic of a sentence. Each word and each topic has a fixed random direction
//! of length one. A sentence's embedding is the mean direction of its longer words plus the direction
//! of its topic, both scaled to the same length.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Collector, Dataset, TeacherTarget};
use crate::error::Error;

/// Size of the teacher's embeddings: the same as the encoder's default.
const DIMENSION: usize = 128;
/// Shorter words say little about the meaning of a sentence.
const SHORTEST_WORD: usize = 4;

/// The teacher's embeddings of labelled sentences, their label being the topic.
pub fn targets(labelled: &Dataset, all: &mut Collector) -> Result<Vec<TeacherTarget>, Error> {
    let mut targets = Vec::new();
    for sentence in &labelled.sentences {
        let text = labelled.text(sentence.text)?;
        targets.push(TeacherTarget {
            place: sentence.place.clone(),
            text: all.add(&text)?,
            embedding: all.add_vector(&embedding(&text, &sentence.class))?,
        });
    }
    Ok(targets)
}

fn embedding(text: &str, topic: &str) -> Vec<f32> {
    let mut words = vec![0.0; DIMENSION];
    for word in text.split(|letter: char| !letter.is_alphanumeric()) {
        if word.chars().count() >= SHORTEST_WORD {
            add(&mut words, &direction("word", &word.to_lowercase()));
        }
    }
    let mut sum = unit(words);
    add(&mut sum, &direction("topic", topic));
    unit(sum)
}

/// The direction of a word or a topic, which depends only on its spelling.
fn direction(kind: &str, name: &str) -> Vec<f32> {
    // FNV-1a: the standard library's hash may change from one release of Rust to the next.
    let hash =
        kind.bytes().chain([b' ']).chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let mut rng = StdRng::seed_from_u64(hash);
    unit((0..DIMENSION).map(|_| rng.random_range(-1.0..1.0)).collect())
}

fn add(sum: &mut [f32], other: &[f32]) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

fn unit(row: Vec<f32>) -> Vec<f32> {
    let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    row.into_iter().map(|value| value * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(left: (&str, &str), right: (&str, &str)) -> f32 {
        let (left, right) = (embedding(left.0, left.1), embedding(right.0, right.1));
        left.iter().zip(&right).map(|(left, right)| left * right).sum()
    }

    #[test]
    fn common_words_and_common_topics_bring_sentences_together() {
        let kettle = ("The kettle whistles on the stove", "kitchen");
        let same_words = cosine(kettle, ("A stove, a kettle", "kitchen"));
        let same_topic = cosine(kettle, ("Butter melts slowly", "kitchen"));
        let nothing = cosine(kettle, ("Waves reach the pier", "sea"));
        assert!(same_words > same_topic + 0.1, "{same_words} {same_topic}");
        assert!(same_topic > nothing + 0.1, "{same_topic} {nothing}");
    }
}
