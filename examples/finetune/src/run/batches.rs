//! The examples of a loss as token ids, batch by batch. Texts are tokenised when their batch comes; the ids are kept for
//! the next epoch unless there are very many examples.

use std::sync::OnceLock;

use burn::tensor::{Int, Tensor};
use burn_embedding_losses::catalog::BatchKind;
use burn_embedding_losses::noise::WordDeletionConfig;
use burn_embedding_losses::reranking::MultipleNegativesRankingLoss;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::guide::Guide;
use super::routes::Routes;
use super::sampler::{Kind, Sampler};
use super::schedule::Schedule;
use crate::data::repeats::{Groups, Ids, Repeats};
use crate::data::task::{Example, Target, is_ranked};
use crate::data::{Text, Texts};
use crate::error::Error;

/// The most examples whose token ids are kept from one epoch to the next.
const KEPT: usize = 1 << 18;

/// The examples of a loss, ready to be encoded.
#[derive(Debug)]
pub struct Batches<'a> {
    takes: BatchKind,
    examples: &'a [Example],
    /// The texts of the examples.
    all: &'a Texts,
    routes: &'a Routes,
    /// The token ids of the texts of each example that has been in a batch; nothing if there are too many.
    kept: Vec<OnceLock<Vec<Vec<u32>>>>,
    groups: Option<Groups>,
    sampler: Sampler,
    schedule: &'a Schedule,
    guide: Option<&'a Guide>,
    /// Draws documents of other rows, for a reranker that compares with them.
    negatives: Option<&'a MultipleNegativesRankingLoss>,
}

/// One batch of token ids.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The ids of all texts, column after column.
    pub texts: Vec<Vec<u32>>,
    /// The number of the route of each text through the encoder.
    pub routes: Vec<usize>,
    /// The number of columns.
    pub columns: usize,
    /// For lists of different lengths: which text stands at each place, one column after another. Where a list
    /// has ended it may be any.
    pub places: Option<Vec<usize>>,
    /// The target of each row.
    pub targets: Vec<&'a Target>,
    /// A teacher's numbers for each row, if the targets are such.
    pub vectors: Vec<Vec<f32>>,
    /// Group numbers of the rows, where other rows are negatives.
    pub ids: Option<Ids>,
    /// The ids of the first text of each row, undamaged.
    pub whole: Vec<Vec<u32>>,
    /// A guide's embeddings of the columns, if there is a guide.
    pub guide: Option<Vec<Tensor<2>>>,
}

/// The batches of one training step.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The epoch, counted from zero.
    pub epoch: usize,
    /// Whether it is the last step of its epoch.
    pub last: bool,
    /// Each a list of examples.
    pub batches: Vec<Vec<usize>>,
}

impl Batch<'_> {
    /// The columns of a matrix with a row for each text.
    pub fn divide(&self, rows: Tensor<2>) -> Vec<Tensor<2>> {
        let rows = match &self.places {
            None => rows,
            Some(places) => {
                let places: Vec<_> = places.iter().map(|&place| place as i32).collect();
                let places = Tensor::<1, Int>::from_data(places.as_slice(), &rows.device());
                rows.select(0, places)
            }
        };
        rows.chunk(self.columns, 0)
    }

    /// The ids of all texts, borrowed.
    pub fn rows(&self) -> Vec<&[u32]> {
        self.texts.iter().map(Vec::as_slice).collect()
    }
}

/// The token ids of pairs, the number of columns, and [`Batch::places`].
type PairColumns = (Vec<Vec<u32>>, usize, Option<Vec<usize>>);

impl<'a> Batches<'a> {
    /// Plans the batches of the examples.
    pub fn new(
        takes: BatchKind,
        examples: &'a [Example],
        all: &'a Texts,
        routes: &'a Routes,
        schedule: &'a Schedule,
    ) -> Self {
        // A guide finds equal texts by itself.
        let ranked = is_ranked(takes) && takes != BatchKind::GuidedRankings;
        let masked = ranked && schedule.repeats == Repeats::Mask;
        let groups = masked.then(|| Groups::new(examples));
        let sampler = Sampler::new(takes, examples, schedule);
        let pairs = routes.pairs().is_some();
        let keeps = schedule.epochs > 1 && examples.len() <= KEPT && !pairs;
        let kept = if keeps { vec![OnceLock::new(); examples.len()] } else { Vec::new() };
        Self {
            takes,
            examples,
            all,
            routes,
            kept,
            groups,
            sampler,
            schedule,
            guide: None,
            negatives: None,
        }
    }

    /// The same, with the embeddings of a guide.
    pub fn guided_by(self, guide: Option<&'a Guide>) -> Self {
        Self { guide, ..self }
    }

    /// The same, with documents of other rows beside each query's own.
    pub fn with_negatives(self, negatives: Option<&'a MultipleNegativesRankingLoss>) -> Self {
        Self { negatives, ..self }
    }

    /// The number of all steps.
    pub fn count(&self) -> usize {
        let Schedule { epochs, gradient_accumulation, steps, .. } = *self.schedule;
        let most = steps.unwrap_or(usize::MAX);
        let mut count: usize = 0;
        for epoch in 0..epochs {
            let batches = self.sampler.epoch(epoch).batches.len();
            count = count.saturating_add(batches.div_ceil(gradient_accumulation));
            // There may be far more epochs than the steps begin.
            if count >= most || count == 0 {
                break;
            }
        }
        count.min(most)
    }

    /// The number of epochs that the steps begin.
    pub fn epochs(&self) -> usize {
        match self.schedule.steps {
            None => self.schedule.epochs,
            Some(steps) => self.steps().take(steps).last().map_or(0, |step| step.epoch + 1),
        }
    }

    /// All steps, the same for the same seed.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        (0..self.schedule.epochs).flat_map(|epoch| {
            let batches = self.sampler.epoch(epoch).batches;
            let groups = batches.chunks(self.schedule.gradient_accumulation);
            let count = groups.len();
            let step = |(index, batches): (usize, &[Vec<usize>])| Step {
                epoch,
                last: index + 1 == count,
                batches: batches.to_vec(),
            };
            groups.enumerate().map(step).collect::<Vec<_>>()
        })
    }

    /// The number of examples.
    pub fn examples(&self) -> usize {
        self.examples.len()
    }

    /// Whether the encoder reads two texts together, and gives logits instead of embeddings.
    pub fn are_pairs(&self) -> bool {
        self.routes.pairs().is_some()
    }

    /// The number of examples that no batch of an epoch takes, and the kind of sampler.
    pub fn left_out(&self, epoch: usize) -> (usize, Kind) {
        (self.sampler.epoch(epoch).left_out.len(), self.sampler.kind())
    }

    /// A batch with its noise, drawn with `rng`: deleted words for DenoisingAutoEncoderLoss, dropped
    /// tokens for the other losses.
    pub fn batch(&self, rows: &[usize], rng: &mut StdRng) -> Result<Batch<'_>, Error> {
        let (tokens, columns, places) = match (self.routes.pairs(), self.takes) {
            (Some(_), BatchKind::Lists) => self.lists(rows)?,
            (Some(_), _) => self.pairs(rows, rng)?,
            (None, _) => {
                let columns = self.examples[rows[0]].texts.len();
                (self.tokens(rows, columns)?, columns, None)
            }
        };
        let whole = tokens[..rows.len()].to_vec();
        let texts = match self.takes {
            BatchKind::DamagedTexts => self.damaged(rows, rng)?,
            _ => {
                let share = self.schedule.word_dropout;
                tokens.into_iter().map(|tokens| leave_out(tokens, share, rng)).collect()
            }
        };
        let route = |column| std::iter::repeat_n(self.routes.of_column(column), rows.len());
        let routes = match self.routes.pairs() {
            Some(_) => vec![0; texts.len()],
            None => (0..columns).flat_map(route).collect(),
        };
        Ok(Batch {
            texts,
            routes,
            columns,
            places,
            targets: rows.iter().map(|&row| &self.examples[row].target).collect(),
            vectors: self.vectors(rows)?,
            ids: self.groups.as_ref().map(|groups| groups.ids(self.examples, rows)),
            whole,
            guide: self
                .guide
                .map(|guide| guide.columns(self.examples, self.all, rows))
                .transpose()?,
        })
    }

    /// Whether these are labelled texts none of which has both a positive and a negative.
    pub fn lacks_classes(&self, rows: &[usize]) -> bool {
        let classes: Vec<_> = rows.iter().map(|&row| &self.examples[row].target).collect();
        let valid = |class: &&Target| {
            let same = classes.iter().filter(|other| *other == class).count();
            same > 1 && same < classes.len()
        };
        self.takes == BatchKind::LabeledRows && !classes.iter().any(valid)
    }

    fn vectors(&self, rows: &[usize]) -> Result<Vec<Vec<f32>>, Error> {
        let vectors = rows.iter().filter_map(|&row| match &self.examples[row].target {
            Target::Scores(scores) => Some(Ok(scores.clone())),
            Target::Embedding(vector) => Some(self.all.vector(*vector)),
            Target::None | Target::Number(_) | Target::Class(_) => None,
        });
        vectors.collect()
    }

    fn damaged(&self, rows: &[usize], rng: &mut StdRng) -> Result<Vec<Vec<u32>>, Error> {
        let config = WordDeletionConfig::new().with_ratio(self.schedule.deletion_ratio);
        let mut deletion = config.init(rng.next_u64());
        let texts = rows.iter().map(|&row| {
            let text = self.all.get(self.examples[row].texts[0])?;
            Ok((self.routes.of_column(0), deletion.damage(&text)))
        });
        self.routes.encode(&texts.collect::<Result<Vec<_>, Error>>()?)
    }

    /// The token ids of each query with its documents, row after row, and where they are in the columns.
    fn lists(&self, rows: &[usize]) -> Result<PairColumns, Error> {
        let documents = |row: usize| &self.examples[row].texts[1..];
        let lengths = || rows.iter().map(|&row| documents(row).len());
        let columns = lengths().max().unwrap_or(0);
        let starts: Vec<_> = lengths()
            .scan(0, |next, length| {
                *next += length;
                Some(*next - length)
            })
            .collect();
        let place = |column: usize| {
            let lists = starts.iter().zip(lengths());
            lists.map(move |(start, length)| if column < length { start + column } else { *start })
        };
        let places: Vec<_> = (0..columns).flat_map(place).collect();
        let pair = |row: usize, document| {
            Ok((self.all.get(self.examples[row].texts[0])?, self.all.get(document)?))
        };
        let pairs = rows
            .iter()
            .flat_map(|&row| documents(row).iter().map(move |document| (row, *document)))
            .map(|(row, document)| pair(row, document));
        let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
        Ok((self.routes.encode_pairs(&pairs)?, columns, Some(places)))
    }

    /// The token ids of each query with its documents, column after column: the positive, documents of other
    /// rows, and the others of its own.
    fn pairs(&self, rows: &[usize], rng: &mut StdRng) -> Result<PairColumns, Error> {
        let (n, documents) = (rows.len(), self.examples[rows[0]].texts.len() - 1);
        let document = |column: usize, row: usize| self.examples[rows[row]].texts[1 + column];
        let drawn = self.negatives.map(|loss| loss.in_batch_negatives(n, documents, rng));
        let drawn = drawn.unwrap_or_else(|| vec![Vec::new(); n]);
        let of_row = |row: usize| {
            let others = drawn[row].iter().map(|place| document(place / n, place % n));
            let own = (1..documents).map(|column| document(column, row));
            std::iter::once(document(0, row)).chain(others).chain(own).collect::<Vec<_>>()
        };
        let lists: Vec<_> = (0..n).map(of_row).collect();
        let columns = lists[0].len();
        let pair = |column: usize, row: usize| {
            let query = self.examples[rows[row]].texts[0];
            Ok((self.all.get(query)?, self.all.get(lists[row][column])?))
        };
        let pairs = (0..columns).flat_map(|column| (0..n).map(move |row| (column, row)));
        let pairs =
            pairs.map(|(column, row)| pair(column, row)).collect::<Result<Vec<_>, Error>>()?;
        Ok((self.routes.encode_pairs(&pairs)?, columns, None))
    }

    /// The token ids of the first `columns` texts of examples, column after column.
    fn tokens(&self, rows: &[usize], columns: usize) -> Result<Vec<Vec<u32>>, Error> {
        if self.kept.is_empty() {
            let column = |column: usize| {
                rows.iter().map(move |&row| (column, self.examples[row].texts[column]))
            };
            return self.encode((0..columns).flat_map(column));
        }
        let new: Vec<_> = rows.iter().filter(|&&row| self.kept[row].get().is_none()).collect();
        let texts = |row: usize| self.examples[row].texts.iter().copied().enumerate();
        let ids = self.encode(new.iter().flat_map(|&&row| texts(row)))?;
        let mut ids = ids.into_iter();
        for &&row in &new {
            let of_row = ids.by_ref().take(texts(row).len()).collect();
            self.kept[row].get_or_init(|| of_row);
        }
        let kept = |row: usize| self.kept[row].get().expect("all rows have been tokenised");
        let column = |column: usize| rows.iter().map(move |&row| kept(row)[column].clone());
        Ok((0..columns).flat_map(column).collect())
    }

    /// The token ids of texts, each with its column.
    fn encode(&self, texts: impl Iterator<Item = (usize, Text)>) -> Result<Vec<Vec<u32>>, Error> {
        let text = |(column, text)| Ok((self.routes.of_column(column), self.all.get(text)?));
        self.routes.encode(&texts.map(text).collect::<Result<Vec<_>, Error>>()?)
    }
}

/// Drops some tokens, but never all, so that no text is recognised by a single word.
fn leave_out(tokens: Vec<u32>, share: f64, rng: &mut StdRng) -> Vec<u32> {
    let kept: Vec<_> = tokens.iter().copied().filter(|_| !rng.random_bool(share)).collect();
    if kept.is_empty() { tokens } else { kept }
}

#[cfg(test)]
mod tests {
    use burn_embedding_models::Tokenizer;
    use rand::SeedableRng;

    use super::*;
    use crate::data::Collector;

    const TEXTS: [&str; 5] = ["one two three", "four five six", "seven eight", "nine", "ten"];

    fn texts() -> ([Text; 5], Texts) {
        let mut collector = Collector::new(None);
        let numbers = TEXTS.map(|text| collector.add(text).unwrap());
        (numbers, collector.finish().unwrap())
    }

    fn batches<T>(schedule: Schedule, test: impl Fn(&Batches) -> T) -> T {
        let tokenizer = Tokenizer::train(TEXTS.into_iter(), 200, 16).unwrap();
        let example = |text| Example { texts: vec![text], target: Target::None };
        let (numbers, all) = texts();
        let examples = numbers.map(example);
        let routes = tokenizer.into();
        test(&Batches::new(BatchKind::DamagedTexts, &examples, &all, &routes, &schedule))
    }

    #[test]
    fn some_tokens_are_left_out_but_never_all() {
        let mut rng = StdRng::seed_from_u64(1);
        let tokens: Vec<u32> = (0..1000).collect();
        assert_eq!(leave_out(tokens.clone(), 0.0, &mut rng), tokens);
        let kept = leave_out(tokens, 0.2, &mut rng);
        assert!((700..900).contains(&kept.len()) && kept.is_sorted(), "{}", kept.len());
        for _ in 0..100 {
            assert_eq!(leave_out(vec![7], 0.9, &mut rng), [7]);
        }
    }

    #[test]
    fn a_step_has_several_batches_and_an_epoch_ends_with_fewer() {
        let schedule = Schedule {
            epochs: 2,
            batch_size: 2,
            gradient_accumulation: 2,
            shuffle: false,
            ..Schedule::default()
        };
        let steps = batches(schedule.clone(), |batches| batches.steps().collect::<Vec<_>>());
        let step = |epoch, last, batches| Step { epoch, last, batches };
        let first = || vec![vec![0, 1], vec![2, 3]];
        let second = || vec![vec![4]];
        let epoch = |epoch| [step(epoch, false, first()), step(epoch, true, second())];
        assert_eq!(steps, [0, 1].into_iter().flat_map(epoch).collect::<Vec<_>>());
        assert_eq!(batches(schedule.clone(), |batches| batches.count()), 4);
        let shorter = Schedule { steps: Some(3), ..schedule };
        assert_eq!(batches(shorter, |batches| batches.count()), 3);
    }

    #[test]
    fn ids_that_are_kept_are_those_of_the_texts() {
        let tokenizer = Tokenizer::train(TEXTS.into_iter(), 200, 16).unwrap();
        let routes = tokenizer.clone().into();
        let (numbers, all) = texts();
        let pair = |pair: [usize; 2]| {
            let texts = pair.map(|text| numbers[text]).to_vec();
            Example { texts, target: Target::None }
        };
        let examples = [[0, 1], [2, 3], [4, 0]].map(pair);
        let ids = |epochs, rows: &[usize]| {
            let schedule = Schedule { epochs, word_dropout: 0.0, ..Schedule::default() };
            let takes = BatchKind::PositivePairs;
            let batches = Batches::new(takes, &examples, &all, &routes, &schedule);
            let batch = |rows| batches.batch(rows, &mut StdRng::seed_from_u64(1)).unwrap().texts;
            // Some rows are known when the others come.
            batch(&rows[..1]);
            batch(rows)
        };
        let rows = [1, 0, 2, 1];
        assert_eq!(ids(2, &rows), ids(1, &rows));
        let texts = [2, 0, 4, 2, 3, 1, 0, 3].map(|text| TEXTS[text]);
        assert_eq!(ids(2, &rows), tokenizer.encode(texts.to_vec()).unwrap().rows);
    }

    #[test]
    fn damaged_texts_come_with_the_whole_ones() {
        let schedule = Schedule { deletion_ratio: 1.0, ..Schedule::default() };
        batches(schedule, |batches| {
            let mut rng = StdRng::seed_from_u64(1);
            let batch = batches.batch(&[0, 1], &mut rng).unwrap();
            assert_eq!((batch.columns, batch.texts.len()), (1, 2));
            for (damaged, whole) in batch.texts.iter().zip(&batch.whole) {
                assert!(damaged.len() < whole.len(), "{damaged:?} {whole:?}");
            }
        });
    }
}
