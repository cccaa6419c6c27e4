use burn::prelude::*;

use crate::batch::{Reconstruction, ReconstructionBatch};
use crate::error::ConfigError;
use crate::losses::{PartsLoss, config, forward, init};
use crate::objective::regression::{normalized_mean_squared_error, squared_error_sum};
use crate::reduction::{Parts, Reduction, Terms};

config! {
    /// Configuration of [`CsrReconstructionLoss`].
    pub struct CsrReconstructionLossConfig {
        /// Factor of the part for latents that are seldom active; finite.
        pub beta: f64 = 1.0, set by with_beta;
    }
}

impl CsrReconstructionLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `beta` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("CsrReconstructionLoss", "beta", self.beta)
    }
}

/// A sparse auto-encoder gives back the dense embeddings that it was given (CSR).
///
/// ```text
/// reconstruction_loss_k   = MSE(x, x̂_k)
/// reconstruction_loss_4k  = ⅛ MSE(x, x̂_4k)                    L = the sum of the three
/// reconstruction_loss_aux = β MSE(x̂_aux, r) / MSE(r̄, r)       r = x − (x̂_k without the decoder's bias)
/// ```
///
/// `x` are the embeddings, `x̂_k` those decoded from the `k` largest latents, `x̂_aux` those decoded from latents that are
/// seldom active, which learn what is left over, `r`. `r̄` is the mean row. MSE is the mean over rows and coordinates. If
/// all rows of `r` are equal, the last part is not divided; without `x̂_aux` it is 0. Columns of texts are averaged.
///
/// # Terms
///
/// None, but three named parts: see [`parts`](Self::parts).
///
/// # Differences
///
/// From sentence-transformers: `forward` gives the sum of the parts, `parts` each of them (there, a dictionary). Residuals
/// so small that their squares underflow are divided all the same.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::Reconstruction;
/// use burn_embedding_losses::sparse::CsrReconstructionLossConfig;
///
/// let rows = |rows: [[f32; 2]; 2]| Tensor::<2>::from_floats(rows, &Device::flex());
/// let reconstruction = Reconstruction {
///     sentence_embedding_backbone: rows([[4.0, 0.0], [0.0, 4.0]]),
///     decoded_embedding_k: rows([[2.0, 0.0], [0.0, 2.0]]),
///     decoded_embedding_4k: rows([[4.0, 0.0], [0.0, 0.0]]),
///     decoded_embedding_aux: Some(rows([[2.0, 0.0], [0.0, 0.0]])),
///     decoded_embedding_k_pre_bias: rows([[2.0, 0.0], [0.0, 2.0]]),
/// };
/// let parts = CsrReconstructionLossConfig::new().init().parts(reconstruction);
/// let values: Vec<_> = parts.iter().map(|(name, value)| (name, value.clone().into_scalar::<f32>())).collect();
/// // What is left over is ((2, 0), (0, 2)), its mean row (1, 1): 1 / 1.
/// assert_eq!(
///     values,
///     [("reconstruction_loss_k", 2.0), ("reconstruction_loss_4k", 0.5), ("reconstruction_loss_aux", 1.0)]
/// );
/// ```
///
/// # References
///
/// - T. Wen et al.: Beyond Matryoshka: Revisiting Sparse Coding for Adaptive Representation, 2025,
///   <https://arxiv.org/abs/2503.01776>
#[derive(Module, Debug)]
pub struct CsrReconstructionLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: CsrReconstructionLossConfig,
}

impl PartsLoss<ReconstructionBatch> for CsrReconstructionLoss {
    fn named(&self, batch: ReconstructionBatch) -> Parts {
        reconstruction_parts(batch, self.config.beta)
    }
}

/// The three parts, the last one times `beta`.
pub(super) fn reconstruction_parts(batch: ReconstructionBatch, beta: f64) -> Parts {
    let mut errors: [Vec<Tensor<1>>; 3] = Default::default();
    for column in batch.into_parts() {
        let of_column = errors_of(column);
        errors.iter_mut().zip(of_column).for_each(|(all, error)| all.push(error));
    }
    let weighted = [
        ("reconstruction_loss_k", 1.0),
        ("reconstruction_loss_4k", 0.125),
        ("reconstruction_loss_aux", beta),
    ];
    errors.into_iter().zip(weighted).fold(Parts::default(), |parts, (columns, (name, weight))| {
        let mean = Terms::all(Tensor::cat(columns, 0)).reduce(Reduction::Mean);
        parts.with(name, mean.weighted(weight))
    })
}

/// MSE(x, x̂_k), MSE(x, x̂_4k), and MSE(x̂_aux, r) / MSE(r̄, r)
fn errors_of(column: Reconstruction) -> [Tensor<1>; 3] {
    let x = column.sentence_embedding_backbone;
    let [n, dim] = x.dims();
    let mse = |decoded| squared_error_sum(x.clone(), decoded, 1.0 / (n * dim) as f64);
    let (k, of_4k) = (mse(column.decoded_embedding_k), mse(column.decoded_embedding_4k));
    let aux = match column.decoded_embedding_aux {
        None => k.zeros_like(),
        Some(decoded) => {
            let left_over = x.clone() - column.decoded_embedding_k_pre_bias;
            normalized_mean_squared_error(decoded, left_over)
        }
    };
    [k, of_4k, aux]
}

init!(CsrReconstructionLossConfig => CsrReconstructionLoss);
forward!(CsrReconstructionLoss, ReconstructionBatch, parts);

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: [[f32; 2]; 2]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    fn column(scale: f32) -> Reconstruction {
        Reconstruction {
            sentence_embedding_backbone: rows([[1.0, 2.0], [3.0, 4.0]]).mul_scalar(scale),
            decoded_embedding_k: rows([[1.0, 2.0], [3.0, 2.0]]).mul_scalar(scale),
            decoded_embedding_4k: rows([[1.0, 2.0], [3.0, 4.0]]),
            decoded_embedding_aux: None,
            decoded_embedding_k_pre_bias: rows([[0.0, 0.0], [0.0, 0.0]]),
        }
    }

    #[test]
    fn columns_are_averaged() {
        let loss = CsrReconstructionLossConfig::new().init();
        let parts = loss.parts(vec![column(1.0), column(3.0)]);
        let values: Vec<f32> =
            parts.iter().map(|(_, value)| value.clone().into_scalar::<f32>()).collect();
        // (4 / 4 + 36 / 4) / 2, and an eighth of (0 + (4 + 16 + 36 + 64) / 4) / 2.
        assert_eq!(values, [5.0, 1.875, 0.0]);
    }

    #[test]
    #[should_panic(
        expected = "ReconstructionBatch: `reconstructions[1].decoded_embedding_4k` must be f32 [2, 2], got f32 [2, 1]"
    )]
    fn a_matrix_of_another_shape_is_named() {
        let mut narrow = column(1.0);
        narrow.decoded_embedding_4k = narrow.decoded_embedding_4k.narrow(1, 0, 1);
        CsrReconstructionLossConfig::new().init().forward(vec![column(1.0), narrow]);
    }

    #[test]
    #[should_panic(expected = "CsrReconstructionLoss: `beta` must be finite, got NaN")]
    fn a_beta_that_is_no_number_is_refused() {
        CsrReconstructionLossConfig::new().with_beta(f64::NAN).init();
    }
}
