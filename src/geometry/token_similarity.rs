//! Late interaction: texts compared by their tokens.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

/// A similarity of a query and a document that have an embedding for each token.
///
/// | Variant | `s(q, d)` |
/// | :-- | :-- |
/// | `MaxSim` | `Σ_t max_u q_t·d_u` |
/// | `MeanMaxSim` | the same, divided by the number of tokens of the query |
/// | `Xtr` | the mean of `max_u q_t·d_u` over the tokens `t` that retrieve a token of the document |
///
/// A token of a query retrieves the `top_k` most similar tokens of all documents in the batch. Of equally similar
/// tokens of a document the first counts. A document without a token has the similarity −1e9 to every query, which
/// `MeanMaxSim` divides as well; a query without one has 0 to every other document.
///
/// In JSON: `"MaxSim"`, `"MeanMaxSim"`, `{"name": "XTRScores", "top_k": 256}`, or the names of the functions and
/// classes of sentence-transformers (`"colbert_scores"`, `"mean_colbert_kd_scores"`, `"xtr_scores_pairwise"`, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSimilarity {
    /// The sum over the tokens of the query: ColBERT.
    MaxSim,
    /// The mean over the tokens of the query.
    MeanMaxSim,
    /// The mean over the tokens of the query that retrieve something: XTR.
    Xtr {
        /// The number of tokens that a token of the query retrieves; at least 1.
        top_k: usize,
    },
}

/// The number of retrieved tokens where XTR is asked for by name alone.
const TOP_K: usize = 256;

impl Serialize for TokenSimilarity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::MaxSim => serializer.serialize_str("MaxSim"),
            Self::MeanMaxSim => serializer.serialize_str("MeanMaxSim"),
            Self::Xtr { top_k } => {
                Scorer { name: "XTRScores".into(), top_k: Some(top_k) }.serialize(serializer)
            }
        }
    }
}

/// A similarity with its option.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scorer {
    name: String,
    top_k: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NamedScorer {
    Name(String),
    Options(Scorer),
}

impl<'de> Deserialize<'de> for TokenSimilarity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Scorer { name, top_k } = match NamedScorer::deserialize(deserializer)? {
            NamedScorer::Name(name) => Scorer { name, top_k: None },
            NamedScorer::Options(scorer) => scorer,
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        match (last, top_k) {
            (
                "MaxSim" | "colbert_scores" | "colbert_scores_pairwise" | "colbert_kd_scores",
                None,
            ) => Ok(Self::MaxSim),
            (
                "MeanMaxSim"
                | "mean_colbert_scores"
                | "mean_colbert_scores_pairwise"
                | "mean_colbert_kd_scores",
                None,
            ) => Ok(Self::MeanMaxSim),
            (
                "XTRScores"
                | "XTRKDScores"
                | "xtr_scores"
                | "xtr_scores_pairwise"
                | "xtr_kd_scores",
                top_k,
            ) => Ok(Self::Xtr { top_k: top_k.unwrap_or(TOP_K) }),
            (other, top_k) => Err(D::Error::custom(format!(
                "`similarity` must be MaxSim, MeanMaxSim or XTRScores (the only one with `top_k`), got {other}{}",
                if top_k.is_some() { " with `top_k`" } else { "" }
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json, to_value};

    fn read(value: Value) -> Result<TokenSimilarity, String> {
        from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn python_names_are_understood() {
        for (value, expected) in [
            (json!("colbert_scores"), TokenSimilarity::MaxSim),
            (json!("colbert_kd_scores"), TokenSimilarity::MaxSim),
            (json!("mean_colbert_scores_pairwise"), TokenSimilarity::MeanMaxSim),
            (json!("xtr_scores_pairwise"), TokenSimilarity::Xtr { top_k: 256 }),
            (json!({"name": "XTRKDScores", "top_k": 5}), TokenSimilarity::Xtr { top_k: 5 }),
        ] {
            assert_eq!(read(value), Ok(expected));
            assert_eq!(read(to_value(expected).unwrap()), Ok(expected));
        }
    }

    #[test]
    fn other_names_are_refused() {
        let refused = |value| read(value).unwrap_err();
        assert!(refused(json!("cos_sim")).ends_with("got cos_sim"));
        let limited = refused(json!({"name": "MaxSim", "top_k": 3}));
        assert!(limited.ends_with("got MaxSim with `top_k`"), "{limited}");
    }
}
