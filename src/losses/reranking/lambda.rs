use burn::prelude::*;

use super::{Activation, LogBase, PairWeights};
use crate::batch::ListBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::losses::{WholeBatchLoss, config, forward, init};
use crate::objective::lambda::{LambdaRule, lambda_pairs, pair_bytes};
use crate::reduction::Reduced;

const NAME: &str = "LambdaLoss";

config! {
    /// Configuration of [`LambdaLoss`].
    pub struct LambdaLossConfig {
        /// The weight of a pair of documents.
        #[serde(alias = "weighting_scheme")]
        pub weights: PairWeights = PairWeights::NdcgLoss2PlusPlus { mu: 10.0 }, set by with_weights;
        /// Only pairs with a document among the best `k` by score count, and NDCG is that of `k` places; at least
        /// 1. `None` is all.
        pub k: Option<usize> = None, set by with_k;
        /// Factor on differences of scores; positive.
        pub sigma: f64 = 1.0, set by with_sigma;
        /// The least maximal DCG that gains are divided by; positive.
        pub eps: f64 = 1e-10, set by with_eps;
        /// The logarithm of a pair's probability.
        #[serde(alias = "reduction_log")]
        pub log_base: LogBase = LogBase::Binary, set by with_log_base;
        /// Function of the logits before they are compared.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// Memory for the pairs in one block of documents, in bytes; at least enough for one document,
        /// 320 bytes per document of the longest list (160 in `f32`). Affects memory only, never the result.
        /// `None` means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
    }
}

impl LambdaLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `k` is 0, `sigma` or `eps` is not positive and finite, or `mu` is negative or not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_as(NAME)
    }

    /// [`check`](Self::check) with another loss in the messages.
    pub(super) fn check_as(&self, name: &'static str) -> Result<(), ConfigError> {
        let k = self.k.unwrap_or(1);
        ConfigError::unless(k > 0, name, "k", "must be at least 1", k)?;
        for (field, number) in [("sigma", self.sigma), ("eps", self.eps)] {
            ConfigError::unless_positive(name, field, number)?;
        }
        match self.weights {
            PairWeights::NdcgLoss2PlusPlus { mu } => {
                let fits = mu >= 0.0 && mu.is_finite();
                ConfigError::unless(fits, name, "mu", "must not be negative", mu)
            }
            _ => Ok(()),
        }
    }
}

/// Brings pairs of documents into the order of their labels, weighed by what their order means for NDCG.
///
/// ```text
/// L = −Σ_{yᵢ > yⱼ} w_ij log₂ σ(σ (zᵢ − zⱼ)) / #{(i, j)}
/// ```
///
/// The sum runs over pairs of documents of the same list. [`PairWeights`] are the schemes of the LambdaLoss
/// framework; the default, `NDCGLoss2++`, did best in the paper. They follow the ranks that the scores give,
/// and carry no gradient.
///
/// # Terms
///
/// None: the loss is one number for the whole batch, the mean over its pairs. A long list has more of them
/// than a short one.
///
/// # Numerical behavior
///
/// Ranks and pairs are computed a block of documents at a time, within `memory_budget`; with `k`, only the
/// best `k` of each list are compared with the others. Equal scores are ranked in the order of their places.
/// Differences beyond 1e8 count as 1e8.
///
/// # Differences
///
/// From sentence-transformers: labels above 127 do not overflow; NaN scores give NaN (there, they are
/// ignored).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::{LambdaLossConfig, PairWeights};
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.2, 0.2, 1.0]], &device);
/// let labels = Tensor::<2>::from_floats([[1.0, 0.0, 9.0]], &device);
///
/// // Only the first two documents are in the list, and equal scores decide nothing: −log₂ ½.
/// let loss = LambdaLossConfig::new().with_weights(PairWeights::One).init();
/// let value = loss.forward(ListBatch::new(logits, labels, &[2])).into_scalar::<f32>();
/// assert!((value - 1.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - X. Wang et al.: The LambdaLoss Framework for Ranking Metric Optimization, 2018,
///   <https://dl.acm.org/doi/10.1145/3269206.3271784>
#[derive(Module, Debug)]
pub struct LambdaLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: LambdaLossConfig,
}

impl WholeBatchLoss<ListBatch> for LambdaLoss {
    #[track_caller]
    fn reduced(&self, batch: ListBatch) -> Reduced {
        self.config.of_pairs(NAME, batch)
    }
}

impl LambdaLossConfig {
    /// The loss of the batch, with the name `owner` in a panic.
    #[track_caller]
    pub(super) fn of_pairs(&self, owner: &str, batch: ListBatch) -> Reduced {
        let Self { weights, k, sigma, eps, log_base: base, activation, memory_budget } = *self;
        let (longest, bytes) = (batch.logits.dims()[1], pair_bytes(&batch.logits));
        let device = batch.logits.device();
        let blocks =
            |documents| Blocks::within(owner, memory_budget, &device, [documents, longest], bytes);
        // −Σ w log₂ σ(σ (zᵢ − zⱼ)) / #{pairs}
        let rule = LambdaRule { weights, k, sigma, eps, base };
        lambda_pairs(batch.activated(activation), rule, blocks)
    }
}

init!(LambdaLossConfig => LambdaLoss);
forward!(LambdaLoss, ListBatch);
