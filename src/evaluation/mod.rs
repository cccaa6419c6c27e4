//! Measures of embeddings, equal to those of the evaluators of sentence-transformers.
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
//! Equal rows have equal similarities, wherever they stand. [`spearman`] averages the ranks of tied pairs,
//! [`binary_classification`] never divides a tie, and [`average_precision`] and the nDCG of [`reranking`]
//! count tied candidates together, all as in Python. Where items must stand in one order, in a search and
//! for the reciprocal rank of [`reranking`], tied items keep the order in which they are given. Python's
//! order is arbitrary there: it depends on an unstable sort and on the size of its chunks. On small corpora
//! with many duplicates, in chunks of 97 documents, its MAP@10 differed from the one here by up to 7e-3 and
//! its nDCG@k by up to 4e-2; in a single chunk both agreed.
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
