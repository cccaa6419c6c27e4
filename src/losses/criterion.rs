//! The traits and macros that all losses share.

use burn::prelude::*;

use crate::diagnostics::{Diagnostics, Surveyed};
use crate::reduction::{Parts, Reduced, Reduction, Terms};

/// A loss of one kind of batch: the trait for code that works with any loss, and for losses of your
/// own.
///
/// Every loss of this crate is a criterion for its batch and for everything that converts into it:
/// a tuple of tensors, or an [`AnyBatch`](crate::catalog::AnyBatch).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TripletBatch;
/// use burn_embedding_losses::{Criterion, Distance, TripletLoss, TripletLossConfig};
///
/// /// Triplets by angle and by length, added.
/// struct BothDistances {
///     cosine: TripletLoss,
///     euclidean: TripletLoss,
/// }
///
/// impl<B: Into<TripletBatch>> Criterion<B> for BothDistances {
///     fn loss(&self, batch: B) -> Tensor<1> {
///         let batch = batch.into();
///         self.cosine.forward(batch.clone()) + self.euclidean.forward(batch)
///     }
/// }
///
/// /// Works with any loss of triplets.
/// fn evaluate(criterion: &impl Criterion<TripletBatch>, batch: TripletBatch) -> f32 {
///     criterion.loss(batch).into_scalar()
/// }
///
/// let config = TripletLossConfig::new();
/// let both = BothDistances {
///     cosine: config.clone().with_distance(Distance::Cosine).with_margin(0.5).init(),
///     euclidean: config.clone().init(),
/// };
/// let row = Tensor::<2>::from_floats([[1.0, 0.0]], &Device::flex());
/// let batch = TripletBatch::new(row.clone(), row.clone(), row);
/// assert_eq!(evaluate(&config.init(), batch.clone()), 5.0);
/// assert_eq!(evaluate(&both, batch), 5.5);
/// ```
pub trait Criterion<Batch> {
    /// The loss of the batch, `[1]`.
    fn loss(&self, batch: Batch) -> Tensor<1>;

    /// The terms of the loss before they become one number, `[terms]`; `None` if it is a single
    /// number for the whole batch.
    #[allow(unused_variables)]
    fn unreduced(&self, batch: Batch) -> Option<Tensor<1>> {
        None
    }

    /// The named parts that the loss is the sum of, for logs and dashboards; `None` if it has none.
    #[allow(unused_variables)]
    fn parts(&self, batch: Batch) -> Option<Parts> {
        None
    }

    /// Counts what the loss can learn from the batch, for a log; `None` if the loss has no diagnosis. Reads
    /// from the device.
    #[allow(unused_variables)]
    fn diagnose(&self, batch: Batch) -> Option<Diagnostics> {
        None
    }
}

/// A loss with a term per row or pair, as its file implements it; [`forward!`] makes the public functions.
pub(crate) trait BatchLoss<Batch: Surveyed> {
    /// One value per term.
    #[track_caller]
    fn terms(&self, batch: Batch) -> Terms;

    /// The terms as one number; for losses that can compute it with less memory than their terms.
    #[track_caller]
    fn reduced(&self, batch: Batch, reduction: Reduction) -> Reduced {
        self.terms(batch).reduce(reduction)
    }

    /// Counts what the loss can learn from the batch.
    #[track_caller]
    fn diagnosis(&self, batch: Batch) -> Diagnostics {
        let batch = batch.without_graph();
        let terms = self.terms(batch.clone()).into_values();
        Diagnostics::of(&batch, terms)
    }
}

/// A loss that is one number for the whole batch, as its file implements it; [`forward!`] makes the public
/// functions.
pub(crate) trait WholeBatchLoss<Batch: Surveyed> {
    /// The loss of the batch.
    #[track_caller]
    fn reduced(&self, batch: Batch) -> Reduced;

    /// Counts what the loss can learn from the batch; its value counts as one term.
    #[track_caller]
    fn diagnosis(&self, batch: Batch) -> Diagnostics {
        let batch = batch.without_graph();
        let value = self.reduced(batch.clone()).into_value();
        Diagnostics::of(&batch, value)
    }
}

/// A loss that is the sum of named parts, as its file implements it; [`forward!`] makes the public functions.
pub(crate) trait PartsLoss<Batch: Surveyed> {
    /// The parts.
    #[track_caller]
    fn named(&self, batch: Batch) -> Parts;

    /// The loss of the batch.
    #[track_caller]
    fn reduced(&self, batch: Batch) -> Reduced {
        self.named(batch).total()
    }

    /// Counts what the loss can learn from the batch; each part counts as one term.
    #[track_caller]
    fn diagnosis(&self, batch: Batch) -> Diagnostics {
        let batch = batch.without_graph();
        let parts = self.named(batch.clone());
        let values = parts.iter().map(|(_, value)| value.clone()).collect();
        Diagnostics::of(&batch, Tensor::cat(values, 0))
    }
}

/// Gives a configuration its `init`, from its `check`.
macro_rules! init {
    ($config:ident => $loss:ident) => {
        impl $config {
            /// Builds the loss.
            ///
            /// # Panics
            ///
            /// If [`check`](Self::check) finds an error.
            #[track_caller]
            pub fn init(&self) -> $loss {
                $crate::error::expect_valid(self.check());
                $loss { config: self.clone() }
            }
        }
    };
}
pub(crate) use init;

/// Gives a loss its public functions and its [`Criterion`], from its [`BatchLoss`] or, without a
/// description of its terms, from its [`WholeBatchLoss`], or with `parts` from its [`PartsLoss`].
macro_rules! forward {
    ($loss:ident, $batch:ident) => {
        $crate::losses::forward!(@functions $loss, $batch, |loss, batch| loss.reduced(batch));

        impl<B: Into<$batch>> $crate::losses::Criterion<B> for $loss {
            #[track_caller]
            fn loss(&self, batch: B) -> ::burn::prelude::Tensor<1> {
                self.forward(batch)
            }

            #[track_caller]
            fn diagnose(&self, batch: B) -> Option<$crate::diagnostics::Diagnostics> {
                Some(self.diagnosis(batch.into()))
            }
        }
    };
    ($loss:ident, $batch:ident, parts) => {
        $crate::losses::forward!(@functions $loss, $batch, |loss, batch| loss.reduced(batch));

        impl $loss {
            /// The named parts that the loss is the sum of, `[1]` each.
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward).
            #[track_caller]
            pub fn parts(&self, batch: impl Into<$batch>) -> $crate::reduction::Parts {
                self.named(batch.into())
            }
        }

        impl<B: Into<$batch>> $crate::losses::Criterion<B> for $loss {
            #[track_caller]
            fn loss(&self, batch: B) -> ::burn::prelude::Tensor<1> {
                self.forward(batch)
            }

            #[track_caller]
            fn parts(&self, batch: B) -> Option<$crate::reduction::Parts> {
                Some(self.named(batch.into()))
            }

            #[track_caller]
            fn diagnose(&self, batch: B) -> Option<$crate::diagnostics::Diagnostics> {
                Some(self.diagnosis(batch.into()))
            }
        }
    };
    (@functions $loss:ident, $batch:ident, |$self:ident, $b:ident| $reduced:expr) => {
        impl $loss {
            /// The loss of the batch, `[1]`.
            ///
            /// # Panics
            ///
            /// If the parts of the batch do not fit together; see the batch's `new`.
            #[track_caller]
            pub fn forward(&self, batch: impl Into<$batch>) -> ::burn::prelude::Tensor<1> {
                let ($self, $b) = (self, batch.into());
                $reduced.into_value()
            }

            /// Counts what the loss can learn from the batch. Reads from the device.
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward).
            #[track_caller]
            pub fn diagnose(&self, batch: impl Into<$batch>) -> $crate::diagnostics::Diagnostics {
                self.diagnosis(batch.into())
            }
        }
    };
    ($loss:ident, $batch:ident, $terms:literal) => {
        $crate::losses::forward!(@functions $loss, $batch, |loss, batch| {
            loss.reduced(batch, loss.config.reduction)
        });

        impl $loss {
            #[doc = $terms]
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward).
            #[track_caller]
            pub fn forward_no_reduction(
                &self,
                batch: impl Into<$batch>,
            ) -> ::burn::prelude::Tensor<1> {
                self.terms(batch.into()).into_values()
            }
        }

        impl<B: Into<$batch>> $crate::losses::Criterion<B> for $loss {
            #[track_caller]
            fn loss(&self, batch: B) -> ::burn::prelude::Tensor<1> {
                self.forward(batch)
            }

            #[track_caller]
            fn unreduced(&self, batch: B) -> Option<::burn::prelude::Tensor<1>> {
                Some(self.forward_no_reduction(batch))
            }

            #[track_caller]
            fn diagnose(&self, batch: B) -> Option<$crate::diagnostics::Diagnostics> {
                Some(self.diagnosis(batch.into()))
            }
        }
    };
}
pub(crate) use forward;
