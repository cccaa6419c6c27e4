//! Losses of multi-vector models, which give a text an embedding for each of its tokens: ColBERT, XTR.
//!
//! Queries and documents are compared by their tokens, as a [`TokenSimilarity`] says; columns of texts are
//! [`TokenEmbeddings`].
//!
//! | loss | data of a row | batch |
//! | :-- | :-- | :-- |
//! | [`MultiVectorMultipleNegativesRankingLoss`] | a query, a positive, negatives | [`TokenRetrievalBatch`](crate::batch::TokenRetrievalBatch) |
//! | [`MultiVectorMarginMseLoss`] | a query, a positive, negatives, a teacher's scores | [`TokenMarginBatch`](crate::batch::TokenMarginBatch) |
//! | [`MultiVectorDistillKlDivLoss`] | a query, documents, a teacher's scores | [`TokenTeacherScoresBatch`](crate::batch::TokenTeacherScoresBatch) |

mod distill_kl_div;
mod margin_mse;
mod multiple_negatives_ranking;

#[doc(alias = "MultiVectorDistillKLDivLoss")]
pub use distill_kl_div::MultiVectorDistillKlDivLoss;
pub use distill_kl_div::MultiVectorDistillKlDivLossConfig;
#[doc(alias = "MultiVectorMarginMSELoss")]
pub use margin_mse::MultiVectorMarginMseLoss;
pub use margin_mse::MultiVectorMarginMseLossConfig;
#[doc(alias = "ColBERT")]
pub use multiple_negatives_ranking::MultiVectorMultipleNegativesRankingLoss;
pub use multiple_negatives_ranking::MultiVectorMultipleNegativesRankingLossConfig;

use crate::batch::TokenEmbeddings;
use crate::error::ConfigError;
use crate::geometry::TokenSimilarity;
use crate::scores::{OwnScores, TokenScores};

/// The rule of the similarity that all of them share.
fn check_similarity(loss: &str, similarity: TokenSimilarity) -> Result<(), ConfigError> {
    match similarity {
        TokenSimilarity::Xtr { top_k } => {
            ConfigError::unless(top_k > 0, loss, "top_k", "must be at least 1", top_k)
        }
        TokenSimilarity::MaxSim | TokenSimilarity::MeanMaxSim => Ok(()),
    }
}

/// The scores of each query with its own document of each column. The columns come in groups of those that compete for
/// the tokens of a query. The most similar tokens are searched for within a memory budget.
#[track_caller]
fn own_scores(
    loss: &str,
    similarity: TokenSimilarity,
    (query, groups): (TokenEmbeddings, Vec<Vec<TokenEmbeddings>>),
    memory_budget: Option<usize>,
) -> OwnScores {
    let group = |documents| TokenScores::new(similarity, query.clone(), documents);
    let groups: Vec<_> = groups.into_iter().map(group).collect();
    // The same blocks for all, of the queries with the widest documents.
    let bytes = groups.iter().map(TokenScores::bytes_per_own).max().expect("a column");
    let blocks = groups[0].anchors().blocks(loss, memory_budget, bytes);
    OwnScores::cat(groups.iter().map(|scores| scores.own(blocks)).collect())
}

#[cfg(test)]
mod tests {
    use core::ops::Range;

    use burn::nn::{Linear, LinearConfig};
    use burn::prelude::*;
    use burn::tensor::Gradients;

    use super::*;
    use crate::GradCache;
    use crate::batch::{TokenEmbeddings, TokenRetrievalBatch};

    const TEXTS: usize = 5;

    /// Queries, positives and negatives of different lengths, embedded by a layer.
    fn embed(encoder: &Linear, rows: Range<usize>) -> TokenRetrievalBatch {
        let device = encoder.weight.val().device();
        let column = |tokens: usize, first: i64| {
            let places = first..first + (TEXTS * tokens * 3) as i64;
            let values = Tensor::<1, Int>::arange(places, &device).float().mul_scalar(1.7).sin();
            let values = values.reshape([TEXTS, tokens, 3]).slice([rows.clone()]);
            let mask = values.clone().narrow(2, 0, 1).squeeze_dim::<2>(2).greater_elem(-0.6);
            TokenEmbeddings::new(encoder.forward(values), mask)
        };
        TokenRetrievalBatch::new(column(2, 0), column(3, 50), vec![column(4, 90)])
    }

    #[test]
    fn a_cache_around_the_loss_changes_no_gradient() {
        let encoder = LinearConfig::new(3, 4).init(&Device::flex().autodiff());
        let loss = MultiVectorMultipleNegativesRankingLossConfig::new().with_scale(3.0).init();
        let forward = |batch: TokenRetrievalBatch| loss.forward(batch);
        let gradient = |all: &Gradients| encoder.weight.val().grad(all);
        let whole = forward(embed(&encoder, 0..TEXTS));
        let expected = gradient(&whole.backward()).expect("a gradient");
        for size in [1, 2, TEXTS] {
            let step = GradCache::new(size).step(&encoder, TEXTS, embed, forward);
            // The gradients of the loss itself come first, and have none of the encoder.
            let parts = step.gradients.filter_map(|part| gradient(&part));
            let sum = parts.reduce(|sum, part| sum + part);
            let apart = (sum.expect("a part") - expected.clone()).abs().max().into_scalar::<f32>();
            assert!(apart < 1e-5, "{size}: {apart}");
        }
    }
}
