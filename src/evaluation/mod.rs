//! How good embeddings are, in the numbers of the evaluators of sentence-transformers.
//!
//! | function | evaluator of sentence-transformers |
//! | :-- | :-- |
//! | [`embedding_similarity`] | `EmbeddingSimilarityEvaluator` |
//! | [`triplet_accuracy`] | `TripletEvaluator` |
//! | [`binary_classification`] | `BinaryClassificationEvaluator` |
//! | [`InformationRetrievalConfig::evaluate`] | `InformationRetrievalEvaluator` |
//! | [`label_accuracy`] | `LabelAccuracyEvaluator` |
//! | [`reranking`] | `RerankingEvaluator` |
//! | [`translation_accuracy`] | `TranslationEvaluator` |
//! | [`mean_squared_error`] | `MSEEvaluator` |
//!
//! They take embeddings, not a model. Similarities are computed on the device of the embeddings and
//! read once (a block at a time in a search); all that follows is `f64`. With the feature `train` the
//! module `metric` has some of them for Burn's learner.
//!
//! # Ties
//!
//! Equal rows have equal similarities here, wherever they stand, and tied rows are treated exactly: ranks
//! are averaged ([`spearman`]), a threshold never divides a tie ([`binary_classification`]), relevant and
//! irrelevant candidates share the gain of their places ([`reranking`]), and equally similar documents come
//! in the order of the corpus ([`search`]). In Python the order of tied documents depends on the size of its
//! chunks and on the last digit of a product, so that its nDCG and MAP of a corpus with duplicates differ
//! from these by up to 4e-3. Without ties, and for all other numbers, both agree to 1e-6.
//!
//! # Errors and undefined values
//!
//! A wrong shape panics. A wrong value, such as a label that is none or an embedding that is not
//! finite, is a [`BatchError`](crate::BatchError). A number that the data do not define, such as a
//! correlation with a constant, is `None`; the reference has NaN there.

mod binary;
mod correlation;
mod distillation;
mod labels;
#[cfg(feature = "train")]
pub mod metric;
mod ranking;
mod reranking;
mod retrieval;
mod scores;
mod search;
mod triplets;

pub use binary::{
    AtThreshold, BestF1, BinaryClassification, average_precision, binary_classification,
    classify_scores,
};
pub use correlation::{Correlation, embedding_similarity, pearson, spearman};
pub use distillation::{TranslationAccuracy, mean_squared_error, translation_accuracy};
pub use labels::label_accuracy;
pub use reranking::{Reranking, reranking};
pub use retrieval::{InformationRetrieval, InformationRetrievalConfig};
pub use search::{Hit, search};
pub use triplets::triplet_accuracy;
