//! Pairs that belong together, told from those that do not by a threshold.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::scores::{check_finite, descending, expect_length, paired, read, share};
use crate::error::BatchError;
use crate::geometry::Similarity;

/// A value and the threshold that gives it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtThreshold {
    /// The value, in `[0, 1]`.
    pub value: f64,
    /// Pairs at least as similar are called positive: a similarity, or for `Euclidean` and
    /// `Manhattan` a distance.
    pub threshold: f64,
}

/// The best F1 score, and what else there is at its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestF1 {
    /// Harmonic mean of precision and recall, in `[0, 1]`; 0 without a positive pair.
    pub f1: f64,
    /// As in [`AtThreshold`]; 0 without a positive pair.
    pub threshold: f64,
    /// Share of positive pairs among those called positive, in `[0, 1]`.
    pub precision: f64,
    /// Share of those called positive among positive pairs, in `[0, 1]`.
    pub recall: f64,
    /// Matthews' correlation coefficient, in `[-1, 1]`; 0 where all pairs are, or are called, alike.
    pub mcc: f64,
}

/// Separation of positive from negative pairs by similarity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BinaryClassification {
    /// The best share of pairs that are called what they are.
    pub accuracy: AtThreshold,
    /// The best F1 score.
    pub f1: BestF1,
    /// Average precision, as [`average_precision`].
    pub average_precision: f64,
    /// The number of pairs.
    pub rows: usize,
}

/// Measures whether the similarity of `left[i]` and `right[i]` separates label 1 from label 0.
///
/// A threshold lies halfway between the least similar pair that it calls positive and the next one.
/// The first of equally good thresholds is taken, from the most similar pair on.
///
/// # Shapes
///
/// `[n, dim]`, `[n, dim]`, `n` labels
///
/// # Errors
///
/// If a label is neither 0 nor 1, or a similarity is not finite.
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
/// use burn_embedding_losses::evaluation::binary_classification;
///
/// # let device = Device::flex();
/// let left = Tensor::from_floats([[0.0], [0.0], [0.0]], &device);
/// let right = Tensor::from_floats([[1.0], [2.0], [4.0]], &device);
/// let seen = binary_classification(left, right, &[1, 1, 0], Similarity::Euclidean)?;
/// assert_eq!((seen.accuracy.value, seen.accuracy.threshold), (1.0, 3.0));
/// # Ok::<(), burn_embedding_losses::BatchError>(())
/// ```
///
/// # References
///
/// `BinaryClassificationEvaluator` of sentence-transformers.
#[track_caller]
pub fn binary_classification(
    left: Tensor<2>,
    right: Tensor<2>,
    labels: &[i64],
    similarity: Similarity,
) -> Result<BinaryClassification, BatchError> {
    const OWNER: &str = "binary_classification";
    let similarities = paired(OWNER, [("left", left), ("right", right)], similarity);
    expect_length(OWNER, "labels", labels.len(), similarities.dims()[0]);
    if let Some(row) = labels.iter().position(|label| ![0, 1].contains(label)) {
        let got = labels[row];
        let message = format!("{OWNER}: `labels` must be 0 or 1, row {row} has {got}");
        return Err(BatchError::new(message));
    }
    let labels: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
    let mut seen = classify_scores(&read(OWNER, similarities)?, &labels)?;
    if matches!(similarity, Similarity::Euclidean | Similarity::Manhattan) {
        for threshold in [&mut seen.accuracy.threshold, &mut seen.f1.threshold] {
            *threshold = 0.0 - *threshold;
        }
    }
    Ok(seen)
}

/// As [`binary_classification`], for similarities of any kind, the higher the more similar.
///
/// # Errors
///
/// If a similarity is not finite, or there is none.
///
/// # Panics
///
/// If the lists differ in length.
#[track_caller]
pub fn classify_scores(
    similarities: &[f64],
    labels: &[bool],
) -> Result<BinaryClassification, BatchError> {
    const OWNER: &str = "classify_scores";
    expect_length(OWNER, "labels", labels.len(), similarities.len());
    check_finite(OWNER, "similarities", similarities)?;
    let cuts = cuts(similarities, labels);
    let Some(last) = cuts.last() else {
        return Err(BatchError::new(format!("{OWNER}: `similarities` must not be empty")));
    };
    let totals = Totals { rows: last.called, positives: last.right };
    Ok(BinaryClassification {
        accuracy: best_accuracy(&cuts, totals),
        f1: best_f1(&cuts, totals),
        average_precision: area(&cuts, totals),
        rows: totals.rows,
    })
}

/// The mean, over positive pairs, of the share of positive pairs among those at least as similar, in
/// `[0, 1]`; 0 without a positive pair.
///
/// # Panics
///
/// If the lists differ in length.
#[track_caller]
pub fn average_precision(similarities: &[f64], labels: &[bool]) -> f64 {
    expect_length("average_precision", "labels", labels.len(), similarities.len());
    let cuts = cuts(similarities, labels);
    cuts.last().map_or(0.0, |last| area(&cuts, Totals { rows: last.called, positives: last.right }))
}

/// The similarities and labels of all pairs.
#[derive(Clone, Copy)]
struct Totals {
    rows: usize,
    positives: usize,
}

/// A place at which pairs may be divided: below all pairs of one similarity.
struct Cut {
    /// Pairs above.
    called: usize,
    /// Positive ones among them.
    right: usize,
    /// Similarity of the last pair above.
    similarity: f64,
    /// Halfway to the next pair.
    threshold: f64,
}

fn cuts(similarities: &[f64], labels: &[bool]) -> Vec<Cut> {
    let order = descending(similarities);
    let (mut called, mut right) = (0, 0);
    let tied = order.chunk_by(|&a, &b| similarities[a] == similarities[b]);
    tied.map(|tied| {
        called += tied.len();
        right += tied.iter().filter(|&&row| labels[row]).count();
        let similarity = similarities[tied[0]];
        let next = order.get(called).map(|&row| similarities[row]);
        Cut { called, right, similarity, threshold: halfway(similarity, next) }
    })
    .collect()
}

fn halfway(similarity: f64, next: Option<f64>) -> f64 {
    let middle = next.map_or(similarity, |next| similarity / 2.0 + next / 2.0);
    // Rounding must not call the next pair positive.
    if Some(middle) == next { similarity } else { middle }
}

fn best_accuracy(cuts: &[Cut], all: Totals) -> AtThreshold {
    let negatives = all.rows - all.positives;
    let none = (negatives, cuts[0].similarity.next_up());
    let (right, threshold) = cuts.iter().fold(none, |best, cut| {
        let right = cut.right + negatives - (cut.called - cut.right);
        if right > best.0 { (right, cut.threshold) } else { best }
    });
    AtThreshold { value: share(right, all.rows), threshold }
}

fn best_f1(cuts: &[Cut], all: Totals) -> BestF1 {
    let none = BestF1 { f1: 0.0, threshold: 0.0, precision: 0.0, recall: 0.0, mcc: 0.0 };
    cuts.iter().filter(|cut| cut.right > 0).fold(none, |best, cut| {
        let (precision, recall) = (share(cut.right, cut.called), share(cut.right, all.positives));
        let f1 = 2.0 * precision * recall / (precision + recall);
        if f1 <= best.f1 {
            return best;
        }
        BestF1 { f1, threshold: cut.threshold, precision, recall, mcc: matthews(cut, all) }
    })
}

fn matthews(cut: &Cut, all: Totals) -> f64 {
    let [rows, positives, called, right] =
        [all.rows, all.positives, cut.called, cut.right].map(|count| count as f64);
    let scale = (called * (rows - called) * positives * (rows - positives)).sqrt();
    if scale > 0.0 { (right * rows - called * positives) / scale } else { 0.0 }
}

/// The area below precision over recall, in steps.
fn area(cuts: &[Cut], all: Totals) -> f64 {
    let mut before = 0;
    let steps = cuts.iter().map(|cut| {
        let gained = cut.right - before;
        before = cut.right;
        gained as f64 * share(cut.right, cut.called)
    });
    let sum: f64 = steps.sum();
    if all.positives > 0 { sum / all.positives as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_precision_is_counted_by_hand() {
        // True items at places 1 and 3: precisions 1/1 and 2/3.
        let precision = average_precision(&[0.2, 0.9, 0.1, 0.5], &[true, true, false, false]);
        assert!((precision - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // Tied with a false item: both are seen before the precision is taken.
        assert_eq!(average_precision(&[0.5, 0.5], &[false, true]), 0.5);
        assert_eq!(average_precision(&[0.5], &[true]), 1.0);
        assert_eq!(average_precision(&[0.5], &[false]), 0.0);
        assert_eq!(average_precision(&[], &[]), 0.0);
    }

    #[test]
    fn thresholds_lie_halfway_and_never_within_ties() {
        let seen = classify_scores(&[0.0, 4.0, 2.0, 2.0], &[false, true, true, false]).unwrap();
        // Calling one pair positive or three: three of four are right; the first is taken.
        assert_eq!(seen.accuracy, AtThreshold { value: 0.75, threshold: 3.0 });
        assert_eq!((seen.f1.f1, seen.f1.threshold), (0.8, 1.0));
        assert_eq!((seen.f1.precision, seen.f1.recall), (2.0 / 3.0, 1.0));
        // Right 2, wrongly called 1, rightly not called 1: (2·1 − 1·0) / √(3·2·2·1).
        assert!((seen.f1.mcc - 2.0 / 12f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn without_a_positive_nothing_is_called_positive() {
        let seen = classify_scores(&[1.0, 2.0], &[false, false]).unwrap();
        assert_eq!(seen.accuracy.value, 1.0);
        assert!(seen.accuracy.threshold > 2.0 && seen.accuracy.threshold < 2.0 + 1e-12);
        assert_eq!((seen.f1.f1, seen.f1.threshold, seen.f1.mcc), (0.0, 0.0, 0.0));
        assert_eq!(seen.average_precision, 0.0);
    }

    #[test]
    fn neighbouring_numbers_have_no_middle() {
        let next = 1.0_f64.next_down();
        let seen = classify_scores(&[1.0, next], &[true, false]).unwrap();
        assert_eq!(seen.accuracy, AtThreshold { value: 1.0, threshold: 1.0 });
    }

    #[test]
    fn labels_that_are_none_are_errors() {
        let rows = Tensor::<2>::ones([2, 3], &Device::flex());
        let seen = binary_classification(rows.clone(), rows, &[1, 2], Similarity::Cosine);
        assert!(seen.unwrap_err().to_string().contains("must be 0 or 1, row 1 has 2"));
        assert!(classify_scores(&[], &[]).is_err());
    }
}
