//! What losses take: embeddings, with labels or targets, whose shapes and types are checked once,
//! here.
//!
//! | batch | tuple of its parts | losses |
//! | :-- | :-- | :-- |
//! | [`RetrievalBatch`] | (anchor, positive), then a negative or a `Vec` of them | ranking losses |
//! | [`LabeledBatch`] | (embeddings, labels) | batch-triplet losses, SupCon, multi-similarity, circle |
//! | [`PairBatch`] | (left, right, labels or scores) | contrastive losses, contrastive tension, cosine similarity, CoSENT, AnglE |
//! | [`TripletBatch`] | (anchor, positive, negative) | triplet loss |
//! | [`MarginBatch`] | (query, positive, negatives, margins) | margin MSE |
//! | [`TeacherScoresBatch`] | (query, `Vec` of documents, scores) | DistillKLDiv |
//! | [`ClassifiedPairBatch`] | (left, right, classes) | softmax |
//! | [`DistillationBatch`] | (embeddings, teacher's embeddings) | MSE, EmbedDistill |
//! | [`EmbeddingsBatch`] | embeddings, or a `Vec` of them | global orthogonal regularisation |
//! | [`GuidedBatch`] | (candidates, guide's embeddings) | GIST |
//! | [`LayeredBatch`] | the batch of each layer | adaptive layers |
//! | [`ReconstructionBatch`] | a [`Reconstruction`], or a `Vec` of them | sparse auto-encoders: reconstruction |
//! | [`CsrBatch`] | the batch of the loss inside and its reconstructions | sparse auto-encoders: CSR |
//! | [`DenoisingBatch`] | (embeddings, tokens) | denoising auto-encoder |
//! | [`LogitBatch`] | (logits, labels) | rerankers: binary cross-entropy, MSE |
//! | [`ClassLogitBatch`] | (logits, classes) | rerankers: cross-entropy |
//! | [`CandidateBatch`] | logits, the positive first | rerankers: ranking |
//! | [`CandidateMarginBatch`] | (logits, margins or scores) | rerankers: margin MSE |
//! | [`ListBatch`] | (logits, labels, lengths) | rerankers: listwise losses |
//! | [`TokenRetrievalBatch`] | (query, positive), then a `Vec` of negatives, [`TokenEmbeddings`] each | multi-vector models: ranking |
//! | [`TokenMarginBatch`] | (query, positive, `Vec` of negatives, margins) | multi-vector models: margin MSE |
//! | [`TokenTeacherScoresBatch`] | (query, `Vec` of documents, scores) | multi-vector models: DistillKLDiv |
//!
//! - Half-precision embeddings are widened to `f32` on the way in, so every loss adds up in `f32` or
//!   better. All embeddings of a batch have the same type.
//! - Labels, ids and tokens may be integers of any type, targets and scores floats of any type.
//! - A wrong shape or type panics. Values are looked at only by `check`, which reads from the
//!   device.
//! - [`Columns`] visits or changes all tensors of any batch.
//!
//! # Example
//!
//! Every loss takes the tuple as well as the batch:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::batch::{Columns, LabeledBatch, RetrievalBatch};
//! use burn_embedding_losses::{BatchHardTripletLossConfig, MultipleNegativesRankingLossConfig};
//!
//! let device = Device::flex();
//! let queries = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], &device);
//! let documents = Tensor::<2>::from_floats([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], &device);
//! let labels = Tensor::<1, Int>::from_ints([3, 3, 7], &device);
//!
//! let loss = BatchHardTripletLossConfig::new().init();
//! let of_tuple = loss.forward((queries.clone(), labels.clone())).into_scalar::<f32>();
//! let of_batch = loss.forward(LabeledBatch::new(queries.clone(), labels));
//! assert_eq!(of_batch.into_scalar::<f32>(), of_tuple);
//!
//! // The first and the last query ask the same: neither's document is a negative of the other.
//! let ids = Tensor::<1, Int>::from_ints([11, 12, 11], &device);
//! let batch = RetrievalBatch::from((queries, documents)).with_ids(ids);
//! batch.check()?;
//! let loss = MultipleNegativesRankingLossConfig::new().init();
//! assert_eq!(loss.forward_no_reduction(batch.clone()).dims(), [3]);
//!
//! // Hard negatives: two for the first and the last query, one for the second. Rows that count
//! // more than others.
//! let (queries, documents, _) = batch.into_parts();
//! let negatives = vec![documents.clone().flip([0]), documents.clone().neg()];
//! let exists = [[true, true], [true, false], [true, true]];
//! let batch = RetrievalBatch::new(queries, documents, negatives)
//!     .with_negative_mask(Tensor::from_bool(exists, &device))
//!     .with_weights(Tensor::from_floats([1.0, 1.0, 0.5], &device));
//! batch.check()?;
//! assert_eq!(batch.to_device(&device).negatives().len(), 2);
//! # Ok::<(), burn_embedding_losses::BatchError>(())
//! ```

mod classified_pair;
pub(crate) mod columns;
mod csr;
mod denoising;
mod distillation;
mod embeddings;
mod guided;
pub(crate) mod integers;
mod labeled;
mod layered;
mod list;
mod logits;
mod margin;
mod pair;
mod reconstruction;
mod retrieval;
mod row_ids;
pub(crate) mod shape;
mod teacher_scores;
#[cfg(test)]
mod tests;
mod token_margin;
mod token_retrieval;
mod token_teacher_scores;
mod tokens;
mod triplet;
pub(crate) mod values;
mod warning;

pub use classified_pair::{ClassTargets, ClassifiedPairBatch, IGNORED_LABEL};
pub(crate) use columns::trained;
pub use columns::{Batch, ColumnMapper, ColumnVisitor, Columns, Role};
pub use csr::CsrBatch;
pub use denoising::DenoisingBatch;
pub(crate) use denoising::check_token_ids;
pub use distillation::{DistillationBatch, TeacherTargets};
pub use embeddings::EmbeddingsBatch;
pub use guided::GuidedBatch;
pub use labeled::LabeledBatch;
pub use layered::LayeredBatch;
pub use list::ListBatch;
pub use logits::{CandidateBatch, CandidateMarginBatch, ClassLogitBatch, LogitBatch};
pub use margin::{MarginBatch, MarginTargets};
pub use pair::PairBatch;
pub use reconstruction::{Reconstruction, ReconstructionBatch};
pub use retrieval::RetrievalBatch;
pub use row_ids::RowIds;
pub use teacher_scores::TeacherScoresBatch;
pub use token_margin::TokenMarginBatch;
pub use token_retrieval::TokenRetrievalBatch;
pub use token_teacher_scores::TokenTeacherScoresBatch;
pub use tokens::TokenEmbeddings;
pub use triplet::TripletBatch;
