use burn::prelude::*;
use burn::tensor::activation::{log_softmax, softmax};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use crate::batch::{Batch, LayeredBatch, trained};
use crate::diagnostics::Diagnostics;
use crate::error::{ConfigError, expect_valid};
use crate::losses::{Criterion, config};

const NAME: &str = "AdaptiveLayerLoss";

/// The weight of a layer before the final one by its number `l`, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LayerWeighting {
    /// 1.
    #[serde(alias = "uniform")]
    Uniform,
    /// `1 / (1 + ln(1 + l))`.
    #[serde(alias = "log")]
    Logarithmic,
    /// `1 / (1 + l)`.
    #[serde(alias = "linear")]
    Linear,
}

impl LayerWeighting {
    fn weight(self, layer: usize) -> f64 {
        let layer = layer as f64;
        match self {
            Self::Uniform => 1.0,
            Self::Logarithmic => 1.0 / (1.0 + layer.ln_1p()),
            Self::Linear => 1.0 / (1.0 + layer),
        }
    }
}

config! {
    /// Configuration of [`AdaptiveLayerLoss`].
    pub struct AdaptiveLayerLossConfig {
        /// The number of layers before the final one that are drawn in each step, at least 1; all if `None`.
        /// `n_layers_per_step` of sentence-transformers, where -1 is all.
        pub layers_per_step: Option<usize> = Some(1), set by with_layers_per_step;
        /// The weight of the loss at the final layer, finite.
        pub last_layer_weight: f64 = 1.0, set by with_last_layer_weight;
        /// The weight of the mean loss at the layers before, finite.
        pub prior_layers_weight: f64 = 1.0, set by with_prior_layers_weight;
        /// The weight of the divergence of each layer from the final one, finite.
        pub kl_div_weight: f64 = 1.0, set by with_kl_div_weight;
        /// The temperature of the divergence, finite; without a divergence if it is not positive.
        pub kl_temperature: f64 = 0.3, set by with_kl_temperature;
        /// Which of the layers before count more.
        pub layer_weighting: LayerWeighting = LayerWeighting::Uniform, set by with_layer_weighting;
        /// The seed that `layers_per_step` are drawn with.
        pub seed: u64 = 0, set by with_seed;
    }
}

impl AdaptiveLayerLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `layers_per_step` is 0, a weight or the temperature is not finite, or the temperature is above 0 and its
    /// inverse is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let some = self.layers_per_step != Some(0);
        ConfigError::unless(some, NAME, "layers_per_step", "must be at least 1", 0)?;
        let t = self.kl_temperature;
        let inverse = t <= 0.0 || (1.0 / t).is_finite();
        ConfigError::unless(inverse, NAME, "kl_temperature", "must have a finite inverse", t)?;
        [
            ("last_layer_weight", self.last_layer_weight),
            ("prior_layers_weight", self.prior_layers_weight),
            ("kl_div_weight", self.kl_div_weight),
            ("kl_temperature", self.kl_temperature),
        ]
        .into_iter()
        .try_for_each(|(field, value)| ConfigError::unless_finite(NAME, field, value))
    }

    /// Puts the loss around `loss`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<L>(&self, loss: L) -> AdaptiveLayerLoss<L> {
        expect_valid(self.check());
        AdaptiveLayerLoss { loss, draws: Draws::new(self.seed), config: self.clone() }
    }
}

/// Any loss, of the embeddings after the final layer of an encoder and after earlier ones: encoders that stay
/// useful without their last layers.
///
/// ```text
/// L = w ℓ(E_L) + Σ_l (w' ω(l) / |Λ|) ℓ(E_l) + w'' T D(E_L ‖ E_l)          l ∈ Λ
///
/// D(P ‖ Q) = 1/n Σᵢ Σⱼ pᵢⱼ (ln pᵢⱼ − ln qᵢⱼ)          p = softmax(P / T), q = softmax(Q / T)
/// ```
///
/// `ℓ` is the loss inside, `E_l` the embeddings after layer `l`, counted from 0, and `E_L` those after the final
/// one, as a [`LayeredBatch`]; `Λ` are `layers_per_step` of the earlier layers, drawn with the seed. `D` compares
/// the coordinates of all `n` embeddings of the batch; no gradient goes through `P`. The weights are
/// `last_layer_weight`, `prior_layers_weight` with `ω` the `layer_weighting`, and `kl_div_weight`; `T` is
/// `kl_temperature`.
///
/// The loss inside is any [`Criterion`]. With a [`MatryoshkaLoss`](crate::MatryoshkaLoss) inside, it is
/// `Matryoshka2dLoss` of sentence-transformers. Put a [`GradCache`](crate::GradCache) around the whole loss.
///
/// # Terms
///
/// None: it is one number for the whole batch.
///
/// # Differences
///
/// From sentence-transformers: it wraps any loss, also one of a batch in parts (there, cached losses fail).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::{LayeredBatch, TripletBatch};
/// use burn_embedding_losses::{AdaptiveLayerLossConfig, TripletLossConfig};
///
/// let row = |x: f32| Tensor::<2>::from_floats([[x, 0.0]], &Device::flex());
/// let first = TripletBatch::new(row(0.0), row(1.0), row(2.0));
/// let last = TripletBatch::new(row(0.0), row(1.0), row(5.0));
///
/// // Triplet losses 1 − 2 + 5 at the first layer and 1 − 5 + 5 at the last, without the divergence.
/// let loss = AdaptiveLayerLossConfig::new().with_kl_div_weight(0.0);
/// let loss = loss.init(TripletLossConfig::new().init());
/// let value = loss.forward(LayeredBatch::new(vec![first, last])).into_scalar::<f32>();
/// assert!((value - 5.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - X. Li, Z. Li, J. Li, H. Xie, Q. Li: 2D Matryoshka Sentence Embeddings, 2024,
///   <https://arxiv.org/abs/2402.14776>
#[derive(Module, Debug)]
pub struct AdaptiveLayerLoss<L> {
    /// The loss inside.
    pub loss: L,
    #[module(skip)]
    draws: Draws,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: AdaptiveLayerLossConfig,
}

impl<L> AdaptiveLayerLoss<L> {
    /// The loss of the batch, `[1]`.
    ///
    /// # Panics
    ///
    /// If there is no layer before the final one, or the loss inside does not take the batch.
    #[track_caller]
    pub fn forward<B: Batch>(&self, batch: LayeredBatch<B>) -> Tensor<1>
    where
        L: Criterion<B>,
    {
        let mut layers = batch.into_layers();
        let last = layers.pop().expect("a batch has at least one layer");
        let count = layers.len();
        assert!(
            count > 0,
            "{NAME}: `layers` must hold a layer before the final one, got the final one only"
        );
        let config = &self.config;
        let teacher = Tensor::cat(trained(&last), 0).inner();
        let mut sum = self.loss.loss(last) * config.last_layer_weight;
        let drawn = self.draws.places(count, config.layers_per_step);
        let share = config.prior_layers_weight / drawn.len() as f64;
        for layer in drawn {
            let batch = layers[layer].clone();
            let divergence = self.divergence(&teacher, &batch);
            let weight = share * config.layer_weighting.weight(layer);
            sum = sum + self.loss.loss(batch) * weight;
            if let Some(divergence) = divergence {
                sum = sum.clone() + divergence.cast(sum.dtype());
            }
        }
        sum
    }

    /// `w'' T D(E_L ‖ E_l)`, if it counts.
    fn divergence<B: Batch>(&self, teacher: &Tensor<2>, batch: &B) -> Option<Tensor<1>> {
        let (weight, t) = (self.config.kl_div_weight, self.config.kl_temperature);
        if weight == 0.0 || t <= 0.0 {
            return None;
        }
        // Burn 0.22.1 derives a division by a number in `f32`.
        let teacher = teacher.clone().mul_scalar(1.0 / t);
        let student = log_softmax(Tensor::cat(trained(batch), 0).mul_scalar(1.0 / t), 1);
        let factor = weight * t / student.dims()[0] as f64;
        let gap = log_softmax(teacher.clone(), 1) - student;
        Some((softmax(teacher, 1) * gap).sum().mul_scalar(factor))
    }

    /// Draws layers from now on as a loss with this seed does.
    pub fn restart_draws(&self, seed: u64) {
        self.draws.restart(seed);
    }

    /// Takes these layers before the final one, counted from 0, in the next call whose layers are not yet
    /// given, in place of drawn ones: to repeat a run of another program.
    pub fn take_next(&self, layers: Vec<usize>) {
        self.draws.give(layers);
    }
}

impl<B: Batch, L: Criterion<B>> Criterion<LayeredBatch<B>> for AdaptiveLayerLoss<L> {
    #[track_caller]
    fn loss(&self, batch: LayeredBatch<B>) -> Tensor<1> {
        self.forward(batch)
    }

    /// The diagnosis of the loss inside at the final layer.
    #[track_caller]
    fn diagnose(&self, batch: LayeredBatch<B>) -> Option<Diagnostics> {
        self.loss.diagnose(batch.into_layers().pop().expect("a batch has at least one layer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TripletBatch;
    use crate::losses::TripletLossConfig;

    fn triplet(far: f32) -> TripletBatch {
        let row = |x: f32| Tensor::<2>::from_floats([[x, 1.0]], &Device::flex());
        TripletBatch::new(row(0.0), row(1.0), row(far))
    }

    fn value(config: &AdaptiveLayerLossConfig, layers: Vec<TripletBatch>) -> f32 {
        let loss = config.init(TripletLossConfig::new().init());
        loss.forward(LayeredBatch::new(layers)).into_scalar()
    }

    #[test]
    fn bad_options_are_named() {
        let config = AdaptiveLayerLossConfig::new;
        for (config, expected) in [
            (config().with_layers_per_step(Some(0)), "`layers_per_step` must be at least 1, got 0"),
            (config().with_kl_div_weight(f64::NAN), "`kl_div_weight` must be finite, got NaN"),
            (config().with_kl_temperature(1e-310), "`kl_temperature` must have a finite inverse"),
        ] {
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("AdaptiveLayerLoss: {expected}")), "{error}");
        }
    }

    #[test]
    #[should_panic(expected = "AdaptiveLayerLoss: `layers` must hold a layer before the final one")]
    fn there_is_an_earlier_layer() {
        value(&AdaptiveLayerLossConfig::new(), vec![triplet(2.0)]);
    }

    #[test]
    fn an_equal_layer_has_no_divergence_and_layers_are_weighed() {
        let config = AdaptiveLayerLossConfig::new().with_layers_per_step(None);
        // 1 − 2 + 5 at each of three layers.
        assert!((value(&config, vec![triplet(2.0); 3]) - 8.0).abs() < 1e-5);
        let config = config.with_kl_div_weight(0.0).with_layer_weighting(LayerWeighting::Linear);
        // 4 at the last; 3 and 2, weighed 1 and ½, in the mean.
        let layers = vec![triplet(3.0), triplet(4.0), triplet(2.0)];
        assert!((value(&config, layers) - (4.0 + (3.0 + 2.0 / 2.0) / 2.0)).abs() < 1e-5);
    }
}
