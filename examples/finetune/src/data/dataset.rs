//! The rows of a data set.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::texts::{Text, Texts, Vector};
use super::{List, Place, ScoreRange};
use crate::error::Error;

/// Two texts with a similarity or a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Where the row comes from.
    pub place: Place,
    /// The first text.
    pub left: Text,
    /// The second text.
    pub right: Text,
    /// Similarity, scaled to `0..=1`, or to `-1..=1` if the file has scores below 0.
    pub score: Option<f32>,
    /// The class of the pair, such as `ENTAILMENT`, or `0` and `1`.
    pub class: Option<String>,
}

/// A text, one that belongs to it, and any number of others that do not.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Where the row comes from.
    pub place: Place,
    /// The query or anchor.
    pub anchor: Text,
    /// The text that belongs to the anchor.
    pub positive: Text,
    /// Texts that do not belong to it.
    pub negatives: Vec<Text>,
    /// For each negative, how much higher the positive should score; or empty.
    pub margins: Vec<f32>,
    /// A teacher's scores of the positive and of each negative; or empty.
    pub scores: Vec<f32>,
}

impl Ranking {
    /// Two texts that belong together.
    pub fn of(place: Place, anchor: Text, positive: Text) -> Self {
        let (negatives, margins, scores) = (Vec::new(), Vec::new(), Vec::new());
        Self { place, anchor, positive, negatives, margins, scores }
    }
}

/// A text with a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// Where the row comes from.
    pub place: Place,
    /// The text.
    pub text: Text,
    /// Its class.
    pub class: String,
}

/// A text with the embedding that a teacher gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct TeacherTarget {
    /// Where the row comes from.
    pub place: Place,
    /// The text.
    pub text: Text,
    /// The teacher's embedding.
    pub embedding: Vector,
}

/// All rows of one source. Files have one kind of row, the built-in corpus all but bare texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// The file, for messages; of several, the first and how many more.
    pub path: PathBuf,
    /// Two texts with a score or a class.
    pub pairs: Vec<Pair>,
    /// Anchor, positive, negatives.
    pub rankings: Vec<Ranking>,
    /// Queries with documents and labels.
    pub lists: Vec<List>,
    /// Texts with a class.
    pub sentences: Vec<Sentence>,
    /// Texts with a teacher's embedding.
    pub teacher_targets: Vec<TeacherTarget>,
    /// Texts without a label.
    pub bare: Vec<Text>,
    /// What the numbers of the texts stand for.
    pub texts: Arc<Texts>,
    /// The scale that the file gives its scores on, if it has some.
    pub scale: Option<ScoreRange>,
    /// Whether the file names its columns.
    pub named: bool,
    /// Whether the classes of pairs are 0 and 1; decided by these rows alone if `None`.
    pub binary: Option<bool>,
    /// Facts about the file that the user should know.
    pub notes: Vec<String>,
}

impl Dataset {
    /// The number of rows of all kinds.
    pub fn rows(&self) -> usize {
        let labelled = self.sentences.len() + self.teacher_targets.len();
        self.pairs.len() + self.rankings.len() + self.lists.len() + labelled + self.bare.len()
    }

    /// Notes how many rows are left out, if any, and why.
    pub fn leave_out(&mut self, rows: usize, lack: &str) {
        if rows > 0 {
            self.notes.push(format!("rows without {lack}, left out: {rows}"));
        }
    }

    /// Whether any row has more than a bare text: a label, a score or a partner.
    pub fn tells_something(&self) -> bool {
        self.rows() > self.bare.len()
    }

    /// A hash of all rows.
    pub fn fingerprint(&self) -> String {
        let mut words = HashedWords(DefaultHasher::new());
        // The words of millions of rows are not put together.
        write!(words, "{self:?}").expect("hashing does not fail");
        self.texts.hash().hash(&mut words.0);
        format!("{:016x}", words.0.finish())
    }

    /// What a text reads.
    ///
    /// # Errors
    ///
    /// If it is in a temporary file that cannot be read.
    pub fn text(&self, text: Text) -> Result<Cow<'_, str>, Error> {
        self.texts.get(text)
    }

    /// Its name in messages.
    pub fn name(&self) -> String {
        // A line break in it would begin a message of its own.
        self.path.display().to_string().replace('\n', "\\n")
    }

    /// Its contents, in words.
    pub fn contents(&self) -> String {
        let scored = self.pairs.iter().filter(|pair| pair.score.is_some()).count();
        let classified = self.pairs.iter().filter(|pair| pair.class.is_some()).count();
        let triplets = self.rankings.iter().filter(|row| !row.negatives.is_empty()).count();
        let same = |classes: &[&str]| match classes {
            [class] => format!(", all of class {class}"),
            _ => String::new(),
        };
        let mut scores = self.pairs.iter().filter_map(|pair| pair.score);
        let first = scores.next();
        let one_score = scored > 1 && scores.all(|score| Some(score) == first);
        let counted = [
            (
                scored,
                "scored pairs",
                if one_score { ", all with one score".into() } else { String::new() },
            ),
            (classified, "classified pairs", same(&self.pair_classes())),
            (triplets, "triplets", String::new()),
            (self.rankings.len() - triplets, "positive pairs", String::new()),
            (self.lists.len(), "queries with labelled documents", String::new()),
            (self.sentences.len(), "labelled texts", same(&self.sentence_classes())),
            (self.teacher_targets.len(), "texts with a teacher's embedding", String::new()),
            (self.bare.len(), "texts", String::new()),
        ];
        let parts = counted.iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<_> =
            parts.map(|(count, what, all)| format!("{count} {what}{all}")).collect();
        parts.join(", ")
    }

    /// Every text, in the order of the rows.
    pub fn all_texts(&self) -> impl Iterator<Item = Text> {
        self.columns().map(|(_, text)| text)
    }

    /// Every text with its column, counted from zero, in the order of the rows.
    pub fn columns(&self) -> impl Iterator<Item = (usize, Text)> {
        let alone = |text: Text| (0, text);
        let pairs = self.pairs.iter().flat_map(|row| [(0, row.left), (1, row.right)]);
        let rankings = self.rankings.iter().flat_map(|row| {
            let negatives = (2..).zip(row.negatives.iter().copied());
            [(0, row.anchor), (1, row.positive)].into_iter().chain(negatives)
        });
        let lists = self.lists.iter().flat_map(|row| {
            std::iter::once((0, row.query))
                .chain(row.documents.iter().map(|document| (1, *document)))
        });
        let sentences = self.sentences.iter().map(move |row| alone(row.text));
        let targets = self.teacher_targets.iter().map(move |row| alone(row.text));
        let bare = self.bare.iter().copied().map(alone);
        pairs.chain(rankings).chain(lists).chain(sentences).chain(targets).chain(bare)
    }

    /// At most `rows` rows of each kind, drawn with `rng`, in their order.
    pub fn sample(mut self, rows: usize, rng: &mut StdRng) -> Self {
        draw(&mut self.pairs, rows, rng);
        draw(&mut self.rankings, rows, rng);
        draw(&mut self.lists, rows, rng);
        draw(&mut self.sentences, rows, rng);
        draw(&mut self.teacher_targets, rows, rng);
        draw(&mut self.bare, rows, rng);
        self
    }

    /// Takes a share of each kind of row out, drawn with `rng`; returns the remaining rows and those
    /// taken out.
    pub fn hold_out(mut self, share: f64, rng: &mut StdRng) -> (Self, Self) {
        let held = Self {
            path: PathBuf::from(format!("{} (held-out rows)", self.name())),
            pairs: split(&mut self.pairs, share, rng),
            rankings: split(&mut self.rankings, share, rng),
            lists: split(&mut self.lists, share, rng),
            sentences: split(&mut self.sentences, share, rng),
            teacher_targets: split(&mut self.teacher_targets, share, rng),
            bare: split(&mut self.bare, share, rng),
            texts: self.texts.clone(),
            scale: self.scale,
            named: self.named,
            binary: self.binary,
            notes: Vec::new(),
        };
        (self, held)
    }
}

/// Hashes what is written.
struct HashedWords(DefaultHasher);

impl Write for HashedWords {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        self.0.write(words.as_bytes());
        Ok(())
    }
}

/// Leaves at most `limit` rows, in their order.
fn draw<T>(rows: &mut Vec<T>, limit: usize, rng: &mut StdRng) {
    let surplus = rows.len().saturating_sub(limit);
    take(rows, surplus, rng);
}

/// Takes a share of the rows out; both parts keep their order.
fn split<T>(rows: &mut Vec<T>, share: f64, rng: &mut StdRng) -> Vec<T> {
    let count = (rows.len() as f64 * share).round() as usize;
    take(rows, count, rng)
}

fn take<T>(rows: &mut Vec<T>, count: usize, rng: &mut StdRng) -> Vec<T> {
    let mut taken: Vec<bool> = (0..rows.len()).map(|index| index < count).collect();
    taken.shuffle(rng);
    let mut taken = taken.into_iter();
    rows.extract_if(.., |_| taken.next() == Some(true)).collect()
}
