use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::{BatchLoss, config, forward, init};
use crate::batch::GuidedBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::guide::{Guide, Margin};
use crate::objective::ranking::{Candidates, Contest, Ranking, Scale};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::scores::{Comparison, PairwiseScores, Side};

const NAME: &str = "GISTEmbedLoss";

/// How the guide's similarity of an anchor and its positive limits that of negatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarginStrategy {
    /// A negative is less similar by `margin` at least.
    #[serde(alias = "absolute")]
    Absolute,
    /// A negative is less similar by a share of `margin` at least.
    #[serde(alias = "relative")]
    Relative,
}

config! {
    /// Configuration of [`GistEmbedLoss`].
    pub struct GistEmbedLossConfig {
        /// Divisor of the cosines; positive.
        pub temperature: f64 = 0.01, set by with_temperature;
        /// The unit of `margin`.
        pub margin_strategy: MarginStrategy = MarginStrategy::Absolute, set by with_margin_strategy;
        /// How far a negative stays below the positive in the eyes of the guide; finite. One below 0 lets
        /// negatives be more similar than the positive.
        pub margin: f64 = 0.0, set by with_margin;
        /// Whether the other anchors are negatives of an anchor as well.
        pub contrast_anchors: bool = true, set by with_contrast_anchors;
        /// Whether the other positives are negatives of a positive as well.
        pub contrast_positives: bool = true, set by with_contrast_positives;
        /// Memory for the scores of one block of anchors, in bytes; at least enough for one anchor. Affects
        /// memory only, never the result. `None` means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl GistEmbedLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `temperature` is not positive and finite, or `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = self.temperature > 0.0 && (1.0 / self.temperature).is_finite();
        let rule = "must be positive";
        ConfigError::unless(positive, NAME, "temperature", rule, self.temperature)?;
        ConfigError::unless_finite(NAME, "temperature", self.temperature)?;
        ConfigError::unless_finite(NAME, "margin", self.margin)
    }
}

/// Ranks the positive above all texts that a guide, another model, does not take for positives themselves.
///
/// ```text
/// cᵢ = g(aᵢ, pᵢ) − m                              absolute;  g(aᵢ, pᵢ) − m |g(aᵢ, pᵢ)|   relative
/// Zᵢ = {s(aᵢ, pⱼ) : j = i or g(aᵢ, pⱼ) ≤ cᵢ}
///    ∪ {s(aᵢ, aⱼ) : j ≠ i, g(aᵢ, aⱼ) ≤ cᵢ}         contrast_anchors
///    ∪ {s(pᵢ, pⱼ) : j ≠ i, g(pᵢ, pⱼ) ≤ cᵢ}         contrast_positives
///    ∪ {s(aᵢ, nⱼₖ) : g(aᵢ, nⱼₖ) ≤ cᵢ}              hard negatives, of any anchor
/// ℓᵢ = ln Σ_{z ∈ Zᵢ} exp(z/t) − s(aᵢ, pᵢ)/t        L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `s` is the cosine of the embeddings that are trained, `g` that of the guide's, which are constants and part
/// of the [batch](GuidedBatch); `t` is the temperature and `m` the margin. Scores are computed a block of
/// anchors at a time. Ids, masks and weights of the candidates count as in
/// [`MultipleNegativesRankingLoss`](crate::MultipleNegativesRankingLoss).
///
/// # Terms
///
/// One per anchor, `[n]`.
///
/// # Differences
///
/// From sentence-transformers:
///
/// - No text is a negative of itself. There, it is one if the guide finds an anchor and its positive equal, or
///   the margin is below 0: a batch of one such pair has a loss of 85 (here 0).
/// - Any number of columns of hard negatives (there, only in the cached loss).
/// - A candidate within rounding error of the limit is a negative, on every backend; there, rounding decides.
/// - A zero row gets a zero gradient (there: up to 1e8).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::GistEmbedLossConfig;
/// use burn_embedding_losses::batch::GuidedBatch;
///
/// let device = Device::flex();
/// let rows = |rows: [[f32; 2]; 2]| Tensor::<2>::from_floats(rows, &device);
/// let (anchors, positives) = (rows([[1.0, 0.0], [0.0, 1.0]]), rows([[1.0, 0.0], [0.0, 1.0]]));
/// let loss = GistEmbedLossConfig::new().with_temperature(1.0).init();
/// let value = |guide: [[f32; 2]; 2]| {
///     let batch = ((anchors.clone(), positives.clone()), vec![rows(guide); 2]);
///     loss.forward(batch).into_scalar::<f32>()
/// };
///
/// // The guide tells the texts apart. Besides the positive of cosine 1, there are three others of cosine 0.
/// assert!((value([[1.0, 0.0], [0.0, 1.0]]) - 0.743668).abs() < 1e-5);
/// // With a margin it could find them too similar: then nothing is left to rank.
/// let loss = loss.config.clone().with_margin(0.5).init();
/// let batch = ((anchors, positives), vec![rows([[1.0, 0.0], [0.8, 0.6]]); 2]);
/// assert_eq!(loss.forward(batch).into_scalar::<f32>(), 0.0);
/// ```
///
/// # References
///
/// - A. V. Solatorio: GISTEmbed: Guided In-sample Selection of Training Negatives for Text Embedding
///   Fine-tuning, 2024, <https://arxiv.org/abs/2402.16829>
#[derive(Module, Debug)]
pub struct GistEmbedLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: GistEmbedLossConfig,
}

impl BatchLoss<GuidedBatch> for GistEmbedLoss {
    #[track_caller]
    fn terms(&self, batch: GuidedBatch) -> Terms {
        let (candidates, blocks) = self.prepare(batch);
        // ln Σ exp(z/t) − s(aᵢ, pᵢ)/t
        candidates.terms(&self.ranking(), blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: GuidedBatch, reduction: Reduction) -> Reduced {
        let (candidates, blocks) = self.prepare(batch);
        candidates.reduced(&self.ranking(), reduction, blocks)
    }
}

impl GistEmbedLoss {
    #[track_caller]
    fn prepare(&self, batch: GuidedBatch) -> (Candidates<PairwiseScores<Similarity>>, Blocks) {
        let GuidedBatch { candidates: batch, guide } = batch;
        let anchors = batch.anchors();
        let scale = Scale::Fixed(1.0 / self.config.temperature);
        // s(aᵢ, ·)
        let candidates = Candidates::of_batch(Similarity::Cosine, batch, scale);
        let candidates = candidates.with_guide(self.guide(guide));
        let bytes = candidates.bytes_per_query(&self.ranking());
        let blocks = anchors.blocks(NAME, self.config.memory_budget, bytes);
        (candidates, blocks)
    }

    /// g(aᵢ, ·) ≤ cᵢ
    fn guide(&self, columns: Vec<Tensor<2>>) -> Guide {
        let mut columns = columns.into_iter();
        let mut next = || columns.next().expect("a guide has a column for each of the candidates'");
        let (anchors, positives) = (next(), next());
        let margin = match self.config.margin_strategy {
            MarginStrategy::Absolute => Margin::Absolute(self.config.margin),
            MarginStrategy::Relative => Margin::Relative(self.config.margin),
        };
        Guide::new(anchors, positives, columns.collect(), margin)
    }

    fn ranking(&self) -> Ranking {
        let among = |side| Comparison { anchors: side, candidates: side };
        let mut comparisons = vec![Comparison::QUERY_TO_DOCUMENT];
        comparisons.extend(self.config.contrast_anchors.then(|| among(Side::Queries)));
        comparisons.extend(self.config.contrast_positives.then(|| among(Side::Documents)));
        Ranking {
            comparisons,
            contest: Contest::Joint,
            penalty: None,
            decoupled: false,
            false_negatives: None,
        }
    }
}

init!(GistEmbedLossConfig => GistEmbedLoss);
forward!(
    GistEmbedLoss,
    GuidedBatch,
    "The loss of every anchor, `[n]`; where a gradient is wanted, all scores are in memory at once."
);

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: [[f32; 2]; 2]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    #[test]
    fn bad_options_are_named() {
        for (config, expected) in [
            (
                GistEmbedLossConfig::new().with_temperature(0.0),
                "`temperature` must be positive, got 0",
            ),
            (GistEmbedLossConfig::new().with_margin(f64::NAN), "`margin` must be finite, got NaN"),
        ] {
            assert_eq!(
                config.check().unwrap_err().to_string(),
                format!("GISTEmbedLoss: {expected}")
            );
        }
    }

    #[test]
    fn no_text_is_a_negative_of_itself() {
        let pair = Tensor::<2>::from_floats([[1.0, 2.0]], &Device::flex());
        for margin in [0.0, -0.5] {
            let loss = GistEmbedLossConfig::new().with_margin(margin).init();
            let batch = ((pair.clone(), pair.clone().flip([1])), vec![pair.clone(); 2]);
            assert_eq!(loss.forward(batch).into_scalar::<f32>(), 0.0);
        }
    }

    #[test]
    fn hard_negatives_are_none_of_a_positive() {
        let loss = GistEmbedLossConfig::new().with_temperature(1.0).with_contrast_anchors(false);
        let units = rows([[1.0, 0.0], [0.0, 1.0]]);
        // For the guide anchors and positives are opposites of hard negatives.
        let guide = vec![units.clone(), units.clone(), units.clone().neg()];
        let batch = ((units.clone(), units.clone(), units), guide);
        // Its own positive of cosine 1; the other's positive, 0; hard negatives, 1 and 0; the positives among
        // themselves, 0.
        let value: f32 = loss.init().forward(batch).into_scalar();
        let e = core::f32::consts::E;
        assert!((value - ((2.0 * e + 3.0).ln() - 1.0)).abs() < 1e-6, "{value}");
    }

    #[test]
    #[should_panic(expected = "GuidedBatch: `guide[1]` must have shape [2, 2], got [1, 2]")]
    fn the_guide_has_as_many_rows() {
        let units = rows([[1.0, 0.0], [0.0, 1.0]]);
        GuidedBatch::new(
            (units.clone(), units.clone()),
            vec![units.clone(), units.narrow(0, 0, 1)],
        );
    }
}
