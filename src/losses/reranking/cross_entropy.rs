use burn::prelude::*;

use super::Activation;
use crate::batch::ClassLogitBatch;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::classification::weighted_cross_entropy;
use crate::reduction::{Reduction, Terms};

const NAME: &str = "CrossEntropyLoss";

config! {
    /// Configuration of [`CrossEntropyLoss`].
    pub struct CrossEntropyLossConfig {
        /// Function of the logits before the loss, which takes the softmax itself.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// A weight for each class; not negative. A mean divides by the weights of the pairs' classes.
        #[serde(alias = "weight")]
        pub class_weights: Option<Vec<f64>> = None, set by with_class_weights;
        /// The share of a target that is spread over all classes; in `[0, 1)`.
        pub label_smoothing: f64 = 0.0, set by with_label_smoothing;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl CrossEntropyLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `label_smoothing` is outside `[0, 1)`, or a class weight is negative or not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let smoothing = self.label_smoothing;
        let in_range = (0.0..1.0).contains(&smoothing);
        ConfigError::unless(in_range, NAME, "label_smoothing", "must be in [0, 1)", smoothing)?;
        self.class_weights.iter().flatten().try_for_each(|&weight| {
            let fits = weight >= 0.0 && weight.is_finite();
            ConfigError::unless(fits, NAME, "class_weights", "must not be negative", weight)
        })
    }
}

/// Classifies pairs, for instance as entailment, contradiction or neither.
///
/// ```text
/// ℓᵢ = w_{yᵢ} (ln Σ_c exp(zᵢ_c) − zᵢ_{yᵢ})          L = Σᵢ ℓᵢ / Σᵢ w_{yᵢ}
/// ```
///
/// `w` are the class weights, 1 by default. Targets are class indices, `[n]`, or probabilities,
/// `[n, classes]`; with probabilities a mean divides by `n`.
///
/// # Terms
///
/// One per pair, `[n]`. A pair with the label −100 is 0 and does not count. A label that is no class gives
/// NaN, and a panic in a debug build.
///
/// # Differences
///
/// From sentence-transformers: probabilities work in lists as well (there, the lists that its data
/// collator makes crash); a batch in which every label is −100 has loss 0 (there: NaN).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::reranking::CrossEntropyLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.0, 0.0], [0.0, 50.0]], &device);
/// let classes = Tensor::<1, Int>::from_ints([0, 1], &device);
///
/// let loss = CrossEntropyLossConfig::new().init().forward((logits, classes));
/// assert!((loss.into_scalar::<f32>() - 2f32.ln() / 2.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - C. Szegedy et al.: Rethinking the Inception Architecture for Computer Vision, 2015,
///   <https://arxiv.org/abs/1512.00567> (label smoothing)
#[derive(Module, Debug)]
pub struct CrossEntropyLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: CrossEntropyLossConfig,
}

impl BatchLoss<ClassLogitBatch> for CrossEntropyLoss {
    #[track_caller]
    fn terms(&self, ClassLogitBatch { logits, targets }: ClassLogitBatch) -> Terms {
        let classes = logits.dims()[1];
        targets.require_below("ClassLogitBatch", classes);
        let weights = self.config.class_weights.as_deref();
        if let Some(weights) = weights {
            let got = weights.len();
            assert!(got == classes, "{NAME}: `class_weights` must be {classes}, got {got}");
        }
        // w_y (ln Σ exp(z) − z_y)
        let logits = self.config.activation.apply(logits);
        weighted_cross_entropy(logits, targets, self.config.label_smoothing, weights)
    }
}

init!(CrossEntropyLossConfig => CrossEntropyLoss);
forward!(CrossEntropyLoss, ClassLogitBatch, "The loss of every pair, `[n]`.");
