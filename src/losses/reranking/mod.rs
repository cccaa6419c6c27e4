//! Losses of rerankers: cross-encoders that read a query and a document together and give a score.
//!
//! They take logits, the raw scores of the model. A reranker needs no embedding, so none of them has a
//! similarity; [`Activation`] is what the reference calls `activation_fn`.
//!
//! | loss | data of a row | batch |
//! | :-- | :-- | :-- |
//! | [`BinaryCrossEntropyLoss`] | a pair and 0, 1 or a number between | [`LogitBatch`](crate::batch::LogitBatch) |
//! | [`MseLoss`] | a pair and a teacher's score | [`LogitBatch`](crate::batch::LogitBatch) |
//! | [`CrossEntropyLoss`] | a pair and its class | [`ClassLogitBatch`](crate::batch::ClassLogitBatch) |
//! | [`MultipleNegativesRankingLoss`] | a query, a positive, negatives | [`CandidateBatch`](crate::batch::CandidateBatch) |
//! | [`MarginMseLoss`] | a query, a positive, negatives, a teacher's scores | [`CandidateMarginBatch`](crate::batch::CandidateMarginBatch) |
//! | [`LambdaLoss`], [`RankNetLoss`], [`ListNetLoss`], [`ListMleLoss`], [`PListMleLoss`], [`AdrMseLoss`] | a query, a list of documents, a label each | [`ListBatch`](crate::batch::ListBatch) |
//!
//! Lists may have any length, 0 too. Their losses treat an empty list as a query without a document: its
//! loss is 0, and so is its gradient.

mod activation;
mod adr_mse;
mod binary_cross_entropy;
mod cross_entropy;
mod lambda;
mod list_mle;
mod list_net;
mod margin_mse;
mod mse;
mod multiple_negatives_ranking;
mod plist_mle;
mod rank_net;

pub use crate::objective::lambda::{LogBase, PairWeights};
pub use crate::objective::plackett_luce::RankWeights;
pub use activation::Activation;
#[doc(alias = "ADRMSELoss")]
pub use adr_mse::AdrMseLoss;
pub use adr_mse::AdrMseLossConfig;
#[doc(alias = "BCEWithLogitsLoss")]
pub use binary_cross_entropy::BinaryCrossEntropyLoss;
pub use binary_cross_entropy::BinaryCrossEntropyLossConfig;
pub use cross_entropy::{CrossEntropyLoss, CrossEntropyLossConfig};
#[doc(alias = "LambdaRank", alias = "NDCG")]
pub use lambda::LambdaLoss;
pub use lambda::LambdaLossConfig;
#[doc(alias = "ListMLELoss")]
pub use list_mle::ListMleLoss;
pub use list_mle::ListMleLossConfig;
pub use list_net::{ListNetLoss, ListNetLossConfig};
pub use margin_mse::{MarginMseLoss, MarginMseLossConfig};
pub use mse::{MseLoss, MseLossConfig};
pub use multiple_negatives_ranking::{
    MultipleNegativesRankingLoss, MultipleNegativesRankingLossConfig,
};
#[doc(alias = "PListMLELoss")]
pub use plist_mle::PListMleLoss;
pub use plist_mle::PListMleLossConfig;
pub use rank_net::{RankNetLoss, RankNetLossConfig};
