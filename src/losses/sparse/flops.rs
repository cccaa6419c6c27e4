use burn::prelude::*;

use crate::batch::EmbeddingsBatch;
use crate::error::ConfigError;
use crate::losses::{WholeBatchLoss, config, forward, init};
use crate::objective::regularizer::flops;
use crate::reduction::{Reduced, Reduction, Terms};

config! {
    /// Configuration of [`FlopsLoss`].
    pub struct FlopsLossConfig {
        /// Rows with at most this many non-zero dimensions are sparse enough and do not count; not negative.
        /// `None` counts all.
        pub threshold: Option<f64> = None, set by with_threshold;
    }
}

impl FlopsLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `threshold` is negative or not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_threshold("FlopsLoss", "threshold", self.threshold)
    }
}

/// The rule for a number of dimensions below which a row is sparse enough.
pub(super) fn check_threshold(
    loss: &str,
    field: &str,
    threshold: Option<f64>,
) -> Result<(), ConfigError> {
    let threshold = threshold.unwrap_or(0.0);
    let fits = threshold >= 0.0 && threshold.is_finite();
    ConfigError::unless(fits, loss, field, "must not be negative", threshold)
}

/// Keeps embeddings sparse: fewer dimensions that are not 0, and none that all texts share.
///
/// ```text
/// L = Σ_v (1/n Σᵢ xᵢᵥ)²
/// ```
///
/// Activations of sparse encoders are not negative. The sum stands for the floating-point operations of a search in an inverted index: a dimension that is active
/// in a share `p` of the texts costs `p²` of all comparisons. A regulariser, to be added to another loss.
///
/// # Terms
///
/// None: the loss is one number for the whole batch. Several columns of texts count as one.
///
/// # Differences
///
/// None.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::sparse::FlopsLossConfig;
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::from_floats([[1.0, 0.0, 2.0], [1.0, 0.0, 0.0]], &device);
///
/// // 1² + 0² + 1²; with a threshold, the second row is sparse enough: ½² + 0² + 1².
/// let value = |threshold| {
///     let loss = FlopsLossConfig::new().with_threshold(threshold).init();
///     loss.forward(rows.clone()).into_scalar::<f32>()
/// };
/// assert_eq!((value(None), value(Some(1.0))), (2.0, 1.25));
/// ```
///
/// # References
///
/// - B. Paria et al.: Minimizing FLOPs to Learn Efficient Sparse Representations, 2020,
///   <https://arxiv.org/abs/2004.05665>
#[derive(Module, Debug)]
pub struct FlopsLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: FlopsLossConfig,
}

impl WholeBatchLoss<EmbeddingsBatch> for FlopsLoss {
    fn reduced(&self, EmbeddingsBatch { columns }: EmbeddingsBatch) -> Reduced {
        // Σ_v (1/n Σᵢ xᵢᵥ)²
        let squares = flops(columns, self.config.threshold);
        Terms::all(squares).reduce(Reduction::Sum)
    }
}

init!(FlopsLossConfig => FlopsLoss);
forward!(FlopsLoss, EmbeddingsBatch);
