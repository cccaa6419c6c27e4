use burn::prelude::*;

use super::{PartsLoss, config, forward, init};
use crate::batch::EmbeddingsBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::numeric::widen;
use crate::objective::hinge::hinge;
use crate::objective::regularizer::{pair_moments, unit_pair_moments};
use crate::reduction::{Parts, Reduction, Terms};

const NAME: &str = "GlobalOrthogonalRegularizationLoss";

/// Matrices of a block of rows with all rows that are in memory at once.
const PRODUCTS: usize = 4;

config! {
    /// Configuration of [`GlobalOrthogonalRegularizationLoss`].
    pub struct GlobalOrthogonalRegularizationLossConfig {
        /// Similarity of two rows: `Cosine` or `Dot`.
        #[serde(alias = "similarity_fct")]
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
        /// Factor of the squared mean; `None` or 0 leaves it out. Finite.
        pub mean_weight: Option<f64> = Some(1.0), set by with_mean_weight;
        /// Factor of the second moment; `None` or 0 leaves it out. Finite.
        pub second_moment_weight: Option<f64> = Some(1.0), set by with_second_moment_weight;
        /// How the columns of texts become one number.
        pub aggregation: Reduction = Reduction::Mean, set by with_aggregation;
    }
}

impl GlobalOrthogonalRegularizationLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If the similarity is neither `Cosine` nor `Dot`, a weight is not finite, or neither part has a weight.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.similarity.check_bilinear(NAME)?;
        let [mean, second_moment] = self.weights();
        ConfigError::unless_finite(NAME, "mean_weight", mean)?;
        ConfigError::unless_finite(NAME, "second_moment_weight", second_moment)?;
        let some = mean != 0.0 || second_moment != 0.0;
        let rule = "must not be 0 if `second_moment_weight` is";
        ConfigError::unless(some, NAME, "mean_weight", rule, mean)
    }

    /// The weights of the two parts; 0 for one that is left out.
    fn weights(&self) -> [f64; 2] {
        [self.mean_weight, self.second_moment_weight].map(|weight| weight.unwrap_or(0.0))
    }
}

/// Spreads embeddings over the sphere: two texts of a batch that have nothing to do with each other should be as
/// dissimilar as two random directions. A regulariser, to be added to another loss.
///
/// ```text
/// gor_mean          = w₁ M²                    M  = 1/(n (n − 1)) Σ_{i≠j} s(eᵢ, eⱼ)
/// gor_second_moment = w₂ (M₂ − 1/dim)₊         M₂ = 1/(n (n − 1)) Σ_{i≠j} s(eᵢ, eⱼ)²          L = gor_mean + gor_second_moment
/// ```
///
/// Cosines of random directions have the mean 0 and the second moment `1/dim`. Every column of texts is compared
/// with itself only, and the columns are averaged, or added. With one row both parts are 0.
///
/// # Terms
///
/// None, but two named parts: see [`parts`](Self::parts). A part without a weight is absent.
///
/// # Numerical behavior
///
/// Of cosines, the moments come from sums over rows and the product `EᵀE`, `[dim, dim]`, or `EEᵀ` if that is
/// smaller; of dot products, from a block of rows with all others at a time, so that one long row does not blur
/// the rest. Memory does not grow with `n²`. Those of dot products are computed in `f64` where the device has it.
///
/// # Differences
///
/// From sentence-transformers: `forward` gives the sum of the parts, `parts` each of them (there, a dictionary);
/// only the cosine and the dot product are taken; a zero row gets a zero gradient under the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::GlobalOrthogonalRegularizationLossConfig;
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::from_floats([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0]], &device);
///
/// // Cosines 1, 0 and 0: means ⅓ and ⅓, of which ⅓² counts, and nothing above ½
/// let loss = GlobalOrthogonalRegularizationLossConfig::new().init();
/// let parts = loss.parts(rows.clone());
/// let values: Vec<_> = parts.iter().map(|(name, value)| (name, value.clone().into_scalar::<f32>())).collect();
/// assert_eq!(values[1], ("gor_second_moment", 0.0));
/// assert!((loss.forward(rows).into_scalar::<f32>() - 1.0 / 9.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - X. Zhang et al.: Learning Spread-out Local Feature Descriptors, 2017, <https://arxiv.org/abs/1708.06320>
#[derive(Module, Debug)]
pub struct GlobalOrthogonalRegularizationLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: GlobalOrthogonalRegularizationLossConfig,
}

impl PartsLoss<EmbeddingsBatch> for GlobalOrthogonalRegularizationLoss {
    fn named(&self, EmbeddingsBatch { columns }: EmbeddingsBatch) -> Parts {
        let dtype = columns[0].dtype();
        let (means, second_moments) = columns.into_iter().map(|rows| self.moments(rows)).unzip();
        let [of_mean, of_second_moment] = self.config.weights();
        let parts =
            [("gor_mean", of_mean, means), ("gor_second_moment", of_second_moment, second_moments)];
        let parts = parts.into_iter().filter(|&(_, weight, _)| weight != 0.0);
        parts.fold(Parts::default(), |parts, (name, weight, columns): (_, _, Vec<_>)| {
            let total = Terms::all(Tensor::cat(columns, 0)).reduce(self.config.aggregation);
            parts.with(name, total.weighted(weight).cast(dtype))
        })
    }
}

impl GlobalOrthogonalRegularizationLoss {
    /// `M²` and `(M₂ − 1/dim)₊` of a column, `[1]` each.
    fn moments(&self, rows: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        let [n, dim] = rows.dims();
        let share = 1.0 / (n * (n - 1)).max(1) as f64;
        // Σ s(eᵢ, eⱼ) and Σ s(eᵢ, eⱼ)²
        let moments = match self.config.similarity {
            Similarity::Cosine => unit_pair_moments(self.config.similarity.prepare(rows)),
            _ => {
                let rows = widen(rows);
                let bytes = PRODUCTS * n * rows.dtype().size();
                let blocks = Blocks::within(NAME, None, &rows.device(), [n, dim], bytes);
                pair_moments(rows, blocks)
            }
        };
        let [mean, second] = moments.map(|sum| sum.mul_scalar(share));
        (mean.clone() * mean, hinge(second.sub_scalar(1.0 / dim as f64)))
    }
}

init!(GlobalOrthogonalRegularizationLossConfig => GlobalOrthogonalRegularizationLoss);
forward!(GlobalOrthogonalRegularizationLoss, EmbeddingsBatch, parts);
