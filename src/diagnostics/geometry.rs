//! Facts about a batch that do not depend on the loss.

use std::collections::HashMap;

use burn::prelude::*;

use crate::batch::{
    CandidateBatch, CandidateMarginBatch, ClassLogitBatch, ClassifiedPairBatch, Columns,
    DistillationBatch, EmbeddingsBatch, GuidedBatch, LabeledBatch, ListBatch, LogitBatch,
    MarginBatch, PairBatch, ReconstructionBatch, RetrievalBatch, RowIds, TeacherScoresBatch,
    TokenMarginBatch, TokenRetrievalBatch, TokenTeacherScoresBatch, TripletBatch,
};
use crate::blocks::Blocks;
use crate::geometry::Distance;
use crate::kernels::{Partner, RowMetric};
use crate::select::{Chosen, closest_other, hardest, search_bytes};

/// See [`Diagnostics`](super::Diagnostics).
#[derive(Debug, Default)]
pub(crate) struct Geometry {
    pub valid_anchors: Option<usize>,
    pub masked_negatives: Option<usize>,
    pub missing_negatives: Option<usize>,
    pub positive: Option<f64>,
    pub negative: Option<f64>,
}

/// A batch that can be described.
pub(crate) trait Surveyed: Columns {
    /// Describes the batch, which has no graph and only finite rows, at least one.
    fn survey(&self) -> Geometry;
}

impl Surveyed for LabeledBatch {
    fn survey(&self) -> Geometry {
        let (x, labels) = (self.embeddings.clone(), integers(&self.labels));
        let sizes = sizes(&labels);
        let valid: Vec<bool> =
            labels.iter().map(|label| (2..labels.len()).contains(&sizes[label])).collect();
        let bytes = search_bytes(&x, Distance::Cosine);
        let (positive, negative) =
            hardest(x.clone(), self.labels.clone(), Distance::Cosine, blocks(&x, bytes));
        let cosine = |chosen| mean_where(cosine_of_chosen(&x, &x, chosen), &valid);
        Geometry {
            valid_anchors: Some(valid.iter().filter(|&&valid| valid).count()),
            positive: cosine(positive),
            negative: cosine(negative),
            ..Geometry::default()
        }
    }
}

impl Surveyed for PairBatch {
    fn survey(&self) -> Geometry {
        let cosine = cosine(&self.left, &self.right);
        let positive: Vec<_> = floats(self.labels.clone()).map(|label| label > 0.5).collect();
        let negative: Vec<_> = positive.iter().map(|positive| !positive).collect();
        Geometry {
            positive: mean_where(cosine.clone(), &positive),
            negative: mean_where(cosine, &negative),
            ..Geometry::default()
        }
    }
}

impl Surveyed for TripletBatch {
    fn survey(&self) -> Geometry {
        let mean_cosine = |other| mean(floats(cosine(&self.anchor, other)));
        Geometry {
            positive: mean_cosine(&self.positive),
            negative: mean_cosine(&self.negative),
            ..Geometry::default()
        }
    }
}

impl Surveyed for RetrievalBatch {
    fn survey(&self) -> Geometry {
        let mut hardest = self.hardest_of_others();
        for (column, negatives) in self.negatives.iter().enumerate() {
            let negatives = floats(cosine(&self.anchor, negatives)).zip(self.is_negative(column));
            for (hardest, (cosine, counts)) in hardest.iter_mut().zip(negatives) {
                let harder = hardest.is_none_or(|hardest| cosine > hardest);
                *hardest = if counts && harder { Some(cosine) } else { *hardest };
            }
        }
        let missing = |exists: &Tensor<2, Bool>| flags(exists).iter().filter(|&&is| !is).count();
        Geometry {
            valid_anchors: Some(hardest.iter().flatten().count()),
            masked_negatives: self.ids.as_ref().map(|ids| self.masked(ids)),
            missing_negatives: self.negative_mask.as_ref().map(missing),
            positive: mean(floats(cosine(&self.anchor, &self.positive))),
            negative: mean(hardest.into_iter().flatten()),
        }
    }
}

impl RetrievalBatch {
    /// Each row's cosine to the most similar positive of another id, if there is one.
    fn hardest_of_others(&self) -> Vec<Option<f64>> {
        let (x, y) = (&self.anchor, &self.positive);
        let ids = self.ids.as_ref().map(|ids| ids.rows.clone());
        let blocks = blocks(x, search_bytes(x, Distance::Cosine));
        let chosen = closest_other(Distance::Cosine, [x.clone(), y.clone()], ids, blocks);
        let exists = flags(&chosen.exists());
        let cosines = floats(cosine_of_chosen(x, y, chosen));
        cosines.zip(exists).map(|(cosine, exists)| exists.then_some(cosine)).collect()
    }

    /// Whether each row's own hard negative of a column exists.
    fn exists(&self, column: usize) -> Vec<bool> {
        match &self.negative_mask {
            Some(exists) => flags(&exists.clone().narrow(1, column, 1)),
            None => vec![true; self.anchor.dims()[0]],
        }
    }

    /// Whether each row's own hard negative of a column exists and has another id.
    fn is_negative(&self, column: usize) -> Vec<bool> {
        let mut counts = self.exists(column);
        let known = self.ids.as_ref().and_then(|ids| Some((&ids.rows, ids.negatives.get(column)?)));
        if let Some((rows, negatives)) = known {
            let ids = integers(rows).into_iter().zip(integers(negatives));
            counts.iter_mut().zip(ids).for_each(|(counts, (row, other))| *counts &= row != other);
        }
        counts
    }

    /// The number of pairs of a row and a document of another row that have the same id, or of a row and a hard
    /// negative that exists.
    fn masked(&self, ids: &RowIds) -> usize {
        let sizes = sizes(&integers(&ids.rows));
        let positives: usize = sizes.values().map(|size| size * (size - 1)).sum();
        let of_column = |(column, ids): (usize, &Tensor<1, Int>)| {
            let existing = integers(ids).into_iter().zip(self.exists(column));
            existing.filter_map(|(id, exists)| exists.then_some(id)).collect::<Vec<_>>()
        };
        let negatives = ids.negatives.iter().enumerate().flat_map(of_column);
        positives + negatives.filter_map(|id| sizes.get(&id)).sum::<usize>()
    }
}

impl Surveyed for MarginBatch {
    fn survey(&self) -> Geometry {
        let RetrievalBatch { anchor, positive, negatives, .. } = &self.candidates;
        let cosine = |other| cosine(anchor, other);
        let hardest = negatives.iter().map(cosine).reduce(Tensor::max_pair);
        Geometry {
            positive: mean(floats(cosine(positive))),
            negative: hardest.and_then(|cosines| mean(floats(cosines))),
            ..Geometry::default()
        }
    }
}

impl Surveyed for GuidedBatch {
    fn survey(&self) -> Geometry {
        self.candidates.survey()
    }
}

/// Implements it for batches about which there is nothing to say.
macro_rules! nothing_to_survey {
    ($($batch:ident),* $(,)?) => {$(
        impl Surveyed for $batch {
            fn survey(&self) -> Geometry {
                Geometry::default()
            }
        }
    )*};
}

nothing_to_survey!(
    CandidateBatch,
    CandidateMarginBatch,
    ClassLogitBatch,
    ClassifiedPairBatch,
    DistillationBatch,
    EmbeddingsBatch,
    ListBatch,
    LogitBatch,
    ReconstructionBatch,
    TeacherScoresBatch,
    TokenMarginBatch,
    TokenRetrievalBatch,
    TokenTeacherScoresBatch,
);

fn blocks(rows: &Tensor<2>, bytes: usize) -> Blocks {
    Blocks::within("Diagnostics", None, &rows.device(), rows.dims(), bytes)
}

/// The cosine of every row of `x` with the row of `y` beside it, `[n]`.
fn cosine(x: &Tensor<2>, y: &Tensor<2>) -> Tensor<1> {
    RowMetric::Cosine.rows(x.clone(), y.clone())
}

/// The cosine of every row of `x` with the row of `y` that was chosen for it, `[n]`.
fn cosine_of_chosen(x: &Tensor<2>, y: &Tensor<2>, chosen: Chosen) -> Tensor<1> {
    RowMetric::Cosine.compare([x.clone(), y.clone()], Partner::Chosen(1, chosen), None)
}

fn flags<const D: usize>(flags: &Tensor<D, Bool>) -> Vec<bool> {
    flags.to_data().iter::<bool>().collect()
}

fn integers(numbers: &Tensor<1, Int>) -> Vec<i64> {
    numbers.clone().into_data().iter::<i64>().collect()
}

fn floats(numbers: Tensor<1>) -> impl Iterator<Item = f64> {
    numbers.into_data().iter::<f64>().collect::<Vec<_>>().into_iter()
}

/// How often each number comes.
fn sizes(numbers: &[i64]) -> HashMap<i64, usize> {
    let mut sizes = HashMap::new();
    for &number in numbers {
        *sizes.entry(number).or_default() += 1;
    }
    sizes
}

fn mean_where(numbers: Tensor<1>, counts: &[bool]) -> Option<f64> {
    mean(floats(numbers).zip(counts).filter(|(_, counts)| **counts).map(|(number, _)| number))
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0, 0.0), |(count, sum), number| (count + 1, sum + number));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hard_negatives_that_are_missing_are_no_negatives() {
        let device = Device::flex();
        let x = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
        let ids = |ids: [i64; 2]| Tensor::<1, Int>::from_data(ids, &device);
        // The positives have one id, so only hard negatives are negatives: the anchor itself, for
        // the second row, and its opposite.
        let survey = |exists: [[bool; 2]; 2]| {
            RetrievalBatch::new(x.clone(), x.clone(), vec![x.clone(), x.clone().neg()])
                .with_ids(ids([4, 4]))
                .with_negative_ids(vec![ids([4, 5]), ids([6, 7])])
                .with_negative_mask(Tensor::from_bool(exists, &device))
                .survey()
        };
        let all = survey([[true; 2]; 2]);
        assert_eq!((all.missing_negatives, all.valid_anchors), (Some(0), Some(2)));
        // Each anchor with the other's positive, and with the negative of id 4.
        assert_eq!((all.masked_negatives, all.negative), (Some(2 + 2), Some(0.0)));
        let some = survey([[false, true], [false, true]]);
        assert_eq!((some.missing_negatives, some.masked_negatives), (Some(2), Some(2)));
        assert_eq!((some.valid_anchors, some.negative), (Some(2), Some(-1.0)));
        let none = survey([[true, false], [false, false]]);
        assert_eq!((none.missing_negatives, none.valid_anchors), (Some(3), Some(0)));
    }
}
