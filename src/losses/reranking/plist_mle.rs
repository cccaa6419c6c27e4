use burn::prelude::*;

use super::{Activation, RankWeights};
use crate::batch::ListBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::plackett_luce::plackett_luce;
use crate::reduction::{Reduction, Terms};
use crate::select::{places_by_rank, ranks};

/// Bytes per document and comparison when labels are sorted.
const BYTES_PER_COMPARISON: usize = 24;

config! {
    /// Configuration of [`PListMleLoss`].
    pub struct PListMleLossConfig {
        /// The weight of each place of the list.
        #[serde(alias = "lambda_weight")]
        pub weights: RankWeights = RankWeights::Exponential, set by with_weights;
        /// Whether the documents of a list come in the order that is wanted, so that labels are not looked at;
        /// otherwise labels give the order, largest first, equal ones as they come.
        pub respect_input_order: bool = true, set by with_respect_input_order;
        /// Function of the logits before the loss.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl PListMleLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a custom weight is negative or not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let RankWeights::Custom(weights) = &self.weights else {
            return Ok(());
        };
        weights.iter().try_for_each(|&weight| {
            let fits = weight >= 0.0 && weight.is_finite();
            ConfigError::unless(fits, "PListMLELoss", "weights", "must not be negative", weight)
        })
    }
}

/// Makes the order of a list likely, its first places above all.
///
/// ```text
/// ℓ_q = −Σ_r w_r (z₍ᵣ₎ − ln Σ_{t ≥ r} exp(z₍ₜ₎))          L = 1/n Σ_q ℓ_q
/// ```
///
/// `z₍ᵣ₎` is the logit of the document that should have rank `r`: documents are drawn one after another,
/// with the probabilities that the scores of the remaining ones give. `w` are the [`RankWeights`]; without,
/// it is [`ListMleLoss`](super::ListMleLoss).
///
/// # Terms
///
/// One per list, `[n]`; 0 for a list of one document or none.
///
/// # Differences
///
/// From sentence-transformers: where all lists have loss 0 the loss stays in the graph (there: a constant,
/// and the backward pass fails or leaves no gradient); equal labels keep their order on every backend.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::PListMleLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[1.0, 0.0, 1.0]], &device);
/// let labels = Tensor::<2>::from_floats([[2.0, 1.0, 3.0]], &device);
///
/// // The order is 3, 1, 2, and the first of two equal scores comes out with probability ½ only.
/// let config = PListMleLossConfig::new().with_respect_input_order(false);
/// let loss = config.init().forward(ListBatch::new(logits, labels, &[3]));
/// let (first, second) = ((2.0 + (-1f32).exp()).ln(), (1.0 + (-1f32).exp()).ln());
/// assert!((loss.into_scalar::<f32>() - (3.0 * first + second) / 4.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - Y. Lan et al.: Position-Aware ListMLE: A Sequential Learning Process for Ranking, 2014,
///   <https://auai.org/uai2014/proceedings/individuals/164.pdf>
#[derive(Module, Debug)]
pub struct PListMleLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: PListMleLossConfig,
}

impl BatchLoss<ListBatch> for PListMleLoss {
    #[track_caller]
    fn terms(&self, batch: ListBatch) -> Terms {
        let PListMleLossConfig { activation, respect_input_order, .. } = self.config;
        let batch = batch.activated(activation);
        let (logits, exists) = match respect_input_order {
            true => (batch.logits, batch.exists),
            false => by_label(batch),
        };
        let weights = self.config.weights.of_places("PListMLELoss", exists.clone(), &logits);
        // −Σ w_r (z_r − ln Σ_{t ≥ r} exp(z_t))
        Terms::all(plackett_luce(logits, exists, weights))
    }
}

/// Logits in the order of the labels, largest first, and whether there is a document at each place.
fn by_label(ListBatch { logits, labels, exists }: ListBatch) -> (Tensor<2>, Tensor<2, Bool>) {
    let [lists, longest] = logits.dims();
    let bytes = longest * BYTES_PER_COMPARISON;
    let blocks =
        Blocks::within("PListMLELoss", None, &logits.device(), [lists * longest, longest], bytes);
    let places = places_by_rank(ranks(labels, exists.clone(), blocks));
    let exists = exists.int().gather(1, places.clone()).bool();
    (logits.gather(1, places), exists)
}

init!(PListMleLossConfig => PListMleLoss);
forward!(PListMleLoss, ListBatch, "The loss of every list, `[n]`.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "PListMLELoss: `rank_weights` must be at least 3")]
    fn every_place_needs_a_weight() {
        let rows = Tensor::<2>::zeros([1, 3], &Device::flex());
        let weights = RankWeights::Custom(vec![1.0, 0.5]);
        let loss = PListMleLossConfig::new().with_weights(weights).init();
        loss.forward(ListBatch::new(rows.clone(), rows, &[3]));
    }

    #[test]
    fn lists_of_one_document_stay_in_the_graph() {
        let rows = Tensor::<2>::zeros([2, 1], &Device::flex().autodiff()).require_grad();
        let batch = ListBatch::new(rows.clone(), rows.clone(), &[1, 0]);
        let loss = PListMleLossConfig::new().init().forward(batch);
        let slope: Vec<f32> = rows.grad(&loss.backward()).unwrap().try_into_vec_as().unwrap();
        assert_eq!((loss.into_scalar::<f32>(), slope), (0.0, vec![0.0; 2]));
    }
}
