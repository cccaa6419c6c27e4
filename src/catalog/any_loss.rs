use burn::prelude::*;

use super::{AnyBatch, AnyLoss, BatchKind, Targets};
use crate::batch::{CsrBatch, LayeredBatch, Reconstruction, ReconstructionBatch, TokenEmbeddings};
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

    /// The batch of a loss of multi-vector models, from the token embeddings of each column of texts and the
    /// targets of the rows.
    ///
    /// # Errors
    ///
    /// As [`batch`](Self::batch).
    fn token_batch(
        &self,
        columns: Vec<TokenEmbeddings>,
        targets: Targets,
    ) -> Result<AnyBatch, BatchError> {
        self.takes().token_batch(self.name(), columns, targets)
    }

    /// Whether it takes the embeddings after each layer of the encoder: the [`layered`](Self::layered) batch.
    fn takes_layers(&self) -> bool {
        false
    }

    /// The batch of a loss that [takes layers](Self::takes_layers), from one embedding matrix per layer and
    /// column of texts, the final layer last, and the targets of the rows.
    ///
    /// # Errors
    ///
    /// If there is no layer, or columns or targets do not fit the loss.
    fn layered(
        &self,
        layers: Vec<Vec<Tensor<2>>>,
        targets: Targets,
    ) -> Result<AnyBatch, BatchError> {
        let batches = layers.into_iter().map(|columns| self.batch(columns, targets.clone()));
        let batches = batches.collect::<Result<_, _>>()?;
        Ok(LayeredBatch::checked(self.name(), batches)?.into())
    }

    /// Whether it takes what a sparse auto-encoder decoded: the [`reconstructed`](Self::reconstructed) batch.
    fn takes_reconstructions(&self) -> bool {
        false
    }

    /// The batch of a loss that [takes reconstructions](Self::takes_reconstructions), from one matrix of latents per
    /// column of texts, the targets of the rows, and the reconstruction of each column. A loss of kind
    /// [`Reconstructions`](BatchKind::Reconstructions) takes no latents.
    ///
    /// # Errors
    ///
    /// If columns, targets or reconstructions do not fit the loss.
    fn reconstructed(
        &self,
        columns: Vec<Tensor<2>>,
        targets: Targets,
        reconstructions: Vec<Reconstruction>,
    ) -> Result<AnyBatch, BatchError> {
        let reconstructions = ReconstructionBatch::checked(self.name(), reconstructions)?;
        if self.takes() == BatchKind::Reconstructions && columns.is_empty() {
            return Ok(reconstructions.into());
        }
        let latents = self.batch(columns, targets)?;
        CsrBatch::checked(self.name(), latents, reconstructions).map(Into::into)
    }

    /// The numbers of dimensions for which the loss makes shortened embeddings useful, the largest first;
    /// none if it does not.
    fn truncated_dims(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Makes random choices of the loss follow from `seed`: a program that calls it before each step can go on
    /// with a run and make the same choices.
    #[allow(unused_variables)]
    fn restart_draws(&self, seed: u64) {}

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
        self.inner().map_or(self.entry().takes, Self::takes)
    }

    fn truncated_dims(&self) -> Vec<usize> {
        match self {
            Self::Matryoshka(loss) => loss.dims(),
            Self::Matryoshka2d(loss) => loss.loss.dims(),
            _ => self.inner().map_or_else(Vec::new, Self::truncated_dims),
        }
    }

    fn takes_layers(&self) -> bool {
        match self {
            Self::AdaptiveLayer(_) | Self::Matryoshka2d(_) => true,
            _ => self.inner().is_some_and(Self::takes_layers),
        }
    }

    fn takes_reconstructions(&self) -> bool {
        matches!(self, Self::Csr(_) | Self::CsrReconstruction(_))
    }

    fn restart_draws(&self, seed: u64) {
        match self {
            Self::AdaptiveLayer(loss) => loss.restart_draws(seed),
            Self::Matryoshka2d(loss) => {
                loss.restart_draws(seed);
                loss.loss.restart_draws(seed);
            }
            Self::Matryoshka(loss) => loss.restart_draws(seed),
            _ => {}
        }
        if let Some(inner) = self.inner() {
            inner.restart_draws(seed);
        }
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
    /// The loss inside, if this is a wrapper.
    pub fn inner(&self) -> Option<&Self> {
        match self {
            Self::AdaptiveLayer(around) => Some(around.loss.get()),
            Self::Csr(around) => Some(around.loss.get()),
            Self::Matryoshka2d(around) => Some(around.loss.loss.get()),
            Self::Matryoshka(around) => Some(around.loss.get()),
            Self::Splade(around) => Some(around.loss.get()),
            _ => None,
        }
    }

    /// Makes a wrapper take these layers and dimensions in its next call, those of the final layer first, in
    /// place of drawn ones: to repeat a run of another program.
    ///
    /// # Panics
    ///
    /// If a dimension is not among those of the loss.
    #[track_caller]
    pub fn take_next(&self, layers: Option<&[usize]>, dims: &[Vec<usize>]) {
        let of_dims = match self {
            Self::AdaptiveLayer(loss) => {
                layers.into_iter().for_each(|layers| loss.take_next(layers.to_vec()));
                return loss.loss.get().take_next(None, dims);
            }
            Self::Matryoshka2d(loss) => {
                layers.into_iter().for_each(|layers| loss.take_next(layers.to_vec()));
                &loss.loss
            }
            Self::Matryoshka(loss) => loss,
            _ => {
                self.inner().into_iter().for_each(|inner| inner.take_next(layers, dims));
                return;
            }
        };
        dims.iter().for_each(|dims| of_dims.take_next(dims));
    }

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
