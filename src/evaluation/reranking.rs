//! Whether relevant documents come first among a query's own candidates.

use serde::{Deserialize, Serialize};

use super::binary::average_precision;
use super::ranking::{Ranking, discount};
use super::scores::{check_finite, descending, expect_length};
use crate::error::BatchError;

/// Quality of ranked candidates; means over the queries that have both a relevant and an irrelevant
/// candidate, all in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reranking {
    /// Mean average precision, equal similarities counted together.
    pub map: f64,
    /// One over the place of the first relevant candidate among the first `k`; 0 without one.
    pub mrr: f64,
    /// Normalized discounted cumulative gain of the first `k`, the mean over all orders of equally
    /// similar candidates.
    pub ndcg: f64,
    /// Queries that were counted.
    pub queries: usize,
    /// Queries without a relevant or without an irrelevant candidate, which were not.
    pub skipped_queries: usize,
}

/// Measures whether each query is most similar to its relevant candidates.
///
/// For each query: the similarities of its candidates, and whether they are relevant. Of equally
/// similar candidates the first one comes first in the reciprocal rank, for which the reference has no
/// rule; it lists relevant ones first.
///
/// # Errors
///
/// If a similarity is not finite, or no query has candidates of both kinds.
///
/// # Panics
///
/// If `k` is 0, or a query has more similarities than flags or fewer.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::evaluation::reranking;
///
/// let query = (vec![0.9, 0.8, 0.1], vec![false, true, false]);
/// let seen = reranking(&[query], 10)?;
/// assert_eq!((seen.map, seen.mrr), (0.5, 0.5));
/// # Ok::<(), burn_embedding_losses::BatchError>(())
/// ```
///
/// # References
///
/// `RerankingEvaluator` of sentence-transformers.
#[track_caller]
pub fn reranking(queries: &[(Vec<f64>, Vec<bool>)], k: usize) -> Result<Reranking, BatchError> {
    const OWNER: &str = "reranking";
    assert!(k > 0, "{OWNER}: `k` must be at least 1, got 0");
    let mut sums = [0.0; 3];
    let mut counted = 0;
    for (similarities, relevant) in queries {
        expect_length(OWNER, "relevant", relevant.len(), similarities.len());
        check_finite(OWNER, "similarities", similarities)?;
        if relevant.contains(&true) && relevant.contains(&false) {
            let values = of_query(similarities, relevant, k);
            sums = core::array::from_fn(|i| sums[i] + values[i]);
            counted += 1;
        }
    }
    if counted == 0 {
        let rule = "must have a query with relevant and irrelevant candidates";
        return Err(BatchError::new(format!("{OWNER}: `queries` {rule}")));
    }
    let [map, mrr, ndcg] = sums.map(|sum| sum / counted as f64);
    Ok(Reranking { map, mrr, ndcg, queries: counted, skipped_queries: queries.len() - counted })
}

fn of_query(similarities: &[f64], relevant: &[bool], k: usize) -> [f64; 3] {
    let order = descending(similarities);
    let places: Vec<bool> = order.iter().map(|&candidate| relevant[candidate]).collect();
    let ranking =
        Ranking { places: &places, relevant: places.iter().filter(|&&place| place).count() };
    let mut place = 0;
    let tied = order.chunk_by(|&a, &b| similarities[a] == similarities[b]);
    let gain = tied.map(|tied| {
        let places = place..place + tied.len();
        place = places.end;
        let gain = tied.iter().filter(|&&candidate| relevant[candidate]).count() as f64;
        let seen = places.filter(|&place| place < k).map(discount).sum::<f64>();
        gain / tied.len() as f64 * seen
    });
    let gain: f64 = gain.sum();
    let best: f64 = (0..ranking.relevant.min(k)).map(discount).sum();
    [average_precision(similarities, relevant), ranking.reciprocal_rank(k), gain / best]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_gain() {
        let seen = reranking(&[(vec![1.0, 1.0], vec![false, true])], 1).unwrap();
        assert_eq!((seen.map, seen.mrr, seen.ndcg), (0.5, 0.0, 0.5));
    }

    #[test]
    fn queries_of_one_kind_are_skipped_and_counted() {
        let good = (vec![2.0, 1.0], vec![true, false]);
        let seen = reranking(&[good, (vec![1.0], vec![true]), (vec![], vec![])], 10).unwrap();
        assert_eq!((seen.queries, seen.skipped_queries, seen.map), (1, 2, 1.0));
        assert!(reranking(&[(vec![1.0], vec![false])], 10).is_err());
    }
}
