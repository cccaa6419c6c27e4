use burn::module::Param;
use burn::prelude::*;

use super::{BatchLoss, config, forward};
use crate::batch::{RetrievalBatch, Role};
use crate::blocks::Blocks;
use crate::error::{ConfigError, expect_valid};
use crate::geometry::Similarity;
use crate::numeric::accumulate;
use crate::objective::ranking::{Candidates, Contest, Ranking, Scale};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::scores::{Comparison, PairwiseScores};

const NAME: &str = "SigLipLoss";

config! {
    /// Configuration of [`SigLipLoss`].
    pub struct SigLipLossConfig {
        /// Factor on the similarities with which training starts; positive.
        pub scale: f64 = 10.0, set by with_scale;
        /// Offset of the scaled similarities with which training starts; finite. Below 0, most pairs count as
        /// different at first, as most of them are.
        pub bias: f64 = -10.0, set by with_bias;
        /// Similarity of two rows: `Cosine` or `Dot`.
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
        /// Memory for the scores of one block of queries, in bytes; at least enough for one query. Affects
        /// memory only, never the result. `None` means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl SigLipLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `scale` is not positive and finite, `bias` is not finite, or the similarity is neither `Cosine` nor `Dot`.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(NAME, "scale", self.scale)?;
        ConfigError::unless_finite(NAME, "bias", self.bias)?;
        self.similarity.check_bilinear(NAME)
    }

    /// Builds the loss, with its parameters on `device`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> SigLipLoss {
        expect_valid(self.check());
        let parameter = |value: f64| Param::from_tensor(Tensor::from_floats([value], device));
        SigLipLoss {
            logit_scale: parameter(self.scale.ln()),
            logit_bias: parameter(self.bias),
            config: self.clone(),
        }
    }
}

/// Asks of every query and document of the batch whether they belong together: the sigmoid loss of SigLIP.
///
/// ```text
/// zᵢⱼ = eᵗ s(qᵢ, dⱼ) + b          ℓᵢ = ln(1 + exp(−zᵢᵢ)) + Σ_{j≠i} ln(1 + exp(zᵢⱼ))          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `d` are the positives of all queries, then their hard negatives, if any. `t`, the logarithm of the scale, and the
/// bias `b` are parameters of the loss; give them to the optimizer together with the encoder's. Unlike in
/// [`MultipleNegativesRankingLoss`](crate::MultipleNegativesRankingLoss) no softmax makes candidates compete: each
/// pair counts for itself, which suits small batches. Rows of equal [id](RetrievalBatch::with_ids) are not compared.
///
/// # Terms
///
/// One per query, `[n]`; in a gathered batch, one per own query.
///
/// # Numerical behavior
///
/// A block of queries at a time, with the gradient in closed form; no matrix of all pairs outlives a block.
///
/// # Differences
///
/// sentence-transformers has no such loss. From the paper: hard negatives, ids and weights count as in the other
/// ranking losses; a zero row gets a zero gradient under the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::SigLipLossConfig;
///
/// let device = Device::flex();
/// let queries = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let documents = Tensor::<2>::from_floats([[2.0, 0.0], [0.0, 3.0]], &device);
///
/// // Cosines 1 and 0, logits 1 and −1: 2 ln(1 + e⁻¹)
/// let loss = SigLipLossConfig::new().with_scale(2.0).with_bias(-1.0).init(&device);
/// let value = loss.forward((queries, documents)).into_scalar::<f32>();
/// assert!((value - 0.626523).abs() < 1e-6);
/// ```
///
/// # References
///
/// - X. Zhai et al.: Sigmoid Loss for Language Image Pre-Training, 2023, <https://arxiv.org/abs/2303.15343>
#[derive(Module, Debug)]
pub struct SigLipLoss {
    /// The logarithm of the scale, `[1]`.
    pub logit_scale: Param<Tensor<1>>,
    /// The offset of the scaled similarities, `[1]`.
    pub logit_bias: Param<Tensor<1>>,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: SigLipLossConfig,
}

impl BatchLoss<RetrievalBatch> for SigLipLoss {
    #[track_caller]
    fn terms(&self, batch: RetrievalBatch) -> Terms {
        let (candidates, blocks) = self.prepare(batch);
        // ln(1 + exp(−zᵢᵢ)) + Σ ln(1 + exp(zᵢⱼ))
        candidates.terms(&each_for_itself(), blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: RetrievalBatch, reduction: Reduction) -> Reduced {
        let (candidates, blocks) = self.prepare(batch);
        candidates.reduced(&each_for_itself(), reduction, blocks)
    }
}

impl SigLipLoss {
    #[track_caller]
    fn prepare(&self, batch: RetrievalBatch) -> (Candidates<PairwiseScores<Similarity>>, Blocks) {
        let anchors = batch.anchors();
        let candidates =
            Candidates::of_batch(Similarity::Dot, self.as_products(batch), Scale::Fixed(1.0));
        let bytes = candidates.bytes_per_query(&each_for_itself());
        let blocks = anchors.blocks(NAME, self.config.memory_budget, bytes);
        (candidates, blocks)
    }

    /// Rows whose dot products are the logits: `(eᵗ q, b)` and `(d, 1)`. So the parameters cost no pass over all pairs,
    /// and the gradient keeps its closed form.
    fn as_products(&self, batch: RetrievalBatch) -> RetrievalBatch {
        let similarity = self.config.similarity;
        let with_column = |rows: Tensor<2>, column: Tensor<1>| {
            let column = column.cast(rows.dtype()).unsqueeze::<2>().expand([rows.dims()[0], 1]);
            Tensor::cat(vec![rows, column], 1)
        };
        let [scale, bias] = [&self.logit_scale, &self.logit_bias].map(|it| accumulate(it.val()));
        let scale = scale.exp();
        batch.map_embeddings(|role, rows| {
            let rows = similarity.prepare(rows);
            match role {
                Role::Anchor => {
                    let scale = scale.clone().cast(rows.dtype()).unsqueeze();
                    with_column(rows * scale, bias.clone())
                }
                _ => {
                    let one = Tensor::ones([1], (&rows.device(), rows.dtype()));
                    with_column(rows, one)
                }
            }
        })
    }
}

/// All documents for each query, without a softmax.
fn each_for_itself() -> Ranking {
    Ranking {
        comparisons: vec![Comparison::QUERY_TO_DOCUMENT],
        contest: Contest::Sigmoid,
        penalty: None,
        decoupled: false,
        false_negatives: None,
    }
}

forward!(
    SigLipLoss,
    RetrievalBatch,
    "The loss of every query, `[n]`; where a gradient is wanted, all scores are in memory at once."
);

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::DType;

    const QUERIES: [[f64; 2]; 3] = [[0.6, -0.2], [0.1, 0.9], [-0.7, 0.3]];
    const POSITIVES: [[f64; 2]; 3] = [[0.5, 0.1], [-0.2, 0.4], [0.3, 0.8]];
    const NEGATIVES: [[f64; 2]; 3] = [[0.2, 0.2], [-0.9, 0.1], [0.4, -0.6]];
    const IDS: [i64; 3] = [4, 5, 4];

    fn rows(rows: [[f64; 2]; 3], device: &Device) -> Tensor<2> {
        Tensor::from_data(rows, (device, DType::F64))
    }

    fn batch(device: &Device, negatives: bool, ids: bool) -> RetrievalBatch {
        let negatives = negatives.then(|| rows(NEGATIVES, device)).into_iter().collect();
        let (queries, positives) = (rows(QUERIES, device), rows(POSITIVES, device));
        let batch = RetrievalBatch::new(queries.require_grad(), positives, negatives);
        match ids {
            true => batch.with_ids(Tensor::from_data(IDS, device)),
            false => batch,
        }
    }

    /// The mean over queries, pair by pair.
    fn by_pairs(scale: f64, bias: f64, negatives: bool, ids: bool) -> f64 {
        let documents = [&POSITIVES[..], if negatives { &NEGATIVES } else { &[] }].concat();
        let mut sum = 0.0;
        for (i, query) in QUERIES.iter().enumerate() {
            for (j, document) in documents.iter().enumerate() {
                let z = scale * (query[0] * document[0] + query[1] * document[1]) + bias;
                let equal = ids && j < 3 && IDS[i] == IDS[j];
                sum += match () {
                    () if i == j => (-z).exp().ln_1p(),
                    () if equal => 0.0,
                    () => z.exp().ln_1p(),
                };
            }
        }
        sum / 3.0
    }

    fn loss(scale: f64, bias: f64, memory_budget: Option<usize>) -> SigLipLoss {
        let config = SigLipLossConfig::new().with_scale(scale).with_bias(bias);
        let config = config.with_similarity(Similarity::Dot).with_memory_budget(memory_budget);
        config.init(&Device::flex().autodiff())
    }

    #[test]
    fn it_asks_of_every_pair() {
        let device = Device::flex().autodiff();
        for (negatives, ids) in [(false, false), (true, false), (false, true), (true, true)] {
            let expected = by_pairs(2.0, -1.5, negatives, ids);
            for memory_budget in [None, Some(600)] {
                let loss = loss(2.0, -1.5, memory_budget);
                let found = loss.forward(batch(&device, negatives, ids)).into_scalar::<f64>();
                // The parameters are single precision.
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        }
    }

    #[test]
    fn scale_and_bias_learn() {
        let device = Device::flex().autodiff();
        let loss = loss(2.0, -1.5, Some(600));
        let gradients = loss.forward(batch(&device, true, true)).backward();
        let of = |parameter: &Param<Tensor<1>>| {
            parameter.val().grad(&gradients).expect("a gradient").into_scalar::<f32>()
        };
        let slope = |scale: f64, bias: f64| by_pairs(scale, bias, true, true);
        let step = 1e-5;
        let of_bias = (slope(2.0, -1.5 + step) - slope(2.0, -1.5 - step)) / (2.0 * step);
        let up = |t: f64| slope(t.exp(), -1.5);
        let of_scale = (up(2f64.ln() + step) - up(2f64.ln() - step)) / (2.0 * step);
        assert!((f64::from(of(&loss.logit_bias)) - of_bias).abs() < 1e-6);
        assert!((f64::from(of(&loss.logit_scale)) - of_scale).abs() < 1e-6);
    }

    #[test]
    #[should_panic(expected = "SigLipLoss: `similarity` must be Cosine or Dot, got Manhattan")]
    fn distances_are_no_logits() {
        let config = SigLipLossConfig::new().with_similarity(Similarity::Manhattan);
        config.init(&Device::flex());
    }
}
