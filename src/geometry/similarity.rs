//! Larger is closer.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::distance::Distance;
use crate::error::ConfigError;
use crate::kernels::{Partner, RowMetric, unit_rows};
use crate::numeric::accumulate;

/// A similarity between embeddings.
///
/// | Variant | `s(x, y)` | range |
/// | :-- | :-- | :-- |
/// | `Cosine` | `x·y / (‖x‖ ‖y‖)` | `[-1, 1]`; 0 to and from a zero row |
/// | `Dot` | `x·y` | `(-∞, ∞)` |
/// | `Euclidean` | `−‖x − y‖₂` | `(-∞, 0]` |
/// | `Manhattan` | `−Σ \|xᵢ − yᵢ\|` | `(-∞, 0]` |
///
/// Configuration files may also use the names of sentence-transformers (`"cos_sim"`,
/// `"dot_score"`, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Similarity {
    /// Cosine of the angle between the rows.
    #[serde(alias = "cos_sim", alias = "pairwise_cos_sim", alias = "cosine")]
    Cosine,
    /// Dot product.
    #[serde(alias = "dot_score", alias = "pairwise_dot_score", alias = "dot")]
    Dot,
    /// Negative Euclidean distance.
    #[serde(alias = "euclidean_sim", alias = "pairwise_euclidean_sim", alias = "euclidean")]
    Euclidean,
    /// Negative Manhattan distance.
    #[serde(alias = "manhattan_sim", alias = "pairwise_manhattan_sim", alias = "manhattan")]
    Manhattan,
}

impl Similarity {
    /// Similarity of row i of `x` with row i of `y`.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim] → [n]`
    pub fn paired(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Cosine => RowMetric::Cosine.rows(x, y),
            Self::Dot => RowMetric::Dot.rows(x, y),
            Self::Euclidean => Distance::Euclidean.paired(x, y).neg(),
            Self::Manhattan => Distance::Manhattan.paired(x, y).neg(),
        }
    }

    /// Similarity of every row of `x` with every row of `y`.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[m, dim] → [n, m]`
    ///
    /// # Numerical behavior
    ///
    /// Cosine and dot product are one matrix product; the distances are those of
    /// [`Distance::pairwise`].
    pub fn pairwise(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        self.pairwise_prepared(self.prepare(x), self.prepare(y), 1.0)
    }

    /// Similarity of row i of `x` with row i of `y`, minus its similarity with row i of `z`.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim]`, `[n, dim] → [n]`
    ///
    /// # Numerical behavior
    ///
    /// The difference of two bilinear similarities is taken between the rows, so two close candidates
    /// keep their digits.
    pub fn paired_difference(self, x: Tensor<2>, y: Tensor<2>, z: Tensor<2>) -> Tensor<1> {
        self.paired_difference_prepared(self.prepare(x), self.prepare(y), self.prepare(z))
    }

    /// [`paired_difference`](Self::paired_difference) of [prepared](Self::prepare) rows.
    pub(crate) fn paired_difference_prepared(
        self,
        x: Tensor<2>,
        y: Tensor<2>,
        z: Tensor<2>,
    ) -> Tensor<1> {
        match self {
            Self::Cosine | Self::Dot => {
                RowMetric::Dot.compare([x, y, z], Partner::SameRow(1), Some(Partner::SameRow(2)))
            }
            Self::Euclidean => Distance::Euclidean.paired_difference(x, z, y),
            Self::Manhattan => Distance::Manhattan.paired_difference(x, z, y),
        }
    }

    /// Memory that a pair of these rows needs besides its score, in bytes; see
    /// [`Distance::difference_bytes`].
    pub(crate) fn difference_bytes(self, rows: &Tensor<2>, tracked: bool) -> usize {
        match self {
            Self::Cosine | Self::Dot => 0,
            Self::Euclidean => Distance::Euclidean.difference_bytes(rows, tracked),
            Self::Manhattan => Distance::Manhattan.difference_bytes(rows, tracked),
        }
    }

    /// Whether it is the dot product of [prepared](Self::prepare) rows.
    pub(crate) fn is_bilinear(self) -> bool {
        matches!(self, Self::Cosine | Self::Dot)
    }

    /// The rule of losses that compute products of rows.
    pub(crate) fn check_bilinear(self, loss: &str) -> Result<(), ConfigError> {
        let got = format_args!("{self:?}");
        ConfigError::unless(self.is_bilinear(), loss, "similarity", "must be Cosine or Dot", got)
    }

    /// Prepares rows that are compared more than once: scales them to length 1 for the cosine.
    pub(crate) fn prepare(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Cosine => unit_rows(x),
            _ => accumulate(x),
        }
    }

    /// `factor · s(x, y)` for all pairs of [prepared](Self::prepare) rows, `[n, m]`.
    pub(crate) fn pairwise_prepared(self, x: Tensor<2>, y: Tensor<2>, factor: f64) -> Tensor<2> {
        match self {
            // The factor goes to the [n, dim] rows, not over the [n, m] scores.
            Self::Cosine | Self::Dot => x.mul_scalar(factor).matmul(y.transpose()),
            Self::Euclidean => Distance::Euclidean.pairwise(x, y).mul_scalar(-factor),
            Self::Manhattan => Distance::Manhattan.pairwise(x, y).mul_scalar(-factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Similarity; 4] =
        [Similarity::Cosine, Similarity::Dot, Similarity::Euclidean, Similarity::Manhattan];

    fn example() -> (Tensor<2>, Tensor<2>) {
        let device = Device::flex();
        (
            Tensor::from_floats([[3.0, 4.0], [0.0, 0.0]], &device),
            Tensor::from_floats([[4.0, 3.0], [0.0, 5.0]], &device),
        )
    }

    #[test]
    fn paired_similarities_by_hand() {
        for (similarity, expected) in [
            (Similarity::Cosine, [0.96f32, 0.0]),
            (Similarity::Dot, [24.0, 0.0]),
            (Similarity::Euclidean, [-(2f32.sqrt()), -5.0]),
            (Similarity::Manhattan, [-2.0, -5.0]),
        ] {
            let (x, y) = example();
            let got: Vec<f32> = similarity.paired(x, y).try_into_vec_as().unwrap();
            for (g, e) in got.iter().zip(expected) {
                assert!((g - e).abs() < 1e-6, "{similarity:?}: {got:?}");
            }
        }
    }

    #[test]
    fn the_diagonal_of_pairwise_is_paired() {
        for similarity in ALL {
            let (x, y) = example();
            let all: Vec<f32> =
                similarity.pairwise(x.clone(), y.clone()).try_into_vec_as().unwrap();
            let paired: Vec<f32> = similarity.paired(x, y).try_into_vec_as().unwrap();
            assert!((all[0] - paired[0]).abs() < 1e-5 && (all[3] - paired[1]).abs() < 1e-5);
        }
    }
}
