//! A batch in mini-batches, several at the same time.

use core::ops::Range;
use std::collections::VecDeque;

use burn::prelude::*;
use burn::tensor::Gradients;

use super::{Workers, seat};
use crate::batch::Columns;
use crate::parallel::leaves::{Embedded, embeddings, require_same, through};

/// The gradients of the mini-batches, in their order. As many are computed at a time as there are workers.
pub(super) struct Rounds<'a, E, F> {
    pub workers: &'a Workers,
    /// The copy of the encoder of each worker.
    pub copies: Vec<E>,
    pub embed: F,
    /// The mini-batches that are left.
    pub ranges: std::vec::IntoIter<Range<usize>>,
    /// The embeddings of the first pass.
    pub whole: Vec<Embedded>,
    /// Those of the last round that were not taken yet.
    pub done: VecDeque<(E, Gradients)>,
}

impl<E, F> Rounds<'_, E, F> {
    /// The gradients that the loss has through the next mini-batches, one for each worker.
    fn next_round<C: Columns>(&mut self) -> bool
    where
        E: Module,
        F: Fn(&E, Range<usize>) -> C + Sync,
    {
        let ranges = self.ranges.by_ref().take(self.workers.count());
        let seats = self.workers.seats.iter().zip(self.copies.iter().cloned());
        let jobs: Vec<_> =
            seats.zip(ranges).map(|((seat, copy), rows)| (seat, (copy, rows))).collect();
        let (embed, whole) = (&self.embed, &self.whole);
        let any = !jobs.is_empty();
        let done = seat::all(jobs, |(copy, rows)| {
            let again = embeddings(&embed(&copy, rows.clone()));
            require_same("Workers", &again, whole, &rows);
            Some((copy, through(again, whole, rows)?.backward()))
        });
        self.done.extend(done.into_iter().flatten());
        any
    }
}

impl<E: Module, C: Columns, F: Fn(&E, Range<usize>) -> C + Sync> Iterator for Rounds<'_, E, F> {
    type Item = (E, Gradients);

    #[track_caller]
    fn next(&mut self) -> Option<Self::Item> {
        while self.done.is_empty() && self.next_round() {}
        self.done.pop_front()
    }
}
