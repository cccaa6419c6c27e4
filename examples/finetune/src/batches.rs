//! The examples of a loss as token ids, a batch at a time.

use burn_embedding_losses::noise::WordDeletionConfig;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use crate::error::Error;
use crate::repeats::{Groups, Ids, Repeats};
use crate::sampler::{Kind, Sampler};
use crate::schedule::Schedule;
use crate::task::{Example, Need, Target};
use crate::tokenizer::Tokenizer;

/// The examples of a loss, ready to be encoded.
#[derive(Debug)]
pub struct Batches<'a> {
    need: Need,
    examples: &'a [Example<'a>],
    tokenizer: &'a Tokenizer,
    max_tokens: usize,
    tokens: Vec<Vec<Vec<u32>>>,
    groups: Option<Groups<'a>>,
    sampler: Sampler,
    schedule: &'a Schedule,
}

/// One batch on its way into the encoder.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The ids of all texts, column after column.
    pub texts: Vec<Vec<u32>>,
    /// The number of columns.
    pub columns: usize,
    /// What each row is compared with.
    pub targets: Vec<&'a Target>,
    /// Which rows belong together, where the others are negatives.
    pub ids: Option<Ids>,
    /// The ids of the first text of each row, with nothing left out.
    pub whole: Vec<&'a [u32]>,
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

impl<'a> Batches<'a> {
    /// Tokenises the examples.
    pub fn new(
        need: Need,
        examples: &'a [Example<'a>],
        tokenizer: &'a Tokenizer,
        max_tokens: usize,
        schedule: &'a Schedule,
    ) -> Result<Self, Error> {
        let encode = |example: &Example| tokenizer.encode(example.texts.clone(), max_tokens);
        let tokens = examples.iter().map(encode).collect::<Result<_, _>>()?;
        let ranked = matches!(need, Need::PositivePairs | Need::Rankings);
        let masked = ranked && schedule.repeats == Repeats::Mask;
        let groups = masked.then(|| Groups::new(examples));
        let sampler = Sampler::new(need, examples, schedule);
        Ok(Self { need, examples, tokenizer, max_tokens, tokens, groups, sampler, schedule })
    }

    /// The number of all steps.
    pub fn count(&self) -> usize {
        let Schedule { epochs, gradient_accumulation, steps, .. } = *self.schedule;
        let epochs = (0..epochs).map(|epoch| self.sampler.epoch(epoch).batches.len());
        let count = epochs.map(|batches| batches.div_ceil(gradient_accumulation)).sum();
        steps.map_or(count, |steps| steps.min(count))
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

    /// How many examples are in no batch of an epoch, and of which sampler.
    pub fn left_out(&self, epoch: usize) -> (usize, Kind) {
        (self.sampler.epoch(epoch).left_out.len(), self.sampler.kind())
    }

    /// A batch with its noise, drawn with `rng`: words that are deleted for
    /// DenoisingAutoEncoderLoss, tokens that are left out for the others.
    pub fn batch(&self, rows: &[usize], rng: &mut StdRng) -> Result<Batch<'_>, Error> {
        let columns = self.tokens[rows[0]].len();
        let texts = match self.need {
            Need::Texts => self.damaged(rows, rng)?,
            _ => {
                let column = |column: usize| rows.iter().map(move |&row| &self.tokens[row][column]);
                let texts = (0..columns).flat_map(column);
                texts.map(|tokens| leave_out(tokens, self.schedule.word_dropout, rng)).collect()
            }
        };
        Ok(Batch {
            texts,
            columns,
            targets: rows.iter().map(|&row| &self.examples[row].target).collect(),
            ids: self.groups.as_ref().map(|groups| groups.ids(self.examples, rows)),
            whole: rows.iter().map(|&row| self.tokens[row][0].as_slice()).collect(),
        })
    }

    /// Whether these are labelled texts of which none has both a positive and a negative.
    pub fn lacks_classes(&self, rows: &[usize]) -> bool {
        let classes: Vec<_> = rows.iter().map(|&row| &self.examples[row].target).collect();
        let valid = |class: &&Target| {
            let same = classes.iter().filter(|other| *other == class).count();
            same > 1 && same < classes.len()
        };
        self.need == Need::LabelledTexts && !classes.iter().any(valid)
    }

    fn damaged(&self, rows: &[usize], rng: &mut StdRng) -> Result<Vec<Vec<u32>>, Error> {
        let config = WordDeletionConfig::new().with_ratio(self.schedule.deletion_ratio);
        let mut deletion = config.init(rng.next_u64());
        let texts = rows.iter().map(|&row| deletion.damage(self.examples[row].texts[0]));
        let texts: Vec<_> = texts.collect();
        self.tokenizer.encode(texts.iter().map(String::as_str).collect(), self.max_tokens)
    }
}

/// The tokens without some of them, but never none, so that no text is learned by a single word.
fn leave_out(tokens: &[u32], share: f64, rng: &mut StdRng) -> Vec<u32> {
    let kept: Vec<_> = tokens.iter().copied().filter(|_| !rng.random_bool(share)).collect();
    if kept.is_empty() { tokens.to_vec() } else { kept }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const TEXTS: [&str; 5] = ["one two three", "four five six", "seven eight", "nine", "ten"];

    fn batches<T>(schedule: Schedule, test: impl Fn(&Batches) -> T) -> T {
        let tokenizer = Tokenizer::train(TEXTS.into_iter(), 200).unwrap();
        let example = |text| Example { texts: vec![text], target: Target::None };
        let examples = TEXTS.map(example);
        test(&Batches::new(Need::Texts, &examples, &tokenizer, 16, &schedule).unwrap())
    }

    #[test]
    fn some_tokens_are_left_out_but_never_all() {
        let mut rng = StdRng::seed_from_u64(1);
        let tokens: Vec<u32> = (0..1000).collect();
        assert_eq!(leave_out(&tokens, 0.0, &mut rng), tokens);
        let kept = leave_out(&tokens, 0.2, &mut rng);
        assert!((700..900).contains(&kept.len()) && kept.is_sorted(), "{}", kept.len());
        for _ in 0..100 {
            assert_eq!(leave_out(&[7], 0.9, &mut rng), [7]);
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
