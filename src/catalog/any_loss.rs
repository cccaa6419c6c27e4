use burn::prelude::*;

use super::{AnyBatch, AnyLoss, BatchKind, Targets};
use crate::decoder::Decoder;
use crate::diagnostics::Diagnostics;
use crate::error::BatchError;
use crate::losses::{Criterion, DenoisingAutoEncoderLoss};
use crate::reduction::Parts;

/// A loss that a training program can use without knowing which one it is.
///
/// Implement it for a loss of your own, and the program takes it in place of [`AnyLoss`]:
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TripletBatch;
/// use burn_embedding_losses::catalog::{BatchKind, Targets, TrainingLoss};
/// use burn_embedding_losses::{Criterion, TripletLoss, TripletLossConfig};
///
/// /// TripletLoss, squared.
/// struct SquaredTripletLoss(TripletLoss);
///
/// impl<B: Into<TripletBatch>> Criterion<B> for SquaredTripletLoss {
///     fn loss(&self, batch: B) -> Tensor<1> {
///         self.0.forward_no_reduction(batch).square().mean()
///     }
/// }
///
/// impl TrainingLoss for SquaredTripletLoss {
///     fn name(&self) -> &str {
///         "SquaredTripletLoss"
///     }
///
///     fn takes(&self) -> BatchKind {
///         BatchKind::Triplets
///     }
/// }
///
/// /// One step of a program that knows only columns and targets.
/// fn step(loss: &impl TrainingLoss, columns: Vec<Tensor<2>>, targets: Targets) -> f32 {
///     let batch = loss.batch(columns, targets).expect("data for this loss");
///     loss.loss(batch).into_scalar()
/// }
///
/// let loss = SquaredTripletLoss(TripletLossConfig::new().init());
/// let row = Tensor::<2>::from_floats([[1.0, 0.0]], &Device::flex());
/// assert_eq!(step(&loss, vec![row.clone(), row.clone(), row], Targets::None), 25.0);
/// ```
pub trait TrainingLoss: Criterion<AnyBatch> {
    /// The name of the loss, for messages.
    fn name(&self) -> &str;

    /// Which batch it takes.
    fn takes(&self) -> BatchKind;

    /// The batch that the loss takes, from one embedding matrix per column of texts and the targets
    /// of the rows.
    ///
    /// # Errors
    ///
    /// If columns or targets do not fit the loss; the message names loss, field, rule and value.
    fn batch(&self, columns: Vec<Tensor<2>>, targets: Targets) -> Result<AnyBatch, BatchError> {
        self.takes().batch(self.name(), columns, targets)
    }

    /// The class that the loss itself predicts for each row, `[n]`; `None` if it has no classifier.
    #[allow(unused_variables)]
    fn classify(&self, columns: &[Tensor<2>]) -> Option<Tensor<1, Int>> {
        None
    }
}

impl TrainingLoss for AnyLoss {
    fn name(&self) -> &str {
        self.entry().name
    }

    fn takes(&self) -> BatchKind {
        self.entry().takes
    }

    fn classify(&self, columns: &[Tensor<2>]) -> Option<Tensor<1, Int>> {
        match (self, columns) {
            (Self::Softmax(loss), [left, right]) => {
                Some(loss.logits(left.clone(), right.clone()).argmax(1).squeeze_dim(1))
            }
            _ => None,
        }
    }
}

impl<D: Decoder> TrainingLoss for DenoisingAutoEncoderLoss<D> {
    fn name(&self) -> &str {
        "DenoisingAutoEncoderLoss"
    }

    fn takes(&self) -> BatchKind {
        BatchKind::DamagedTexts
    }
}

impl AnyLoss {
    /// The loss of the batch, `[1]`.
    ///
    /// # Panics
    ///
    /// If it is not a batch that the loss takes.
    #[track_caller]
    pub fn forward(&self, batch: impl Into<AnyBatch>) -> Tensor<1> {
        self.loss(batch)
    }

    /// The terms of the loss, `[terms]`; `None` for a loss that is one number for the whole batch.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_no_reduction(&self, batch: impl Into<AnyBatch>) -> Option<Tensor<1>> {
        self.unreduced(batch)
    }

    /// The named parts that the loss is the sum of; `None` if it has none.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn parts(&self, batch: impl Into<AnyBatch>) -> Option<Parts> {
        Criterion::parts(self, batch)
    }

    /// Counts what the loss can learn from the batch; `None` if the loss has no diagnosis. Reads from the
    /// device.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn diagnose(&self, batch: impl Into<AnyBatch>) -> Option<Diagnostics> {
        Criterion::diagnose(self, batch)
    }
}
