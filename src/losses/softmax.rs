use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use super::{BatchLoss, config, forward};
use crate::batch::{ClassTargets, ClassifiedPairBatch};
use crate::error::{ConfigError, expect_valid};
use crate::geometry::PairFeatures;
use crate::kernels::project_pairs;
use crate::objective::classification::cross_entropy;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`SoftmaxLoss`].
    pub struct SoftmaxLossConfig(
        /// Dimension of the embeddings; at least 1.
        pub embedding_dimension: usize,
        /// Number of classes; at least 1.
        pub num_labels: usize,
    ) {
        /// Whether the classifier sees the two embeddings.
        pub concatenation_sent_rep: bool = true, set by with_concatenation_sent_rep;
        /// Whether the classifier sees the absolute value of their difference.
        pub concatenation_sent_difference: bool = true, set by with_concatenation_sent_difference;
        /// Whether the classifier sees their product, coordinate by coordinate.
        pub concatenation_sent_multiplication: bool = false, set by with_concatenation_sent_multiplication;
        /// Share of each target that is spread evenly over all classes, in `[0, 1)`.
        pub label_smoothing: f64 = 0.0, set by with_label_smoothing;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl SoftmaxLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If there is no class, no dimension or nothing for the classifier to see, or the smoothing is
    /// outside `[0, 1)`, or the classifier would have more than 2²⁸ weights.
    pub fn check(&self) -> Result<(), ConfigError> {
        const NAME: &str = "SoftmaxLoss";
        for (field, size) in
            [("embedding_dimension", self.embedding_dimension), ("num_labels", self.num_labels)]
        {
            ConfigError::unless(size > 0, NAME, field, "must be at least 1", size)?;
            ConfigError::unless_layer_fits(NAME, field, 1, size)?;
        }
        let smoothing = self.label_smoothing;
        let in_range = (0.0..1.0).contains(&smoothing);
        ConfigError::unless(in_range, NAME, "label_smoothing", "must be in [0, 1)", smoothing)?;
        ConfigError::unless(
            self.features().parts() > 0,
            NAME,
            "concatenation_sent_rep",
            "or another concatenation must be true",
            self.concatenation_sent_rep,
        )?;
        let inputs = self.features().parts() * self.embedding_dimension;
        ConfigError::unless_layer_fits(NAME, "num_labels", inputs, self.num_labels)
    }

    /// The parts that the classifier sees.
    fn features(&self) -> PairFeatures {
        PairFeatures {
            rows: self.concatenation_sent_rep,
            difference: self.concatenation_sent_difference,
            product: self.concatenation_sent_multiplication,
        }
    }

    /// Builds the loss, with its classifier on `device`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> SoftmaxLoss {
        expect_valid(self.check());
        let features = self.features().parts() * self.embedding_dimension;
        SoftmaxLoss {
            classifier: LinearConfig::new(features, self.num_labels).init(device),
            config: self.clone(),
        }
    }
}

/// Classifies pairs by a linear layer on their embeddings, as for natural language inference.
///
/// ```text
/// z = W [u, v, |u − v|, u ∘ v] + b          ℓᵢ = ln Σ_c exp(z_c) − z_{yᵢ}          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// The three `concatenation` options say which parts the classifier sees. The classifier belongs to
/// the loss: its parameters must be given to the optimizer together with the encoder's, and
/// [`logits`](Self::logits) predicts with it. Targets are class indices, `[n]`, or probabilities,
/// `[n, classes]`.
///
/// # Terms
///
/// One per pair, `[n]`. A pair with the label −100 is 0 and does not count. A label that is no class gives
/// NaN, and a panic in a debug build.
///
/// # Differences
///
/// From sentence-transformers: a batch in which every label is −100 has loss 0 (there: NaN).
/// Instead of a `loss_fct` of your own there is `label_smoothing`.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::SoftmaxLossConfig;
///
/// let device = Device::flex();
/// let loss = SoftmaxLossConfig::new(2, 3).init(&device);
/// let left = Tensor::<2>::from_floats([[1.0, 0.0], [0.5, 0.5]], &device);
/// let right = Tensor::<2>::from_floats([[0.0, 1.0], [0.5, 0.5]], &device);
/// let classes = Tensor::<1, Int>::from_ints([2, 0], &device);
///
/// assert_eq!(loss.logits(left.clone(), right.clone()).dims(), [2, 3]);
/// assert!(loss.forward((left, right, classes)).into_scalar::<f32>() > 0.0);
/// ```
///
/// # References
///
/// - N. Reimers, I. Gurevych: Sentence-BERT, 2019, <https://arxiv.org/abs/1908.10084>
#[derive(Module, Debug)]
pub struct SoftmaxLoss {
    /// The trainable classifier, from the concatenated parts to the classes.
    pub classifier: Linear,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: SoftmaxLossConfig,
}

impl BatchLoss<ClassifiedPairBatch> for SoftmaxLoss {
    #[track_caller]
    fn terms(&self, ClassifiedPairBatch { left, right, targets }: ClassifiedPairBatch) -> Terms {
        let logits = self.logits(left, right);
        self.require_classes(&targets, logits.dims()[1]);
        // ln Σ exp(z) − z_y
        cross_entropy(logits, targets, self.config.label_smoothing)
    }
}

impl SoftmaxLoss {
    /// The scores of the classes before the softmax.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim] → [n, classes]`
    ///
    /// # Panics
    ///
    /// If the two shapes differ or `dim` is not `embedding_dimension`.
    #[track_caller]
    pub fn logits(&self, left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
        let expected = [left.dims()[0], self.config.embedding_dimension];
        for (field, got) in [("left", left.dims()), ("right", right.dims())] {
            assert!(
                got == expected,
                "SoftmaxLoss: `{field}` must have shape {expected:?}, got {got:?}"
            );
        }
        // W [u, v, |u − v|, u ∘ v] + b
        project_pairs(&self.classifier, left, right, self.config.features())
    }

    #[track_caller]
    fn require_classes(&self, targets: &ClassTargets, classes: usize) {
        if let ClassTargets::Probabilities(p) = targets {
            let got = p.dims()[1];
            assert!(
                got == classes,
                "SoftmaxLoss: `targets` must give {classes} probabilities a row, got {got}"
            );
        }
        targets.require_below("ClassifiedPairBatch", classes);
    }
}

forward!(SoftmaxLoss, ClassifiedPairBatch, "The loss of every pair, `[n]`.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "SoftmaxLoss: `concatenation_sent_rep` or another concatenation")]
    fn the_classifier_must_see_something() {
        SoftmaxLossConfig::new(2, 2)
            .with_concatenation_sent_rep(false)
            .with_concatenation_sent_difference(false)
            .init(&Device::flex());
    }

    #[test]
    fn a_batch_of_ignored_labels_costs_nothing() {
        let device = Device::flex();
        let rows = Tensor::<2>::ones([2, 3], &device);
        let ignored = Tensor::<1, Int>::from_ints([-100, -100], &device);
        let loss =
            SoftmaxLossConfig::new(3, 2).init(&device).forward((rows.clone(), rows, ignored));
        assert_eq!(loss.into_scalar::<f32>(), 0.0);
    }
}
