//! Correlations between similarities and scores.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::scores::{check_finite, descending, expect_length, paired, read};
use crate::error::BatchError;
use crate::geometry::Similarity;

/// Correlation of similarities with the scores of their pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Pearson's correlation, in `[-1, 1]`; `None` as in [`pearson`].
    pub pearson: Option<f64>,
    /// Spearman's rank correlation, in `[-1, 1]`; `None` as in [`spearman`].
    pub spearman: Option<f64>,
    /// The number of pairs.
    pub rows: usize,
}

/// Correlation of the similarity of the pairs `left[i]`, `right[i]` with their scores.
///
/// # Shapes
///
/// `[n, dim]`, `[n, dim]`, `n` scores
///
/// # Errors
///
/// If a score or a similarity is not finite.
///
/// # Panics
///
/// If there is no row or no column, or the shapes differ.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::Similarity;
/// use burn_embedding_losses::evaluation::embedding_similarity;
///
/// # let device = Device::flex();
/// let left = Tensor::from_floats([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]], &device);
/// let right = Tensor::from_floats([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], &device);
/// let seen = embedding_similarity(left, right, &[5.0, 4.0, 0.5], Similarity::Cosine)?;
/// assert!((seen.spearman.unwrap() - 1.0).abs() < 1e-12);
/// # Ok::<(), burn_embedding_losses::BatchError>(())
/// ```
///
/// # References
///
/// `EmbeddingSimilarityEvaluator` of sentence-transformers.
#[track_caller]
pub fn embedding_similarity(
    left: Tensor<2>,
    right: Tensor<2>,
    scores: &[f64],
    similarity: Similarity,
) -> Result<Correlation, BatchError> {
    const OWNER: &str = "embedding_similarity";
    let similarities = paired(OWNER, [("left", left), ("right", right)], similarity);
    expect_length(OWNER, "scores", scores.len(), similarities.dims()[0]);
    check_finite(OWNER, "scores", scores)?;
    let similarities = read(OWNER, similarities)?;
    Ok(Correlation {
        pearson: pearson(&similarities, scores),
        spearman: spearman(&similarities, scores),
        rows: scores.len(),
    })
}

/// Pearson's correlation, in `[-1, 1]`.
///
/// `None` if there are fewer than two values, all values of a list are equal, or one is not finite:
/// where the reference has NaN or refuses.
///
/// # Panics
///
/// If the lists differ in length.
#[track_caller]
pub fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    expect_length("pearson", "right", right.len(), left.len());
    let (left, right) = (centred(left)?, centred(right)?);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let lengths = (dot(&left, &left) * dot(&right, &right)).sqrt();
    Some((dot(&left, &right) / lengths).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, in `[-1, 1]`: that of [`pearson`] between the ranks, equal values
/// sharing the average of theirs.
///
/// `None` as for [`pearson`].
///
/// # Panics
///
/// If the lists differ in length.
#[track_caller]
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    expect_length("spearman", "right", right.len(), left.len());
    let finite = left.iter().chain(right).all(|value| value.is_finite());
    if finite { pearson(&ranks(left), &ranks(right)) } else { None }
}

/// The differences from the mean, the largest of size one; `None` where they are none.
fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let size = values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    // A mean of equal values may be another number.
    let constant = values.iter().all(|value| value == &values[0]);
    if constant || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value / size / count).sum::<f64>();
    let differences: Vec<f64> = values.iter().map(|value| value / size - mean).collect();
    let largest = differences.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    (largest > 0.0).then(|| differences.iter().map(|value| value / largest).collect())
}

/// The rank of each value, from one for the highest; equal values share the average of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let order = descending(values);
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let average = first as f64 + (tied.len() + 1) as f64 / 2.0;
        for &index in tied {
            ranks[index] = average;
        }
        first += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(value: Option<f64>, expected: f64) {
        let value = value.unwrap();
        assert!((value - expected).abs() < 1e-12, "{value} is not {expected}");
    }

    #[test]
    fn ties_share_their_average_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [1.5, 4.0, 1.5, 3.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    #[test]
    fn orders_that_agree_give_one_and_reversed_ones_minus_one() {
        assert_close(spearman(&[0.1, 0.2, 9.0], &[1.0, 2.0, 3.0]), 1.0);
        assert_close(spearman(&[3.0, 2.0, 1.0], &[1.0, 2.0, 3.0]), -1.0);
    }

    #[test]
    fn one_exchange_among_five_gives_nine_tenths() {
        // Without ties: 1 - 6 * (1 + 1) / (5 * (25 - 1)) = 0.9.
        assert_close(spearman(&[1.0, 2.0, 4.0, 3.0, 5.0], &[1.0, 2.0, 3.0, 4.0, 5.0]), 0.9);
    }

    #[test]
    fn ties_are_counted_by_hand() {
        // Ranks 1.5, 1.5, 3 against 1, 2, 3: covariance 1.5, variances 1.5 and 2.
        assert_close(spearman(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]), 1.5 / 3.0_f64.sqrt());
    }

    #[test]
    fn a_line_has_correlation_one_whatever_its_size() {
        for size in [1e-300, 1.0, 1e300] {
            assert_close(pearson(&[0.1 * size, 0.5 * size, -size], &[0.2, 1.0, -2.0]), 1.0);
        }
    }

    #[test]
    fn what_is_not_defined_is_none() {
        for (left, right) in [
            (&[][..], &[][..]),
            (&[1.0], &[2.0]),
            (&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]),
            // The sum of ten tenths is not one.
            (&[0.1; 10], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]),
            (&[1.0, 2.0], &[f64::NAN, 1.0]),
            (&[1.0, f64::INFINITY], &[1.0, 2.0]),
        ] {
            assert_eq!((pearson(left, right), spearman(left, right)), (None, None), "{left:?}");
        }
    }

    #[test]
    #[should_panic(expected = "`scores` must have one value for each of 2 rows, got 1")]
    fn a_score_is_missing() {
        let rows = Tensor::<2>::ones([2, 3], &Device::flex());
        let _ = embedding_similarity(rows.clone(), rows, &[1.0], Similarity::Dot);
    }

    #[test]
    fn numbers_that_are_none_are_errors() {
        let rows = Tensor::<2>::from_floats([[1.0, f32::NAN], [1.0, 0.0]], &Device::flex());
        let of = |scores| {
            embedding_similarity(rows.clone(), rows.clone(), scores, Similarity::Dot).unwrap_err()
        };
        assert!(
            of(&[1.0, 2.0]).to_string().contains("`similarity` must be finite, value 0 is NaN")
        );
        assert!(of(&[1.0, f64::INFINITY]).to_string().contains("`scores` must be finite, value 1"));
    }
}
