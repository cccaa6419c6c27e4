//! Rows compared with one or two rows each: rows of other matrices, or rows chosen from them.

use burn::prelude::*;

use super::{Chosen, flex};
use crate::numeric::{UnitRows, accumulate, l2_norm};

use super::unit_rows::unit_rows;

/// A number computed from two rows. An offset is added to every coordinate difference first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RowMetric {
    /// `‖x − y‖`.
    Euclidean { offset: f64 },
    /// `‖x − y‖²`.
    SquaredEuclidean { offset: f64 },
    /// `Σ |xᵢ − yᵢ|`.
    Manhattan { offset: f64 },
    /// `1 − cos(x, y)`.
    CosineDistance,
    /// `cos(x, y)`.
    Cosine,
    /// `x·y`.
    Dot,
}

/// The rows that the rows of the first matrix are compared with, in one of the matrices.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "one or two at a time; a tensor is large by some features"
)]
pub(crate) enum Partner {
    /// Row i with row i.
    SameRow(usize),
    /// Row i with the row chosen for it; without a choice the comparison counts 0.
    Chosen(usize, Chosen),
}

impl RowMetric {
    /// Row i of `x` with row i of `y`, `[n]`.
    pub fn rows(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        self.compare([x, y], Partner::SameRow(1), None)
    }

    /// The rows of the first of one to three matrices with `first`, minus the same with `second`,
    /// `[n]`.
    ///
    /// # Numerical behavior
    ///
    /// A kernel of the CPU takes a row in one pass and sums in `f64`.
    pub fn compare<const K: usize>(
        self,
        sources: [Tensor<2>; K],
        first: Partner,
        second: Option<Partner>,
    ) -> Tensor<1> {
        let sources = sources.map(accumulate);
        if let Some(compared) = flex::compare_rows(&sources, self, &first, second.as_ref()) {
            return compared;
        }
        self.plain(&sources, first, second)
    }

    fn plain(self, sources: &[Tensor<2>], first: Partner, second: Option<Partner>) -> Tensor<1> {
        let compare = |partner: Partner| partner.compare(sources, self);
        match (self, first, second) {
            (_, first, None) => compare(first),
            // Bilinear: the difference of the rows keeps the digits of two close candidates.
            (Self::Dot, Partner::SameRow(first), Some(Partner::SameRow(second))) => {
                let [y, z] = [first, second].map(|source| sources[source].clone());
                self.of(sources[0].clone(), y - z)
            }
            (_, first, Some(second)) => compare(first) - compare(second),
        }
    }

    fn of(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        let difference = |x: Tensor<2>, y: Tensor<2>, offset: f64| match offset {
            0.0 => x - y,
            _ => (x - y).add_scalar(offset),
        };
        let column = match self {
            Self::Euclidean { offset } => l2_norm(difference(x, y, offset)),
            Self::SquaredEuclidean { offset } => {
                let difference = difference(x, y, offset);
                (difference.clone() * difference).sum_dim(1)
            }
            Self::Manhattan { offset } => difference(x, y, offset).abs().sum_dim(1),
            Self::CosineDistance => {
                let (x, y) = (UnitRows::new(x), UnitRows::new(y));
                let apart = (x.rows - y.rows).square().sum_dim(1).mul_scalar(0.5);
                apart + x.shortfall + y.shortfall
            }
            Self::Cosine => (unit_rows(x) * unit_rows(y)).sum_dim(1),
            Self::Dot => (x * y).sum_dim(1),
        };
        column.squeeze_dim(1)
    }
}

impl Partner {
    fn compare(self, sources: &[Tensor<2>], metric: RowMetric) -> Tensor<1> {
        let x = sources[0].clone();
        match self {
            Self::SameRow(source) => metric.of(x, sources[source].clone()),
            Self::Chosen(source, chosen) => {
                let compared = metric.of(x, chosen.rows(sources[source].clone()));
                compared.mask_fill(chosen.exists().bool_not(), 0.0)
            }
        }
    }
}
