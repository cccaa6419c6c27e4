use burn::prelude::*;

use super::{Activation, LambdaLossConfig, LogBase, PairWeights};
use crate::batch::ListBatch;
use crate::error::ConfigError;
use crate::losses::{WholeBatchLoss, config, forward, init};
use crate::reduction::Reduced;

const NAME: &str = "RankNetLoss";

config! {
    /// Configuration of [`RankNetLoss`].
    pub struct RankNetLossConfig {
        /// Only pairs with a document among the best `k` by score count; at least 1. `None` is all.
        pub k: Option<usize> = None, set by with_k;
        /// Factor on differences of scores; positive.
        pub sigma: f64 = 1.0, set by with_sigma;
        /// Without effect, as in the reference: pairs have no weight that it could bound; positive.
        pub eps: f64 = 1e-10, set by with_eps;
        /// The logarithm of a pair's probability.
        #[serde(alias = "reduction_log")]
        pub log_base: LogBase = LogBase::Binary, set by with_log_base;
        /// Function of the logits before they are compared.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// Memory for the pairs in one block of documents, in bytes; as for
        /// [`LambdaLoss`](super::LambdaLossConfig).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
    }
}

impl RankNetLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `k` is 0, or `sigma` or `eps` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.pairs().check_as(NAME)
    }

    fn pairs(&self) -> LambdaLossConfig {
        LambdaLossConfig {
            weights: PairWeights::One,
            k: self.k,
            sigma: self.sigma,
            eps: self.eps,
            log_base: self.log_base,
            activation: self.activation,
            memory_budget: self.memory_budget,
        }
    }
}

/// Brings pairs of documents into the order of their labels, all pairs alike.
///
/// ```text
/// L = −Σ_{yᵢ > yⱼ} log₂ σ(σ (zᵢ − zⱼ)) / #{(i, j)}
/// ```
///
/// It is [`LambdaLoss`](super::LambdaLoss) without weights: a wrong order at the end of a list costs as much
/// as one at its top.
///
/// # Terms
///
/// None: the loss is one number for the whole batch, the mean over its pairs.
///
/// # Differences
///
/// From sentence-transformers: as for [`LambdaLoss`](super::LambdaLoss).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::RankNetLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.2, 0.2]], &device);
/// let labels = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
///
/// let loss = RankNetLossConfig::new().init().forward(ListBatch::new(logits, labels, &[2]));
/// assert!((loss.into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - C. Burges et al.: Learning to Rank using Gradient Descent, 2005,
///   <https://icml.cc/imls/conferences/2005/proceedings/papers/012_LearningToRank_BurgesEtAl.pdf>
#[derive(Module, Debug)]
pub struct RankNetLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: RankNetLossConfig,
}

impl WholeBatchLoss<ListBatch> for RankNetLoss {
    #[track_caller]
    fn reduced(&self, batch: ListBatch) -> Reduced {
        // −Σ log₂ σ(σ (zᵢ − zⱼ)) / #{pairs}
        self.config.pairs().of_pairs(NAME, batch)
    }
}

init!(RankNetLossConfig => RankNetLoss);
forward!(RankNetLoss, ListBatch);
