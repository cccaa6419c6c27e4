//! An encoder with LoRA adapters.

use burn::module::Module;

use super::SentenceEncoder;
use crate::error::Error;
use crate::lora::{Attach, LoraConfig};
use crate::network::{Network, NetworkConfig};
use crate::weights::{self, Parameter};

impl SentenceEncoder {
    /// The encoder with new adapters in its network. Nothing else of it is trained any more: only the
    /// adapters have gradients. Embeddings are the same until the first step.
    ///
    /// # Errors
    ///
    /// [`Error::Lora`] if the configuration breaks a rule or names no layer, the network has no linear
    /// layers, or it has adapters already.
    pub fn with_lora(self, config: &LoraConfig) -> Result<Self, Error> {
        if self.lora.is_some() {
            return Err(Error::Lora("the encoder has adapters already".to_string()));
        }
        let mut encoder = self.no_grad();
        encoder.network = with_adapters(encoder.network, &encoder.config, config)?;
        encoder.lora = Some(config.clone());
        Ok(encoder)
    }

    /// The configuration of the adapters, if there are any.
    pub fn lora(&self) -> Option<&LoraConfig> {
        self.lora.as_ref()
    }

    /// The network with its adapters added to the weights.
    pub(crate) fn merged_network(&self) -> Network {
        self.network.clone().materialize()
    }

    /// The names that `transformers` gives to the layers with an adapter.
    pub(crate) fn adapted_layers(&self) -> Result<Vec<String>, Error> {
        let Some(config) = &self.lora else { return Ok(Vec::new()) };
        let layers = layers_for(&self.network, &self.config, config).map_err(Error::Lora)?;
        Ok(layers.into_iter().map(|(name, _)| name).collect())
    }
}

/// The network with new adapters, which alone of it are trained.
///
/// # Errors
///
/// [`Error::Lora`] if the configuration breaks a rule or names no layer, or the network has no linear layers.
pub(crate) fn with_adapters(
    network: Network,
    shape: &NetworkConfig,
    config: &LoraConfig,
) -> Result<Network, Error> {
    let layers = layers_for(&network, shape, config).map_err(Error::Lora)?;
    let size = |(_, it): (_, Parameter)| (it.id, [it.shape[1], it.shape[0]]);
    let layers = layers.into_iter().map(size).collect();
    Ok(network.no_grad().apply_reparameterization(Attach { config, layers }))
}

/// The weights that get an adapter, with the names of their layers.
fn layers_for(
    network: &Network,
    shape: &NetworkConfig,
    config: &LoraConfig,
) -> Result<Vec<(String, Parameter)>, String> {
    config.check()?;
    if matches!(shape, NetworkConfig::Static(_)) {
        let reason =
            "a StaticEmbedding is a table without linear layers: train it without adapters";
        return Err(reason.to_string());
    }
    let shape = shape.shape();
    let layers = weights::linear_layers(network, shape.names());
    let names: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
    let chosen = config.choose(&names, shape.lora_targets())?;
    let chosen = names.iter().map(|name| chosen.contains(name)).collect::<Vec<_>>();
    let layers = layers.into_iter().zip(chosen);
    Ok(layers.filter_map(|(layer, chosen)| chosen.then_some(layer)).collect())
}
