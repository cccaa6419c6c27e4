//! Whether queries find the documents that answer them.

use std::collections::{BTreeMap, BTreeSet};

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::ranking::Ranking;
use super::scores::expect_length;
use super::search::{Hit, search};
use crate::config::config;
use crate::error::{BatchError, ConfigError, expect_valid};
use crate::geometry::Similarity;

const OWNER: &str = "InformationRetrieval";

config! {
    /// Which places of a ranking are looked at.
    ///
    /// Every `k` is at least 1. The defaults are those of the reference.
    pub struct InformationRetrievalConfig {
        /// Similarity of query and document.
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
        /// `k` of the accuracy.
        pub accuracy_at_k: Vec<usize> = vec![1, 3, 5, 10], set by with_accuracy_at_k;
        /// `k` of precision and recall.
        pub precision_recall_at_k: Vec<usize> = vec![1, 3, 5, 10], set by with_precision_recall_at_k;
        /// `k` of the mean reciprocal rank.
        pub mrr_at_k: Vec<usize> = vec![10], set by with_mrr_at_k;
        /// `k` of the normalized discounted cumulative gain.
        pub ndcg_at_k: Vec<usize> = vec![10], set by with_ndcg_at_k;
        /// `k` of the mean average precision.
        pub map_at_k: Vec<usize> = vec![100], set by with_map_at_k;
        /// Memory for the similarities of one block, in bytes, as in [`search`].
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
    }
}

/// Quality of a search: means over the queries that have a relevant document, by
/// `k`, all in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InformationRetrieval {
    /// Share of queries with a relevant document among the first `k`.
    pub accuracy: BTreeMap<usize, f64>,
    /// Relevant documents among the first `k`, over `k`.
    pub precision: BTreeMap<usize, f64>,
    /// Relevant documents among the first `k`, over all relevant ones.
    pub recall: BTreeMap<usize, f64>,
    /// One over the place of the first relevant document among the first `k`; 0 without one.
    pub mrr: BTreeMap<usize, f64>,
    /// Gain of the first `k`, each discounted by `log₂(1 + place)`, over that of the best order.
    pub ndcg: BTreeMap<usize, f64>,
    /// Sum of the precisions at the relevant places among the first `k`, over the number of relevant
    /// documents or `k`, whichever is less.
    pub map: BTreeMap<usize, f64>,
    /// Queries that were counted.
    pub queries: usize,
    /// Queries without a relevant document, which were not.
    pub skipped_queries: usize,
}

impl InformationRetrievalConfig {
    /// Whether the configuration can be used.
    ///
    /// # Errors
    ///
    /// If a `k` is 0, or there is none at all.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, ks) in self.lists() {
            let zero = ks.contains(&0);
            ConfigError::unless(!zero, OWNER, field, "must be at least 1", 0)?;
        }
        let rule = "or another list must name a k";
        ConfigError::unless(self.deepest() > 0, OWNER, "accuracy_at_k", rule, "none")
    }

    /// Searches the corpus with every query, and looks where the relevant documents are.
    ///
    /// `relevant[i]` holds the rows of the corpus that answer query i; what stands there twice
    /// counts once. A query with none is skipped, and reported as such.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[m, dim]`, n lists
    ///
    /// # Differences
    ///
    /// Rows that are equally similar come in the order of the corpus; in the reference by their id, as
    /// text. A relevant document that the corpus lacks is an error; there it is one that is not found.
    ///
    /// # Errors
    ///
    /// If no query has a relevant document, a relevant document is no row of the corpus, or a similarity
    /// is not finite.
    ///
    /// # Panics
    ///
    /// As [`search`], if there is not one list a query, and if [`check`](Self::check) says so.
    ///
    /// # Example
    ///
    /// ```
    /// use burn::prelude::*;
    /// use burn_embedding_losses::evaluation::InformationRetrievalConfig;
    ///
    /// # let device = Device::flex();
    /// let queries = Tensor::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
    /// let corpus = Tensor::from_floats([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], &device);
    /// let relevant = [vec![1], vec![2]];
    /// let seen = InformationRetrievalConfig::new().evaluate(queries, corpus, &relevant)?;
    /// assert_eq!((seen.accuracy[&1], seen.mrr[&10]), (0.5, 0.75));
    /// # Ok::<(), burn_embedding_losses::BatchError>(())
    /// ```
    ///
    /// # References
    ///
    /// `InformationRetrievalEvaluator` of sentence-transformers.
    #[track_caller]
    pub fn evaluate(
        &self,
        queries: Tensor<2>,
        corpus: Tensor<2>,
        relevant: &[Vec<usize>],
    ) -> Result<InformationRetrieval, BatchError> {
        expect_valid(self.check());
        let ([rows, _], [documents, _]) = (queries.dims(), corpus.dims());
        expect_length(OWNER, "relevant", relevant.len(), rows);
        check_documents(relevant, documents)?;
        let (asked, answers) = with_answers(relevant);
        if asked.is_empty() {
            let message =
                format!("{OWNER}: `relevant` must name a document for one query at least");
            return Err(BatchError::new(message));
        }
        let asked = Tensor::<1, Int>::from_data(asked.as_slice(), &queries.device());
        let queries = queries.inner().select(0, asked.inner());
        let hits = search(queries, corpus, self.deepest(), self.similarity, self.memory_budget)?;
        Ok(self.of_hits(&hits, &answers, rows))
    }

    fn lists(&self) -> [(&str, &[usize]); 5] {
        [
            ("accuracy_at_k", &self.accuracy_at_k),
            ("precision_recall_at_k", &self.precision_recall_at_k),
            ("mrr_at_k", &self.mrr_at_k),
            ("ndcg_at_k", &self.ndcg_at_k),
            ("map_at_k", &self.map_at_k),
        ]
    }

    fn deepest(&self) -> usize {
        self.lists().iter().flat_map(|(_, ks)| ks.iter()).copied().max().unwrap_or(0)
    }

    fn of_hits(
        &self,
        hits: &[Vec<Hit>],
        answers: &[BTreeSet<usize>],
        rows: usize,
    ) -> InformationRetrieval {
        let places = |(hits, answers): (&Vec<Hit>, &BTreeSet<usize>)| {
            hits.iter().map(|hit| answers.contains(&hit.index)).collect::<Vec<_>>()
        };
        let places: Vec<_> = hits.iter().zip(answers).map(places).collect();
        let rankings: Vec<_> = places
            .iter()
            .zip(answers)
            .map(|(places, answers)| Ranking { places, relevant: answers.len() })
            .collect();
        let means = |ks: &[usize], value| means(&rankings, ks, value);
        InformationRetrieval {
            accuracy: means(&self.accuracy_at_k, Ranking::accuracy),
            precision: means(&self.precision_recall_at_k, Ranking::precision),
            recall: means(&self.precision_recall_at_k, Ranking::recall),
            mrr: means(&self.mrr_at_k, Ranking::reciprocal_rank),
            ndcg: means(&self.ndcg_at_k, Ranking::ndcg),
            map: means(&self.map_at_k, Ranking::average_precision),
            queries: rankings.len(),
            skipped_queries: rows - rankings.len(),
        }
    }
}

fn means<'a>(
    rankings: &[Ranking<'a>],
    ks: &[usize],
    value: fn(&Ranking<'a>, usize) -> f64,
) -> BTreeMap<usize, f64> {
    let mean = |k| rankings.iter().map(|it| value(it, k)).sum::<f64>() / rankings.len() as f64;
    ks.iter().map(|&k| (k, mean(k))).collect()
}

/// The queries that have relevant documents, and these.
fn with_answers(relevant: &[Vec<usize>]) -> (Vec<i64>, Vec<BTreeSet<usize>>) {
    let sets = relevant.iter().map(|documents| documents.iter().copied().collect());
    let asked = (0..).zip(sets).filter(|(_, answers): &(i64, BTreeSet<_>)| !answers.is_empty());
    asked.unzip()
}

fn check_documents(relevant: &[Vec<usize>], documents: usize) -> Result<(), BatchError> {
    for (query, relevant) in relevant.iter().enumerate() {
        if let Some(got) = relevant.iter().find(|&&document| document >= documents) {
            return Err(BatchError::new(format!(
                "{OWNER}: `relevant` must name rows below {documents}, query {query} has {got}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<const N: usize>(values: [[f32; 1]; N]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    fn config() -> InformationRetrievalConfig {
        InformationRetrievalConfig::new().with_similarity(Similarity::Euclidean)
    }

    #[test]
    fn all_numbers_are_counted_by_hand() {
        // From the query at 0 the documents stand at places 2, 1, 4, 3.
        let corpus = rows([[2.0], [1.0], [4.0], [3.0]]);
        let queries = rows([[0.0], [9.0]]);
        let config = config().with_map_at_k(vec![2, 3]).with_ndcg_at_k(vec![3]);
        let seen = config.evaluate(queries, corpus, &[vec![3, 0, 3, 2], vec![]]).unwrap();
        assert_eq!((seen.queries, seen.skipped_queries), (1, 1));
        assert_eq!((seen.accuracy[&1], seen.accuracy[&3]), (0.0, 1.0));
        assert_eq!((seen.precision[&3], seen.precision[&10]), (2.0 / 3.0, 0.3));
        assert_eq!((seen.recall[&3], seen.recall[&5]), (2.0 / 3.0, 1.0));
        assert_eq!(seen.mrr[&10], 0.5);
        assert_eq!(seen.map[&2], 0.25);
        assert!((seen.map[&3] - (1.0 / 2.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        let gain =
            |places: &[f64]| places.iter().map(|place| 1.0 / (1.0 + place).log2()).sum::<f64>();
        let expected = gain(&[2.0, 3.0]) / gain(&[1.0, 2.0, 3.0]);
        assert!((seen.ndcg[&3] - expected).abs() < 1e-12);
    }

    #[test]
    fn wrong_documents_are_errors() {
        let error = |relevant: Vec<usize>| {
            config().evaluate(rows([[0.0]]), rows([[1.0]]), &[relevant]).unwrap_err().to_string()
        };
        assert!(error(vec![0, 1]).contains("must name rows below 1, query 0 has 1"));
        assert!(error(vec![]).contains("must name a document for one query at least"));
    }

    #[test]
    #[should_panic(expected = "InformationRetrieval: `mrr_at_k` must be at least 1, got 0")]
    fn a_place_is_counted_from_one() {
        let _ = config().with_mrr_at_k(vec![0]).evaluate(rows([[0.0]]), rows([[1.0]]), &[vec![0]]);
    }
}
