use burn::prelude::*;

use super::Activation;
use crate::batch::ListBatch;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::list::list_cross_entropy;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`ListNetLoss`].
    pub struct ListNetLossConfig {
        /// Function of the logits before the loss.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl ListNetLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Makes the distribution of the scores over a list that of the labels.
///
/// ```text
/// ℓ_q = −Σᵢ softmax(y)ᵢ ln softmax(z)ᵢ          L = 1/n Σ_q ℓ_q
/// ```
///
/// Labels are taken as logits of the distribution that is wanted, so their scale matters: labels 0 and 1
/// ask for soft probabilities, 0 and 10 for nearly certain ones.
///
/// # Terms
///
/// One per list, `[n]`; 0 for a list of one document or none.
///
/// # Differences
///
/// From sentence-transformers: an empty list is 0 (there: NaN).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::ListNetLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.0, 0.0], [3.0, 0.0]], &device);
/// let labels = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, 0.0]], &device);
///
/// // Both documents alike: ln 2. A list of one document has nothing to learn.
/// let loss = ListNetLossConfig::new().init();
/// let terms = loss.forward_no_reduction(ListBatch::new(logits, labels, &[2, 1]));
/// let terms: Vec<f32> = terms.try_into_vec_as().unwrap();
/// assert!((terms[0] - 2f32.ln()).abs() < 1e-6 && terms[1] == 0.0);
/// ```
///
/// # References
///
/// - Z. Cao et al.: Learning to Rank: From Pairwise Approach to Listwise Approach, 2007,
///   <https://dl.acm.org/doi/10.1145/1273496.1273513>
#[derive(Module, Debug)]
pub struct ListNetLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: ListNetLossConfig,
}

impl BatchLoss<ListBatch> for ListNetLoss {
    fn terms(&self, batch: ListBatch) -> Terms {
        // −Σ softmax(y) ln softmax(z)
        Terms::all(list_cross_entropy(batch.activated(self.config.activation)))
    }
}

init!(ListNetLossConfig => ListNetLoss);
forward!(ListNetLoss, ListBatch, "The loss of every list, `[n]`.");
