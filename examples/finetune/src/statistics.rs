//! Spearman's rank correlation, and average precision.

/// Spearman's rank correlation of two lists, ties getting their average rank.
///
/// `None` if the lists are shorter than two, or one of them holds a single value only.
pub fn spearman(left: &[f32], right: &[f32]) -> Option<f64> {
    pearson(&ranks(left), &ranks(right))
}

/// The average precision with which a high value tells the true items from the false ones: the
/// mean, over the true items, of the share of true items among those with a value at least as high.
///
/// `None` if the items are all true or all false.
pub fn average_precision(items: &[(f32, bool)]) -> Option<f64> {
    let mut items = items.to_vec();
    items.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut seen, mut found, mut sum) = (0, 0, 0.0);
    for tied in items.chunk_by(|a, b| a.0 == b.0) {
        let hits = tied.iter().filter(|item| item.1).count();
        seen += tied.len();
        found += hits;
        sum += hits as f64 * found as f64 / seen as f64;
    }
    (found > 0 && found < seen).then(|| sum / found as f64)
}

/// The rank of each value, from one; equal values share the average of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
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

fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_left, mean_right) = (mean(left), mean(right));
    let (mut both, mut left_only, mut right_only) = (0.0, 0.0, 0.0);
    for (left, right) in left.iter().zip(right) {
        let (left, right) = (left - mean_left, right - mean_right);
        both += left * right;
        left_only += left * left;
        right_only += right * right;
    }
    let scale = (left_only * right_only).sqrt();
    (scale > 0.0).then(|| both / scale)
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
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
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
    fn average_precision_is_counted_by_hand() {
        // True items at places 1 and 3: precisions 1/1 and 2/3.
        let items = [(0.2, true), (0.9, true), (0.1, false), (0.5, false)];
        assert_close(average_precision(&items), (1.0 + 2.0 / 3.0) / 2.0);
        // Tied with a false item: both are seen before the precision is taken.
        assert_close(average_precision(&[(0.5, false), (0.5, true)]), 0.5);
        assert_eq!(average_precision(&[(0.5, true)]), None);
        assert_eq!(average_precision(&[(0.5, false)]), None);
    }

    #[test]
    fn nothing_to_rank_gives_none() {
        assert_eq!(spearman(&[], &[]), None);
        assert_eq!(spearman(&[1.0], &[2.0]), None);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
