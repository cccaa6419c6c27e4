//! Samplers as data loaders of Burn.

use core::fmt::{self, Debug};
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::Device;

use super::{BatchSampler, MixedSampler, RoundRobin};
use crate::error::{ConfigError, expect_valid};

type ToBatch<O> = dyn Fn(Vec<usize>, &Device) -> Result<O, DatasetError> + Send + Sync;

/// A data set and how its rows become a batch; sources of different data sets can give batches of
/// one type, an `enum` for example.
pub struct Source<O> {
    rows: usize,
    batch: Arc<ToBatch<O>>,
}

impl<O> Source<O> {
    /// A data set and its batcher.
    pub fn new<I: 'static>(
        dataset: impl Dataset<I> + 'static,
        batcher: impl Batcher<I, O> + 'static,
    ) -> Self {
        let rows = dataset.len();
        let batch = move |rows, device: &Device| Ok(batcher.batch(dataset.get_many(rows)?, device));
        Self { rows, batch: Arc::new(batch) }
    }
}

impl<O> Clone for Source<O> {
    fn clone(&self) -> Self {
        Self { rows: self.rows, batch: self.batch.clone() }
    }
}

impl<O> Debug for Source<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// A data loader of Burn, for its learner or a loop of one's own, whose batches a sampler plans.
///
/// Each iteration is an epoch: the next one has other batches. The batches are made on the thread
/// that asks for them.
///
/// `num_items` are the rows that the first epoch has in its batches. `slice` gives whole batches, so
/// that what the sampler guarantees still holds: those that begin in that part of the items; every
/// batch is in exactly one of several slices that make up the whole.
///
/// # Example
///
/// ```
/// use burn::data::dataloader::{DataLoader, batcher::Batcher};
/// use burn::data::dataset::InMemDataset;
/// use burn::prelude::*;
/// use burn_embedding_losses::sampler::{SampledLoader, ShuffledConfig, Source};
///
/// struct Floats;
///
/// impl Batcher<f32, Tensor<1>> for Floats {
///     fn batch(&self, items: Vec<f32>, device: &Device) -> Tensor<1> {
///         Tensor::from_floats(items.as_slice(), device)
///     }
/// }
///
/// let source = Source::new(InMemDataset::new(vec![1.0, 2.0, 3.0]), Floats);
/// let loader = SampledLoader::new(source, ShuffledConfig::new(2).init(3), Device::flex());
/// let sums: Vec<f32> = loader.iter().map(|batch| batch.unwrap().sum().into_scalar()).collect();
/// assert_eq!((sums.len(), sums.iter().sum::<f32>()), (2, 6.0));
/// ```
pub struct SampledLoader<O> {
    sources: Vec<Source<O>>,
    sampler: Arc<dyn MixedSampler>,
    device: Device,
    /// The epoch of the next iteration.
    epoch: AtomicUsize,
    /// The rows in the batches of the first epoch.
    total: usize,
    /// Which part of them it gives.
    items: Range<usize>,
}

impl<O> SampledLoader<O> {
    /// A loader of one data set.
    ///
    /// # Panics
    ///
    /// If the sampler was made for another number of rows.
    #[track_caller]
    pub fn new(source: Source<O>, sampler: impl BatchSampler + 'static, device: Device) -> Self {
        Self::mixed(vec![source], RoundRobin::new(vec![Box::new(sampler)]), device)
    }

    /// A loader of several data sets.
    ///
    /// # Panics
    ///
    /// If the sampler was made for other numbers of rows.
    #[track_caller]
    pub fn mixed(
        sources: Vec<Source<O>>,
        sampler: impl MixedSampler + 'static,
        device: Device,
    ) -> Self {
        let rows: Vec<_> = sources.iter().map(|source| source.rows).collect();
        let planned = sampler.rows();
        let rule = format!("must be made for the rows of the sources ({rows:?})");
        let got = format_args!("{planned:?}");
        let equal = rows == planned;
        expect_valid(ConfigError::unless(equal, "SampledLoader", "sampler", &rule, got));
        let total = count(&sampler.epoch(0).batches);
        let (sampler, epoch) = (Arc::new(sampler), AtomicUsize::new(0));
        Self { sources, sampler, device, epoch, total, items: 0..total }
    }

    /// Starts at this epoch, counted from zero: after a checkpoint, where training goes on.
    pub fn from_epoch(mut self, epoch: usize) -> Self {
        self.epoch = AtomicUsize::new(epoch);
        self
    }

    fn with(&self, device: Device, items: Range<usize>) -> Arc<Self> {
        Arc::new(Self {
            sources: self.sources.clone(),
            sampler: self.sampler.clone(),
            device,
            epoch: AtomicUsize::new(self.epoch.load(Ordering::Relaxed)),
            total: self.total,
            items,
        })
    }

    /// The batches of an epoch that begin in the part of this loader.
    fn batches(&self, epoch: usize) -> Vec<(usize, Vec<usize>)> {
        let mut batches = self.sampler.epoch(epoch).batches;
        let planned = count(&batches);
        let mut before = 0;
        batches.retain(|(_, rows)| {
            // Another epoch may have more or fewer rows than the first.
            let start = (before as u128 * self.total as u128 / planned as u128) as usize;
            before += rows.len();
            self.items.contains(&start)
        });
        batches
    }
}

/// The number of rows in all batches.
fn count(batches: &[(usize, Vec<usize>)]) -> usize {
    batches.iter().map(|(_, rows)| rows.len()).sum()
}

impl<O> Debug for SampledLoader<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SampledLoader")
            .field("sources", &self.sources)
            .field("sampler", &self.sampler)
            .field("items", &self.items)
            .finish_non_exhaustive()
    }
}

impl<O: Send + 'static> DataLoader<O> for SampledLoader<O> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<O> + 'a> {
        let batches = self.batches(self.epoch.fetch_add(1, Ordering::Relaxed));
        let total = count(&batches);
        Box::new(Epoch { loader: self, batches: batches.into_iter(), done: 0, total })
    }

    fn num_items(&self) -> usize {
        self.items.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<O>> {
        self.with(device.clone(), self.items.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<O>> {
        let Range { start: first, end: last } = self.items;
        let items = (first + start).min(last)..(first + end).min(last);
        self.with(self.device.clone(), items)
    }
}

struct Epoch<'a, O> {
    loader: &'a SampledLoader<O>,
    batches: std::vec::IntoIter<(usize, Vec<usize>)>,
    done: usize,
    total: usize,
}

impl<O> Iterator for Epoch<'_, O> {
    type Item = Result<O, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (source, rows) = self.batches.next()?;
        self.done += rows.len();
        Some((self.loader.sources[source].batch)(rows, &self.loader.device))
    }
}

impl<O> DataLoaderIterator<O> for Epoch<'_, O> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("items".into()))
    }
}
