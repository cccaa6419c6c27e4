//! Samplers behind Burn's data loader.

use std::collections::HashSet;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::split::split_dataloader;
use burn::data::dataset::{Dataset, DatasetError, InMemDataset};
use burn::tensor::{Device, Tensor};

use super::*;

/// Items as they come, with the device they were asked for on.
struct Items(&'static str);

type Batch = (&'static str, Vec<usize>, Device);

impl Batcher<usize, Batch> for Items {
    fn batch(&self, items: Vec<usize>, device: &Device) -> Batch {
        (self.0, items, device.clone())
    }
}

fn source(name: &'static str, items: core::ops::Range<usize>) -> Source<Batch> {
    Source::new(InMemDataset::new(items.collect()), Items(name))
}

fn items(loader: &dyn DataLoader<Batch>) -> Vec<Vec<usize>> {
    loader.iter().map(|batch| batch.unwrap().1).collect()
}

fn shuffled() -> SampledLoader<Batch> {
    // Items are 100 above their rows.
    let sampler = ShuffledConfig::new(8).with_drop_last(true).init(100);
    SampledLoader::new(source("a", 100..200), sampler, Device::flex())
}

#[test]
fn each_iteration_is_an_epoch_of_the_sampler() {
    let (loader, sampler) = (shuffled(), ShuffledConfig::new(8).with_drop_last(true).init(100));
    let planned = |epoch| {
        let batches = sampler.epoch(epoch).batches.into_iter();
        batches.map(|rows| rows.iter().map(|row| row + 100).collect()).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(items(&loader), planned(0));
    assert_eq!(items(&loader), planned(1));
    // A copy goes on where the loader is.
    assert_eq!(items(&*loader.to_device(&Device::flex())), planned(2));
    assert_eq!(items(&shuffled().from_epoch(7)), planned(7));
}

#[test]
fn progress_counts_the_items_that_are_planned() {
    let loader = shuffled();
    assert_eq!(loader.num_items(), 96);
    let mut batches = loader.iter();
    batches.next();
    assert_eq!((batches.progress().items_processed, batches.progress().items_total), (8, 96));
    assert_eq!(batches.by_ref().count(), 11);
    assert!(batches.progress().is_completed());
}

#[test]
fn batches_are_made_on_the_device() {
    let tracking = Device::flex().autodiff();
    let device = |loader: &dyn DataLoader<Batch>| loader.iter().next().unwrap().unwrap().2;
    let is_tracked = |device: Device| Tensor::<1>::zeros([1], &device).require_grad().is_tracked();
    assert!(is_tracked(device(&*shuffled().to_device(&tracking))));
    assert!(device(&shuffled()) == Device::flex());
}

#[test]
fn slices_share_out_whole_batches() {
    let whole = items(&shuffled());
    for parts in 1..=5 {
        let devices = vec![Device::flex(); parts];
        let slices = split_dataloader(Arc::new(shuffled()) as Arc<dyn DataLoader<_>>, &devices);
        assert_eq!(slices.iter().map(|slice| slice.num_items()).sum::<usize>(), 96);
        let parts: Vec<_> = slices.iter().map(|slice| items(&**slice)).collect();
        assert_eq!(parts.concat(), whole);
        let counts = parts.iter().map(Vec::len);
        assert!(counts.clone().max().unwrap() - counts.min().unwrap() <= 1, "{parts:?}");
    }
    // A slice of a slice counts from its own start.
    let half = shuffled().slice(48, 96);
    let quarters = [items(&*half.slice(0, 25)), items(&*half.slice(25, 48))].concat();
    assert_eq!(quarters, items(&*half));
    assert_eq!(half.slice(25, 80).num_items(), 23);
}

#[test]
fn several_data_sets_give_batches_of_one_type() {
    let samplers: Vec<Box<dyn BatchSampler>> =
        vec![Box::new(ShuffledConfig::new(2).init(4)), Box::new(ShuffledConfig::new(3).init(9))];
    let sources = vec![source("a", 0..4), source("b", 4..13)];
    let loader = SampledLoader::mixed(sources, Proportional::new(samplers, 1), Device::flex());
    let batches: Vec<_> = loader.iter().map(Result::unwrap).collect();
    assert_eq!((batches.len(), loader.num_items()), (5, 13));
    for (name, items, _) in &batches {
        assert!(items.iter().all(|&item| (item < 4) == (*name == "a")), "{batches:?}");
    }
    let all: HashSet<_> = batches.iter().flat_map(|(_, items, _)| items).collect();
    assert_eq!(all.len(), 13);
}

/// A data set that cannot be read.
struct Broken;

impl Dataset<usize> for Broken {
    fn get(&self, _index: usize) -> Result<usize, DatasetError> {
        Err(DatasetError::new(std::io::Error::other("gone")))
    }

    fn len(&self) -> usize {
        3
    }
}

#[test]
fn an_error_of_the_data_set_comes_through() {
    let loader: SampledLoader<Batch> = SampledLoader::new(
        Source::new(Broken, Items("broken")),
        InOrderConfig::new(2).init(3),
        Device::flex(),
    );
    assert!(loader.iter().all(|batch| batch.is_err()));
}

#[test]
#[should_panic(
    expected = "SampledLoader: `sampler` must be made for the rows of the sources ([4]), got [5]"
)]
fn a_sampler_of_other_rows_is_refused() {
    SampledLoader::new(source("a", 0..4), InOrderConfig::new(2).init(5), Device::flex());
}
