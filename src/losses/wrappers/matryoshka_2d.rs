use super::adaptive_layer::{AdaptiveLayerLoss, AdaptiveLayerLossConfig, LayerWeighting};
use super::matryoshka::{MatryoshkaLoss, MatryoshkaLossConfig};
use crate::error::ConfigError;
use crate::losses::config;

/// Any loss, for embeddings that stay useful when they are cut short and when the last layers of the encoder
/// are left out: a [`MatryoshkaLoss`] inside of an [`AdaptiveLayerLoss`].
///
/// The divergence of layers compares whole embeddings. Its batch is a
/// [`LayeredBatch`](crate::batch::LayeredBatch).
pub type Matryoshka2dLoss<L> = AdaptiveLayerLoss<MatryoshkaLoss<L>>;

config! {
    /// Configuration of [`Matryoshka2dLoss`], with the defaults of sentence-transformers.
    pub struct Matryoshka2dLossConfig(
        /// See [`MatryoshkaLossConfig::dims`].
        #[serde(alias = "matryoshka_dims")]
        pub dims: Vec<usize>,
    ) {
        /// See [`MatryoshkaLossConfig::weights`].
        #[serde(alias = "matryoshka_weights")]
        pub weights: Option<Vec<f64>> = None, set by with_weights;
        /// See [`MatryoshkaLossConfig::dims_per_step`].
        pub dims_per_step: Option<usize> = Some(1), set by with_dims_per_step;
        /// See [`AdaptiveLayerLossConfig::layers_per_step`].
        pub layers_per_step: Option<usize> = Some(1), set by with_layers_per_step;
        /// See [`AdaptiveLayerLossConfig::last_layer_weight`].
        pub last_layer_weight: f64 = 1.0, set by with_last_layer_weight;
        /// See [`AdaptiveLayerLossConfig::prior_layers_weight`].
        pub prior_layers_weight: f64 = 1.0, set by with_prior_layers_weight;
        /// See [`AdaptiveLayerLossConfig::kl_div_weight`].
        pub kl_div_weight: f64 = 1.0, set by with_kl_div_weight;
        /// See [`AdaptiveLayerLossConfig::kl_temperature`].
        pub kl_temperature: f64 = 0.3, set by with_kl_temperature;
        /// See [`AdaptiveLayerLossConfig::layer_weighting`].
        pub layer_weighting: LayerWeighting = LayerWeighting::Uniform, set by with_layer_weighting;
        /// The seed that dimensions and layers are drawn with.
        pub seed: u64 = 0, set by with_seed;
    }
}

impl Matryoshka2dLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// As [`MatryoshkaLossConfig::check`] and [`AdaptiveLayerLossConfig::check`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.dims().check()?;
        self.layers().check()
    }

    /// Puts the loss around `loss`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<L>(&self, loss: L) -> Matryoshka2dLoss<L> {
        self.layers().init(self.dims().init(loss))
    }

    fn dims(&self) -> MatryoshkaLossConfig {
        MatryoshkaLossConfig::new(self.dims.clone())
            .with_weights(self.weights.clone())
            .with_dims_per_step(self.dims_per_step)
            .with_seed(self.seed)
    }

    fn layers(&self) -> AdaptiveLayerLossConfig {
        AdaptiveLayerLossConfig::new()
            .with_layers_per_step(self.layers_per_step)
            .with_last_layer_weight(self.last_layer_weight)
            .with_prior_layers_weight(self.prior_layers_weight)
            .with_kl_div_weight(self.kl_div_weight)
            .with_kl_temperature(self.kl_temperature)
            .with_layer_weighting(self.layer_weighting)
            .with_seed(self.seed)
    }
}
