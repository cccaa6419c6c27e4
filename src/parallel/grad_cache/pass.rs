//! The two passes over the mini-batches.

use core::marker::PhantomData;
use core::ops::Range;

use burn::module::{ModuleVisitor, Param};
use burn::prelude::*;

use crate::batch::Columns;
use crate::parallel::rows::Rows;

/// Embeds mini-batches, in the same way in both passes.
pub(super) struct Pass<F, C> {
    devices: Vec<Device>,
    seed: u64,
    embed: F,
    made: PhantomData<C>,
}

impl<F, C: Columns> Pass<F, C> {
    pub fn new<E: Module>(encoder: &E, seed: u64, embed: F) -> Self
    where
        F: Fn(&E, Range<usize>) -> C,
    {
        // Parameters that are drawn on their first use would be drawn for each pass.
        encoder.visit(&mut FirstUse);
        Self { devices: encoder.devices(), seed, embed, made: PhantomData }
    }

    /// Random numbers for the loss, which may draw some too.
    pub fn start_loss(&self) {
        self.start_from(self.seed.wrapping_sub(1));
    }

    fn start_from(&self, seed: u64) {
        self.devices.iter().for_each(|device| device.seed(seed));
    }

    /// Embeds one mini-batch.
    #[track_caller]
    pub fn embed<E>(&self, encoder: &E, index: usize, range: Range<usize>) -> C
    where
        F: Fn(&E, Range<usize>) -> C,
    {
        self.start_from(self.seed.wrapping_add(index as u64));
        let expected = range.len();
        let embedded = (self.embed)(encoder, range);
        for [got, _] in Rows::of(&embedded).shapes() {
            assert!(got == expected, "GradCache: `embed` must give {expected} rows, got {got}");
        }
        embedded
    }

    /// Embeds all mini-batches without a graph and puts them below each other.
    #[track_caller]
    pub fn all<E: Module>(&self, encoder: &E, ranges: &[Range<usize>]) -> C
    where
        F: Fn(&E, Range<usize>) -> C,
    {
        // A graph without a backward pass would stay in memory until the next one.
        let constant = encoder.clone().no_grad();
        let (mut first, mut parts) = (None, Vec::new());
        for (index, range) in ranges.iter().enumerate() {
            let embedded = self.embed(&constant, index, range.clone()).without_graph();
            let part = Rows::of(&embedded);
            let like_first = parts.first().is_none_or(|first: &Rows| first.is_like(&part));
            assert!(
                like_first,
                "GradCache: `embed` must give the same columns for all rows, got {:?} for {range:?} \
                 after {:?}",
                part.shapes(),
                parts[0].shapes()
            );
            parts.push(part);
            first.get_or_insert(embedded);
        }
        Rows::cat(parts).put_into(first.expect("at least one mini-batch"))
    }
}

/// Uses every parameter.
struct FirstUse;

impl ModuleVisitor for FirstUse {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}
