//! Everything a training program needs: the losses, their configurations and their batches.
//!
//! Made to be used together with `burn::prelude::*` and `burn::nn::loss::*`. Burn has a `Reduction` and
//! an `MseLoss` of its own there, so these two are left out here: write
//! [`burn_embedding_losses::Reduction`](crate::Reduction) and
//! [`burn_embedding_losses::MseLoss`](crate::MseLoss).
//!
//! ```
//! use burn::nn::loss::*;
//! use burn::prelude::*;
//! use burn_embedding_losses::prelude::*;
//!
//! let rows = Tensor::<2>::ones([2, 3], &Device::flex());
//! // Burn's.
//! let error = MseLoss::new().forward(rows.clone(), rows.clone(), Reduction::Mean);
//! // Ours.
//! let loss = TripletLossConfig::new().init().forward((rows.clone(), rows.clone(), rows));
//! assert_eq!((error + loss).into_scalar::<f32>(), 5.0);
//! # // No other name is in two of them: it would be ambiguous.
//! # #[deny(ambiguous_glob_reexports)]
//! # #[allow(unused_imports)]
//! # mod together {
//! #     pub use burn::nn::loss::*;
//! #     pub use burn::prelude::*;
//! #     pub use burn_embedding_losses::prelude::*;
//! # }
//! ```

// A private name hides the one of the glob import below from whoever imports this module.
#[allow(unused_imports, hidden_glob_reexports, reason = "it would be ambiguous beside Burn's")]
use crate::losses::MseLoss;

pub use crate::batch::*;
pub use crate::catalog::{AnyBatch, AnyLoss, BatchKind, LossConfig, Targets, TrainingLoss};
pub use crate::decoder::{Decoder, OutputProjection};
pub use crate::geometry::{Distance, Similarity, TokenSimilarity};
pub use crate::losses::*;
pub use crate::noise::{WordDeletion, WordDeletionConfig};
pub use crate::parallel::{GradCache, Workers};
