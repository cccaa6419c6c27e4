use burn::module::Param;
use burn::prelude::*;

use super::{BatchLoss, config, forward};
use crate::batch::RetrievalBatch;
use crate::blocks::Blocks;
use crate::error::{ConfigError, expect_valid};
use crate::geometry::Similarity;
use crate::numeric::accumulate;
use crate::objective::ranking::{Candidates, Contest, Ranking, Scale};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::scores::{Comparison, PairwiseScores};

const NAME: &str = "ContrastiveTensionLossInBatchNegatives";

config! {
    /// Configuration of [`ContrastiveTensionLossInBatchNegatives`].
    pub struct ContrastiveTensionLossInBatchNegativesConfig {
        /// Factor on the similarities with which training starts; positive. 20 suits the cosine, 1 the dot
        /// product.
        pub scale: f64 = 20.0, set by with_scale;
        /// Similarity of two embeddings.
        #[serde(alias = "similarity_fct")]
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
        /// Memory for the scores of one block of texts, in bytes; at least enough for one text. Affects
        /// memory only, never the result. `None` means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl ContrastiveTensionLossInBatchNegativesConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `scale` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(NAME, "scale", self.scale)
    }

    /// Builds the loss, with its scale on `device`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> ContrastiveTensionLossInBatchNegatives {
        expect_valid(self.check());
        let logit_scale = Param::from_tensor(Tensor::from_floats([self.scale.ln()], device));
        ContrastiveTensionLossInBatchNegatives { logit_scale, config: self.clone() }
    }
}

/// Two encoders find each other's embedding of a text among those of the whole batch: learning from bare texts.
///
/// ```text
/// ℓᵢ = ½ (ln Σⱼ exp zᵢⱼ − zᵢᵢ) + ½ (ln Σⱼ exp zⱼᵢ − zᵢᵢ)          zᵢⱼ = eᵗ s(uᵢ, vⱼ)          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `u` are the embeddings of the batch's texts by the first encoder (the anchors of the batch), `v` those of the
/// same texts by the second (the positives). Both encoders begin as the same model and are trained separately;
/// the second is the one to keep. `t` is a parameter of the loss, the logarithm of the scale. With one row the
/// loss is 0, and if all embeddings are equal `ln n`. Larger batches have more negatives; no text should be in
/// one twice.
///
/// # Terms
///
/// One per text, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: the batch holds the embeddings of both encoders (there, the loss copies the
/// encoder); a scale of 0 is refused (there, its logarithm is −∞); rows may have ids, as in
/// [`MultipleNegativesRankingLoss`](crate::MultipleNegativesRankingLoss); a zero row gets a zero gradient under
/// the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::ContrastiveTensionLossInBatchNegativesConfig;
///
/// let device = Device::flex();
/// let by_first = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let by_second = Tensor::<2>::from_floats([[2.0, 0.0], [0.0, 3.0]], &device);
///
/// // Cosines 1 and 0 in all rows and columns: ln(e¹ + e⁰) − 1
/// let loss = ContrastiveTensionLossInBatchNegativesConfig::new().with_scale(1.0).init(&device);
/// let value = loss.forward((by_first, by_second)).into_scalar::<f32>();
/// assert!((value - 0.313262).abs() < 1e-6);
/// ```
///
/// # References
///
/// - F. Carlsson et al.: Semantic Re-tuning with Contrastive Tension, 2021,
///   <https://openreview.net/forum?id=Ov_sMNau-PF>
#[derive(Module, Debug)]
pub struct ContrastiveTensionLossInBatchNegatives {
    /// The logarithm of the scale, `[1]`.
    pub logit_scale: Param<Tensor<1>>,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: ContrastiveTensionLossInBatchNegativesConfig,
}

impl BatchLoss<RetrievalBatch> for ContrastiveTensionLossInBatchNegatives {
    #[track_caller]
    fn terms(&self, batch: RetrievalBatch) -> Terms {
        let (candidates, blocks) = self.prepare(batch);
        // ½ (ln Σⱼ exp zᵢⱼ + ln Σⱼ exp zⱼᵢ) − zᵢᵢ
        candidates.terms(&both_ways(), blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: RetrievalBatch, reduction: Reduction) -> Reduced {
        let (candidates, blocks) = self.prepare(batch);
        candidates.reduced(&both_ways(), reduction, blocks)
    }
}

impl ContrastiveTensionLossInBatchNegatives {
    #[track_caller]
    fn prepare(&self, batch: RetrievalBatch) -> (Candidates<PairwiseScores<Similarity>>, Blocks) {
        let anchors = batch.anchors();
        let scale = Scale::Learned(accumulate(self.logit_scale.val()).exp());
        let candidates = Candidates::of_batch(self.config.similarity, batch, scale);
        let bytes = candidates.bytes_per_query(&both_ways());
        let blocks = anchors.blocks(NAME, self.config.memory_budget, bytes);
        (candidates, blocks)
    }
}

/// Each text of the first encoder among those of the second, and the other way round.
fn both_ways() -> Ranking {
    Ranking {
        comparisons: vec![Comparison::QUERY_TO_DOCUMENT, Comparison::DOCUMENT_TO_QUERY],
        contest: Contest::PerComparison,
        penalty: None,
        decoupled: false,
        false_negatives: None,
    }
}

forward!(
    ContrastiveTensionLossInBatchNegatives,
    RetrievalBatch,
    "The loss of every text, `[n]`; where a gradient is wanted, all scores are in memory at once."
);
