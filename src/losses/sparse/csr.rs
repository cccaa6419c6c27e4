use burn::prelude::*;

use super::base_parts;
use super::csr_reconstruction::reconstruction_parts;
use crate::batch::{Batch, CsrBatch};
use crate::diagnostics::Diagnostics;
use crate::error::{ConfigError, expect_valid};
use crate::losses::{Criterion, config};
use crate::reduction::Parts;

const NAME: &str = "CsrLoss";

config! {
    /// Configuration of [`CsrLoss`].
    pub struct CsrLossConfig {
        /// Factor of the part for latents that are seldom active; finite.
        pub beta: f64 = 0.1, set by with_beta;
        /// Factor of the loss inside; finite.
        pub gamma: f64 = 1.0, set by with_gamma;
    }
}

impl CsrLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a factor is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite(NAME, "beta", self.beta)?;
        ConfigError::unless_finite(NAME, "gamma", self.gamma)
    }

    /// Puts the loss around `loss`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<L>(&self, loss: L) -> CsrLoss<L> {
        expect_valid(self.check());
        CsrLoss { loss, config: self.clone() }
    }
}

/// Any loss of the latents of a sparse auto-encoder, which also has to give back the dense embeddings (CSR).
///
/// ```text
/// L = reconstruction_loss_k + reconstruction_loss_4k + reconstruction_loss_aux + γ ℓ
/// ```
///
/// `ℓ` is the loss inside, of the latents; the rest is [`CsrReconstructionLoss`](super::CsrReconstructionLoss) with `beta`.
/// The loss inside is any [`Criterion`] that takes a [`Batch`], one of this crate or your own; usually a
/// [`MultipleNegativesRankingLoss`](crate::MultipleNegativesRankingLoss) with scale 1 and the dot product. Put a
/// [`GradCache`](crate::GradCache) around the whole.
///
/// # Terms
///
/// None, but named parts: see [`parts`](Self::parts).
///
/// # Differences
///
/// From sentence-transformers: it wraps any loss (there, one of sparse encoders); `forward` gives the sum of the parts,
/// `parts` each of them (there, a dictionary). The loss inside has no default, except in the
/// [catalog](crate::catalog).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MseLossConfig;
/// use burn_embedding_losses::batch::{CsrBatch, DistillationBatch, Reconstruction};
/// use burn_embedding_losses::sparse::CsrLossConfig;
///
/// let device = Device::flex();
/// let rows = |row: [f32; 2]| Tensor::<2>::from_floats([row], &device);
/// let reconstruction = Reconstruction {
///     sentence_embedding_backbone: rows([4.0, 0.0]),
///     decoded_embedding_k: rows([2.0, 0.0]),
///     decoded_embedding_4k: rows([4.0, 0.0]),
///     decoded_embedding_aux: None,
///     decoded_embedding_k_pre_bias: rows([2.0, 0.0]),
/// };
/// // The latents should be (3, 0), and γ is ½.
/// let latents = DistillationBatch::from((rows([1.0, 0.0]), rows([3.0, 0.0])));
/// let loss = CsrLossConfig::new().with_gamma(0.5).init(MseLossConfig::new().init(&device));
/// let parts = loss.parts(CsrBatch::new(latents, reconstruction));
/// let values: Vec<_> = parts.iter().map(|(name, value)| (name, value.clone().into_scalar::<f32>())).collect();
/// assert_eq!((values[0], values[3]), (("reconstruction_loss_k", 2.0), ("base_loss", 1.0)));
/// ```
///
/// # References
///
/// - T. Wen et al.: Beyond Matryoshka: Revisiting Sparse Coding for Adaptive Representation, 2025,
///   <https://arxiv.org/abs/2503.01776>
#[derive(Module, Debug)]
pub struct CsrLoss<L> {
    /// The loss inside.
    pub loss: L,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: CsrLossConfig,
}

impl<L> CsrLoss<L> {
    /// The loss of the batch, `[1]`.
    ///
    /// # Panics
    ///
    /// If the loss inside does not take the batch.
    #[track_caller]
    pub fn forward<B: Batch>(&self, batch: CsrBatch<B>) -> Tensor<1>
    where
        L: Criterion<B>,
    {
        self.parts(batch).total().into_value()
    }

    /// The named parts that the loss is the sum of, `[1]` each: those of the reconstruction, then `base_loss`, or the parts
    /// of the loss inside if it has some.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn parts<B: Batch>(&self, batch: CsrBatch<B>) -> Parts
    where
        L: Criterion<B>,
    {
        let (latents, reconstructions) = batch.into_parts();
        let base = base_parts(&self.loss, latents).weighted(self.config.gamma);
        reconstruction_parts(reconstructions, self.config.beta).and(base)
    }
}

impl<B: Batch, L: Criterion<B>> Criterion<CsrBatch<B>> for CsrLoss<L> {
    #[track_caller]
    fn loss(&self, batch: CsrBatch<B>) -> Tensor<1> {
        self.forward(batch)
    }

    #[track_caller]
    fn parts(&self, batch: CsrBatch<B>) -> Option<Parts> {
        Some(self.parts(batch))
    }

    /// The diagnosis of the loss inside.
    #[track_caller]
    fn diagnose(&self, batch: CsrBatch<B>) -> Option<Diagnostics> {
        self.loss.diagnose(batch.into_parts().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_factors_are_named() {
        for (config, expected) in [
            (CsrLossConfig::new().with_beta(f64::NAN), "`beta` must be finite, got NaN"),
            (CsrLossConfig::new().with_gamma(f64::INFINITY), "`gamma` must be finite, got inf"),
        ] {
            assert_eq!(config.check().unwrap_err().to_string(), format!("CsrLoss: {expected}"));
        }
    }
}
