//! What can be said of a batch whatever the loss.

use std::collections::HashMap;

use burn::prelude::*;

use crate::batch::{
    ClassTargets, ClassifiedPairBatch, DistillationBatch, LabeledBatch, MarginBatch, PairBatch,
    RetrievalBatch, RowIds, TripletBatch,
};
use crate::blocks::Blocks;
use crate::geometry::Distance;
use crate::kernels::{Partner, RowMetric};
use crate::select::{closest_other, hardest, search_bytes};

/// See [`Diagnostics`](super::Diagnostics).
#[derive(Debug, Default)]
pub(crate) struct Geometry {
    pub valid_anchors: Option<usize>,
    pub masked_negatives: Option<usize>,
    pub positive: Option<f64>,
    pub negative: Option<f64>,
}

/// A batch that can be looked at.
pub(crate) trait Surveyed {
    /// The same numbers as constants.
    fn without_graph(self) -> Self;

    /// What is to be said of the batch, which has no graph.
    fn survey(&self) -> Geometry;
}

impl Surveyed for LabeledBatch {
    fn without_graph(self) -> Self {
        Self { embeddings: self.embeddings.inner(), labels: self.labels.inner() }
    }

    fn survey(&self) -> Geometry {
        let (x, labels) = (self.embeddings.clone(), integers(&self.labels));
        let sizes = sizes(&labels);
        let valid: Vec<bool> =
            labels.iter().map(|label| (2..labels.len()).contains(&sizes[label])).collect();
        let bytes = search_bytes(&x, Distance::Cosine);
        let (positive, negative) =
            hardest(x.clone(), self.labels.clone(), Distance::Cosine, blocks(&x, bytes));
        let cosine = |chosen| {
            let cosine = RowMetric::Cosine.compare([x.clone()], Partner::Chosen(0, chosen), None);
            mean_where(cosine, &valid)
        };
        Geometry {
            valid_anchors: Some(valid.iter().filter(|&&valid| valid).count()),
            positive: cosine(positive),
            negative: cosine(negative),
            ..Geometry::default()
        }
    }
}

impl Surveyed for PairBatch {
    fn without_graph(self) -> Self {
        let Self { left, right, labels } = self;
        Self { left: left.inner(), right: right.inner(), labels: labels.inner() }
    }

    fn survey(&self) -> Geometry {
        let cosine = RowMetric::Cosine.rows(self.left.clone(), self.right.clone());
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
    fn without_graph(self) -> Self {
        let Self { anchor, positive, negative } = self;
        Self { anchor: anchor.inner(), positive: positive.inner(), negative: negative.inner() }
    }

    fn survey(&self) -> Geometry {
        let cosine = |other: &Tensor<2>| {
            mean(floats(RowMetric::Cosine.rows(self.anchor.clone(), other.clone())))
        };
        Geometry {
            positive: cosine(&self.positive),
            negative: cosine(&self.negative),
            ..Geometry::default()
        }
    }
}

impl Surveyed for RetrievalBatch {
    fn without_graph(self) -> Self {
        let Self { anchor, positive, negatives, ids, own_rows } = self;
        let negatives = negatives.into_iter().map(Tensor::inner).collect();
        Self { anchor: anchor.inner(), positive: positive.inner(), negatives, ids, own_rows }
    }

    fn survey(&self) -> Geometry {
        let (x, y) = (self.anchor.clone(), self.positive.clone());
        let rows = self.ids.as_ref().map(|ids| ids.rows.clone());
        let blocks = blocks(&x, search_bytes(&x, Distance::Cosine));
        let chosen = closest_other(Distance::Cosine, [x.clone(), y.clone()], rows, blocks);
        let exists = chosen.exists().into_data();
        let exists: Vec<_> = exists.iter::<bool>().collect();
        let sources = [x.clone(), y.clone()];
        let in_batch = RowMetric::Cosine.compare(sources, Partner::Chosen(1, chosen), None);
        let in_batch = floats(in_batch).zip(exists);
        let mut hardest: Vec<_> =
            in_batch.map(|(cosine, exists)| exists.then_some(cosine)).collect();
        for (column, negative) in self.negatives.iter().enumerate() {
            let cosine = RowMetric::Cosine.rows(x.clone(), negative.clone());
            let negatives = floats(cosine).zip(self.is_negative(column));
            for (hardest, (cosine, counts)) in hardest.iter_mut().zip(negatives) {
                let harder = hardest.is_none_or(|hardest| cosine > hardest);
                *hardest = if counts && harder { Some(cosine) } else { *hardest };
            }
        }
        Geometry {
            valid_anchors: Some(hardest.iter().flatten().count()),
            masked_negatives: self.ids.as_ref().map(masked),
            positive: mean(floats(RowMetric::Cosine.rows(x, y))),
            negative: mean(hardest.into_iter().flatten()),
        }
    }
}

impl RetrievalBatch {
    /// Whether each row's own hard negative of a column is one.
    fn is_negative(&self, column: usize) -> Vec<bool> {
        let known = self.ids.as_ref().and_then(|ids| Some((&ids.rows, ids.negatives.get(column)?)));
        let Some((rows, negatives)) = known else { return vec![true; self.anchor.dims()[0]] };
        integers(rows).iter().zip(integers(negatives)).map(|(&row, other)| row != other).collect()
    }
}

/// How many pairs of a row and a document of others have the same id, or of a row and a hard negative.
fn masked(ids: &RowIds) -> usize {
    let rows = integers(&ids.rows);
    let sizes = sizes(&rows);
    let positives: usize = sizes.values().map(|size| size * (size - 1)).sum();
    let negatives = ids.negatives.iter().flat_map(integers);
    positives + negatives.filter_map(|id| sizes.get(&id)).sum::<usize>()
}

impl Surveyed for MarginBatch {
    fn without_graph(self) -> Self {
        Self { candidates: self.candidates.without_graph(), margins: self.margins.inner() }
    }

    fn survey(&self) -> Geometry {
        let RetrievalBatch { anchor, positive, negatives, .. } = &self.candidates;
        let cosine = |other: &Tensor<2>| RowMetric::Cosine.rows(anchor.clone(), other.clone());
        let hardest = negatives.iter().map(cosine).reduce(Tensor::max_pair);
        Geometry {
            positive: mean(floats(cosine(positive))),
            negative: hardest.and_then(|cosine| mean(floats(cosine))),
            ..Geometry::default()
        }
    }
}

impl Surveyed for ClassifiedPairBatch {
    fn without_graph(self) -> Self {
        let Self { left, right, targets } = self;
        let targets = match targets {
            ClassTargets::Indices(indices) => ClassTargets::Indices(indices.inner()),
            ClassTargets::Probabilities(p) => ClassTargets::Probabilities(p.inner()),
        };
        Self { left: left.inner(), right: right.inner(), targets }
    }

    fn survey(&self) -> Geometry {
        Geometry::default()
    }
}

impl Surveyed for DistillationBatch {
    fn without_graph(self) -> Self {
        let Self { columns, targets } = self;
        let inner = |rows: Vec<Tensor<2>>| rows.into_iter().map(Tensor::inner).collect();
        Self { columns: inner(columns), targets: inner(targets) }
    }

    fn survey(&self) -> Geometry {
        Geometry::default()
    }
}

fn blocks(rows: &Tensor<2>, bytes: usize) -> Blocks {
    Blocks::within("Diagnostics", None, rows.dims(), bytes)
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
