//! Whether positives are closer than negatives.

use burn::prelude::*;

use super::scores::{paired, read, share};
use crate::error::BatchError;
use crate::geometry::Similarity;

/// The share of triplets with `s(a, p) > s(a, n) + margin`, in `[0, 1]`.
///
/// Equal similarities are not right.
///
/// # Shapes
///
/// `[n, dim]`, three times
///
/// # Errors
///
/// If a similarity is not finite.
///
/// # Panics
///
/// If there is no row or no column, the shapes differ, or `margin` is not finite.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::Similarity;
/// use burn_embedding_losses::evaluation::triplet_accuracy;
///
/// # let device = Device::flex();
/// let anchor = Tensor::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let positive = Tensor::from_floats([[0.8, 0.6], [0.6, 0.8]], &device);
/// let negative = Tensor::from_floats([[0.6, 0.8], [0.0, 1.0]], &device);
/// let accuracy = triplet_accuracy(anchor, positive, negative, Similarity::Cosine, 0.0)?;
/// assert_eq!(accuracy, 0.5);
/// # Ok::<(), burn_embedding_losses::BatchError>(())
/// ```
///
/// # References
///
/// `TripletEvaluator` of sentence-transformers.
#[track_caller]
pub fn triplet_accuracy(
    anchor: Tensor<2>,
    positive: Tensor<2>,
    negative: Tensor<2>,
    similarity: Similarity,
    margin: f64,
) -> Result<f64, BatchError> {
    const OWNER: &str = "triplet_accuracy";
    assert!(margin.is_finite(), "{OWNER}: `margin` must be finite, got {margin}");
    let gaps = similarities(OWNER, [anchor, positive, negative], similarity);
    Ok(accuracy(&read(OWNER, gaps)?, margin))
}

/// The similarities of anchors to positives and to negatives, `[2, n]`.
#[track_caller]
pub(super) fn similarities(
    owner: &str,
    [anchor, positive, negative]: [Tensor<2>; 3],
    similarity: Similarity,
) -> Tensor<2> {
    let positive = paired(owner, [("anchor", anchor.clone()), ("positive", positive)], similarity);
    let negative = paired(owner, [("anchor", anchor), ("negative", negative)], similarity);
    Tensor::stack(vec![positive, negative], 0)
}

/// The accuracy of `[2, n]` [`similarities`].
pub(super) fn accuracy(similarities: &[f64], margin: f64) -> f64 {
    let (positive, negative) = similarities.split_at(similarities.len() / 2);
    let right = positive.iter().zip(negative).filter(|(p, n)| **p > **n + margin).count();
    share(right, positive.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(margin: f64) -> f64 {
        let rows = |values: [[f32; 1]; 4]| Tensor::from_floats(values, &Device::flex());
        let anchor = rows([[0.0]; 4]);
        let positive = rows([[1.0], [2.0], [1.0], [3.0]]);
        let negative = rows([[2.0], [1.0], [1.0], [5.0]]);
        triplet_accuracy(anchor, positive, negative, Similarity::Euclidean, margin).unwrap()
    }

    #[test]
    fn a_tie_is_wrong_and_a_margin_must_be_exceeded() {
        // Gaps 1, -1, 0, 2.
        assert_eq!([of(0.0), of(1.0), of(-0.5), of(2.0)], [0.5, 0.25, 0.75, 0.0]);
    }

    #[test]
    #[should_panic(expected = "triplet_accuracy: `negative` must have shape [2, 3], got [1, 3]")]
    fn a_row_is_missing() {
        let rows = |n| Tensor::<2>::ones([n, 3], &Device::flex());
        let _ = triplet_accuracy(rows(2), rows(2), rows(1), Similarity::Dot, 0.0);
    }
}
