//! Rows compared with one or two rows each: of other matrices, or chosen from them.

use burn::prelude::*;

#[cfg(feature = "flex")]
use super::flex;
use super::mining::Chosen;
use super::norm::{UnitRows, accumulate, l2_norm, unit_rows};

/// What is computed of two rows. An offset is added to every coordinate difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Comparison {
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

/// Rows that the rows of the first of some matrices are compared with, in one of the matrices.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "one or two at a time; a tensor is large by some features"
)]
pub(crate) enum Others {
    /// Row i with row i.
    Rows(usize),
    /// Row i with the row chosen for it; where none exists the comparison counts 0.
    Chosen(usize, Chosen),
}

impl Comparison {
    /// Row i of `x` with row i of `y`, `[n]`.
    pub fn rows(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        self.with([x, y], Others::Rows(1), None)
    }

    /// The rows of the first of one to three matrices with `first`, less the same with `second`, `[n]`.
    pub fn with<const K: usize>(
        self,
        sources: [Tensor<2>; K],
        first: Others,
        second: Option<Others>,
    ) -> Tensor<1> {
        let sources = sources.map(accumulate);
        #[cfg(feature = "flex")]
        if sources.iter().all(flex::suits) {
            let [first, second] = [Some(first), second].map(|others| others.map(Others::partners));
            let gap = flex::Gap { comparison: self, first: first.expect("was given"), second };
            return flex::gap(three(sources), gap);
        }
        let compare = |others: Others| others.compare(&sources, self);
        match (self, first, second) {
            (_, first, None) => compare(first),
            // Bilinear: two close candidates do not cancel in the difference of the rows.
            (Self::Dot, Others::Rows(first), Some(Others::Rows(second))) => {
                let [y, z] = [first, second].map(|source| sources[source].clone());
                self.plain(sources[0].clone(), y - z)
            }
            (_, first, Some(second)) => compare(first) - compare(second),
        }
    }

    fn plain(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
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

impl Others {
    fn compare(self, sources: &[Tensor<2>], comparison: Comparison) -> Tensor<1> {
        let x = sources[0].clone();
        match self {
            Self::Rows(source) => comparison.plain(x, sources[source].clone()),
            Self::Chosen(source, chosen) => {
                let compared = comparison.plain(x, chosen.rows(sources[source].clone()));
                compared.mask_fill(chosen.exists.bool_not(), 0.0)
            }
        }
    }

    #[cfg(feature = "flex")]
    fn partners(self) -> flex::Partners {
        match self {
            Self::Rows(source) => flex::Partners { source, index: None },
            Self::Chosen(source, Chosen { index, exists }) => {
                let index = flex::integers(index);
                let exists = exists.into_data();
                let known = index.into_iter().zip(exists.iter::<bool>());
                let partner = |(row, exists)| if exists { row as u32 } else { flex::NOBODY };
                flex::Partners { source, index: Some(known.map(partner).collect()) }
            }
        }
    }
}

/// Three matrices: those that are missing are not used, and nothing is derived by them.
#[cfg(feature = "flex")]
fn three<const K: usize>(sources: [Tensor<2>; K]) -> [Tensor<2>; 3] {
    let missing = sources[0].clone().inner();
    let mut sources = sources.into_iter();
    core::array::from_fn(|_| sources.next().unwrap_or_else(|| missing.clone()))
}
