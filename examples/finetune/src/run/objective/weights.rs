//! The parameters that a loss owns, from a file.

use std::path::Path;

use burn::module::Module;
use burn_embedding_losses::catalog::AnyLoss;
use burn_embedding_models::weights;

use super::Objective;
use crate::error::Error;
use crate::run::finite::{NOT_FINITE, is_finite};

impl Objective<AnyLoss> {
    /// Starts the loss with the parameters of a safetensors file, under PyTorch's names for them:
    /// `classifier.weight` of SoftmaxLoss, `projection.weight` of MSELoss; or `log_scale` of
    /// MultipleNegativesRankingLoss.
    pub fn with_weights(mut self, path: &Path) -> Result<Self, Error> {
        match &mut self {
            Self::Any(AnyLoss::Softmax(loss)) => load(loss, path)?,
            Self::Any(AnyLoss::Mse(loss)) if loss.num_params() > 0 => load(loss, path)?,
            Self::Any(AnyLoss::MultipleNegativesRanking(loss)) if loss.num_params() > 0 => {
                load(loss, path)?
            }
            Self::Denoising(loss) => load(loss, path)?,
            _ => {
                let reason = "the loss, with these options, has no parameters of its own";
                return Err(Error::option("--loss-weights", reason));
            }
        }
        Ok(self)
    }
}

fn load<M: Module>(loss: &mut M, path: &Path) -> Result<(), Error> {
    let loaded = weights::load_file(path, "the loss", loss.clone())?;
    if !is_finite(&loaded) {
        return Err(Error::read(path, NOT_FINITE));
    }
    *loss = loaded;
    Ok(())
}
