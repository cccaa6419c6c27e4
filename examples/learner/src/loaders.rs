//! Batches of both data sets in one loader, each from the sampler that its loss needs.

use burn::data::dataset::InMemDataset;
use burn::tensor::Device;
use burn_embedding_losses::sampler::{
    BatchSampler, GroupByLabelConfig, InOrderConfig, MixedPlan, MixedSampler, NoDuplicatesConfig,
    Proportional, RoundRobin, SampledLoader, Source,
};

use crate::batch::{Batch, ToBatch};
use crate::texts::{self, SUBJECTS};

/// Pairs per batch. Their subjects differ, so that no answer is a negative of its own question.
const PAIRS: usize = 24;

/// Sentences per batch, and how many share a topic: each has positives and negatives.
const SENTENCES: usize = 24;
const OF_A_TOPIC: usize = 4;

/// The training data. Every epoch has new batches.
#[derive(Debug)]
pub struct Training {
    /// The data loader.
    pub loader: SampledLoader<Batch>,
    /// The number of batches in the first epoch.
    pub batches: usize,
    /// The number of rows that the first epoch leaves out, because their batches would be too small.
    pub left_out: usize,
}

/// Draws from each data set in proportion to its batches. [`RoundRobin`] would give each the same weight.
pub fn training(seed: u64, device: &Device) -> Training {
    let (pairs, sentences) = (texts::pairs(false), texts::labelled(false));
    let of_pairs = NoDuplicatesConfig::new(PAIRS).with_min_batch(PAIRS / 3).with_seed(seed);
    let of_sentences =
        GroupByLabelConfig::new(SENTENCES).with_rows_per_label(OF_A_TOPIC).with_seed(seed);
    let samplers: Vec<Box<dyn BatchSampler>> = vec![
        Box::new(of_pairs.init(pairs.iter().map(|pair| [pair.subject]))),
        Box::new(of_sentences.init(sentences.iter().map(|sentence| sentence.topic))),
    ];
    let sampler = Proportional::new(samplers, seed);
    let MixedPlan { batches, left_out } = sampler.epoch(0);
    let sources = vec![source(pairs), source(sentences)];
    Training {
        loader: SampledLoader::mixed(sources, sampler, device.clone()),
        batches: batches.len(),
        left_out: left_out.iter().map(Vec::len).sum(),
    }
}

/// The validation data, in the same batches every epoch. Each batch has all subjects.
pub fn validation(device: &Device) -> SampledLoader<Batch> {
    let (pairs, sentences) = (texts::pairs(true), texts::labelled(true));
    let samplers: Vec<Box<dyn BatchSampler>> = vec![
        Box::new(InOrderConfig::new(SUBJECTS).init(pairs.len())),
        Box::new(InOrderConfig::new(SUBJECTS).init(sentences.len())),
    ];
    let sources = vec![source(pairs), source(sentences)];
    SampledLoader::mixed(sources, RoundRobin::new(samplers), device.clone())
}

fn source<I>(rows: Vec<I>) -> Source<Batch>
where
    I: Clone + Send + Sync + 'static,
    ToBatch: burn::data::dataloader::batcher::Batcher<I, Batch>,
{
    Source::new(InMemDataset::new(rows), ToBatch)
}
