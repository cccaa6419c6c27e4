//! Which candidates of a block of anchors do not count.

use core::ops::Range;

use burn::prelude::*;

use super::masks::own_row;
use crate::scores::{Comparison, Side};

/// Numbers that are equal where texts belong together.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    /// Of the queries, `[n]`.
    pub queries: Tensor<1, Int>,
    /// Of all documents, or of the positives only, `[n (1 + k)]` or `[n]`.
    pub documents: Tensor<1, Int>,
}

/// A block of anchors with their candidates, whose masks are `[anchors, candidates]`.
#[derive(Debug, Clone)]
pub(crate) struct CandidateBlock {
    pub comparison: Comparison,
    /// The rows that are anchors.
    pub range: Range<usize>,
    /// The number of queries of the batch.
    pub queries: usize,
    /// The number of candidates.
    pub width: usize,
    pub device: Device,
}

impl CandidateBlock {
    /// True for the positive of the row's query.
    pub fn own(&self) -> Tensor<2, Bool> {
        self.widened(own_row(self.range.clone(), self.queries, &self.device))
    }

    /// True for all candidates of the row's query: its positive and its hard negatives.
    pub fn of_own_query(&self) -> Tensor<2, Bool> {
        let own = own_row(self.range.clone(), self.queries, &self.device);
        Tensor::cat(vec![own; self.width / self.queries], 1)
    }

    /// True for the row itself, and for what else its query has on its side; `None` if anchors and candidates are of
    /// different sides.
    pub fn itself(&self) -> Option<Tensor<2, Bool>> {
        self.is_of_one_side().then(|| self.of_own_query())
    }

    /// True for candidates with the id of the row, except its own positive.
    pub fn equal_ids(&self, ids: &Ids) -> Tensor<2, Bool> {
        let rows = ids.queries.clone().slice([self.range.clone()]).unsqueeze_dim::<2>(1);
        let columns = match self.comparison.candidates {
            Side::Queries => ids.queries.clone(),
            Side::Documents => ids.documents.clone(),
        };
        let equal = self.widened(rows.equal(columns.unsqueeze_dim::<2>(0)));
        match self.is_of_one_side() {
            true => equal,
            false => equal.bool_and(self.own().bool_not()),
        }
    }

    /// True for candidates that are `similar` to the row by a guide, except the query's own positive, and for the hard
    /// negatives of a positive.
    pub fn guided_away(&self, similar: Tensor<2, Bool>) -> Tensor<2, Bool> {
        match (self.comparison.anchors, self.comparison.candidates) {
            (Side::Queries, Side::Documents) => self.others(similar),
            (Side::Documents, Side::Documents) => {
                let positives = nowhere([self.range.len(), self.queries], &self.device).bool_not();
                similar.bool_or(self.widened(positives).bool_not())
            }
            _ => similar,
        }
    }

    /// True for candidates that are `similar` to the row, except its own positive.
    pub fn others(&self, similar: Tensor<2, Bool>) -> Tensor<2, Bool> {
        match self.is_of_one_side() {
            true => similar,
            false => similar.bool_and(self.own().bool_not()),
        }
    }

    /// True for hard negatives that do not exist, of which there is one number for each, `[n k]`.
    pub fn absent(&self, absent: &Tensor<1, Bool>) -> Option<Tensor<2, Bool>> {
        (self.comparison.candidates == Side::Documents).then(|| {
            let shape = [self.range.len(), self.width - self.queries];
            let absent = absent.clone().unsqueeze_dim::<2>(0).expand(shape);
            Tensor::cat(vec![nowhere([shape[0], self.queries], &self.device), absent], 1)
        })
    }

    fn is_of_one_side(&self) -> bool {
        self.comparison.anchors == self.comparison.candidates
    }

    /// The mask with further columns that are all false.
    fn widened(&self, mask: Tensor<2, Bool>) -> Tensor<2, Bool> {
        let [rows, columns] = mask.dims();
        match self.width - columns {
            0 => mask,
            more => Tensor::cat(vec![mask, nowhere([rows, more], &self.device)], 1),
        }
    }
}

/// What is left out of the comparisons of a block, with the own positive of each row. Where nothing else is left of a
/// row, in one comparison or in all `together`, the positive stays once: a term without candidates is 0.
pub(crate) fn without_own(
    blocks: &[CandidateBlock],
    left_out: Vec<Option<Tensor<2, Bool>>>,
    together: bool,
) -> Vec<Option<Tensor<2, Bool>>> {
    let with_own = |(block, left_out): (&CandidateBlock, Option<Tensor<2, Bool>>)| {
        // A row of its own side is left out already.
        let own = (!block.is_of_one_side()).then(|| block.own());
        own.into_iter().chain(left_out).reduce(Tensor::bool_or).expect("one of both")
    };
    let all: Vec<_> = blocks.iter().zip(left_out).map(with_own).collect();
    let empty: Vec<_> = all.iter().map(|mask| mask.clone().all_dim(1)).collect();
    let empty_together = empty.iter().cloned().reduce(Tensor::bool_and);
    let restored = all.into_iter().zip(empty).enumerate().map(|(place, (mask, empty))| {
        let block = &blocks[place];
        let empty = match (together, block.comparison == Comparison::QUERY_TO_DOCUMENT) {
            (false, _) => empty,
            (true, true) => empty_together.clone().expect("at least one comparison"),
            (true, false) => return Some(mask),
        };
        let kept = block.own().bool_and(empty.expand(mask.dims()));
        Some(mask.bool_and(kept.bool_not()))
    });
    restored.collect()
}

/// A mask that is false everywhere.
fn nowhere(shape: [usize; 2], device: &Device) -> Tensor<2, Bool> {
    Tensor::<2, Int>::zeros(shape, device).bool()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(anchors: Side, candidates: Side, width: usize) -> CandidateBlock {
        let comparison = Comparison { anchors, candidates };
        CandidateBlock { comparison, range: 1..3, queries: 3, width, device: Device::flex() }
    }

    fn rows(mask: Tensor<2, Bool>) -> Vec<Vec<u8>> {
        let columns = mask.dims()[1];
        let numbers: Vec<_> = mask.into_data().iter::<bool>().map(u8::from).collect();
        numbers.chunks(columns).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn own_candidates_are_in_the_columns_of_the_row() {
        let block = block(Side::Queries, Side::Documents, 6);
        assert_eq!(rows(block.own()), [[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]);
        assert_eq!(rows(block.of_own_query()), [[0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]);
        assert!(block.itself().is_none());
        let absent = Tensor::<1, Bool>::from_bool([true, false, false], &Device::flex());
        let absent = block.absent(&absent).expect("documents are compared with");
        assert_eq!(rows(absent), [[0, 0, 0, 1, 0, 0]; 2]);
    }

    #[test]
    fn an_own_positive_is_left_out_where_others_are_left() {
        let device = Device::flex();
        let blocks =
            [block(Side::Queries, Side::Documents, 3), block(Side::Documents, Side::Queries, 3)];
        let mask = |rows: [[bool; 3]; 2]| Tensor::<2, Bool>::from_bool(rows, &device);
        let others = mask([[true, false, true], [false, false, false]]);
        let masks = |together| {
            let left_out = vec![Some(others.clone()), Some(others.clone())];
            let masks = without_own(&blocks, left_out, together).into_iter();
            masks.map(|mask| rows(mask.expect("own"))).collect::<Vec<_>>()
        };
        assert_eq!(masks(false), [[[1, 0, 1], [0, 0, 1]], [[1, 0, 1], [0, 0, 1]]]);
        assert_eq!(masks(true), [[[1, 0, 1], [0, 0, 1]], [[1, 1, 1], [0, 0, 1]]]);
    }

    #[test]
    fn equal_ids_are_no_negatives_but_the_own_positive_stays() {
        let numbers = |ids: &[i32]| Tensor::<1, Int>::from_data(ids, &Device::flex());
        let ids = Ids { queries: numbers(&[7, 8, 7]), documents: numbers(&[7, 8, 7]) };
        let with_documents = block(Side::Queries, Side::Documents, 3).equal_ids(&ids);
        assert_eq!(rows(with_documents), [[0, 0, 0], [1, 0, 0]]);
        let with_queries = block(Side::Queries, Side::Queries, 3).equal_ids(&ids);
        assert_eq!(rows(with_queries), [[0, 1, 0], [1, 0, 1]]);
    }
}
