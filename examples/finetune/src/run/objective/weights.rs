//! The parameters that a loss owns, from a file.

use std::path::Path;

use burn::module::Module;
use burn::tensor::DType;
use burn_embedding_losses::catalog::AnyLoss;
use burn_embedding_models::directory::regular_file;
use burn_store::{
    FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore,
};

use super::Objective;
use crate::error::Error;

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
    regular_file(path)?;
    let mut store = SafetensorsStore::from_file(path)
        .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)));
    let loaded = loss.load_from(&mut store);
    loaded.map(|_| ()).map_err(|error| {
        // The store's message may span lines; the program's are one line each.
        let reason = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Error::read(path, reason)
    })
}
