//! Measures and their values.

use serde::{Deserialize, Serialize};

/// A measure of embeddings. Higher is better for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Measure {
    /// Rank correlation of the cosine with the score of scored pairs.
    Spearman,
    /// Average precision with which the cosine finds the pairs that belong together.
    BinaryPairs,
    /// Share of triplets with the anchor closer to the positive than to the negative.
    Triplets,
    /// Share of labelled texts whose nearest other text has the same label.
    Labels,
    /// Share of anchors whose nearest text among all positives is their own.
    Retrieval,
    /// Mean average precision of a query's own documents, in the order of a reranker's scores.
    Reranking,
    /// Rank correlation of the cosine with the teacher's cosine.
    Teacher,
    /// Share of pairs that the classifier of a SoftmaxLoss puts into their class.
    PairClasses,
    /// Pearson's correlation of the cosine with the score of scored pairs.
    Pearson,
    /// Best share of pairs that a threshold of the cosine classifies correctly.
    PairAccuracy,
    /// Best F1 score of the pairs that a threshold of the cosine calls positive.
    PairF1,
    /// Mean reciprocal rank of an anchor's own text among the ten nearest.
    Mrr,
    /// Normalized discounted cumulative gain of the same.
    Ndcg,
    /// Mean reciprocal rank of a query's first right document among its own.
    RerankingMrr,
    /// Normalized discounted cumulative gain of the same.
    RerankingNdcg,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 15] = [
        Self::Spearman,
        Self::BinaryPairs,
        Self::Triplets,
        Self::Labels,
        Self::Retrieval,
        Self::Reranking,
        Self::Teacher,
        Self::PairClasses,
        Self::Pearson,
        Self::PairAccuracy,
        Self::PairF1,
        Self::Mrr,
        Self::Ndcg,
        Self::RerankingMrr,
        Self::RerankingNdcg,
    ];

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Spearman => "Spearman of scored pairs",
            Self::BinaryPairs => "average precision of pairs",
            Self::Triplets => "accuracy of triplets",
            Self::Labels => "accuracy of labels (nearest text)",
            Self::Retrieval => "accuracy of retrieval (first hit)",
            Self::Teacher => "Spearman with the teacher",
            Self::PairClasses => "accuracy of pair classes",
            Self::Pearson => "Pearson of scored pairs",
            Self::PairAccuracy => "best accuracy of pairs",
            Self::PairF1 => "best F1 of pairs",
            Self::Mrr => "MRR@10 of retrieval",
            Self::Ndcg => "nDCG@10 of retrieval",
            Self::Reranking => "MAP of reranking",
            Self::RerankingMrr => "MRR@10 of reranking",
            Self::RerankingNdcg => "nDCG@10 of reranking",
        }
    }
}

/// One measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The value, at most one.
    #[serde(with = "exact")]
    pub value: f64,
    /// The number of rows it was measured on.
    pub rows: usize,
}

/// The share of `hits` that are true; `None` if there are none.
pub fn share(hits: impl Iterator<Item = bool>) -> Option<Score> {
    let (mut right, mut rows) = (0, 0);
    for hit in hits {
        right += usize::from(hit);
        rows += 1;
    }
    (rows > 0).then(|| Score { value: right as f64 / rows as f64, rows })
}

/// Numbers as text, because `serde_json` reads a number back with an error in the last digit.
mod exact {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_read_back_as_it_was() {
        let score = Score { value: 0.046_412_037_037_037_04, rows: 48 };
        let text = serde_json::to_string(&score).unwrap();
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score, "{text}");
    }
}
