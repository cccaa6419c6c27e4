//! The rows that are compared with each other: label masks, and the hardest, semi-hard or closest rows.
//!
//! A selection is a mask or one index per row, never a list whose length depends on the data, and
//! carries no gradient. To train on the chosen rows, score them again with
//! [`Distance::paired`](crate::Distance::paired).
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::Distance;
//! use burn_embedding_losses::select::{LabelMasks, hardest_positives};
//!
//! let device = Device::flex();
//! let rows = Tensor::<2>::from_floats([[0.0], [1.0], [5.0], [7.0]], &device);
//! let labels = Tensor::<1, Int>::from_ints([0, 0, 0, 1], &device);
//!
//! let distances = Distance::Euclidean.pairwise(rows.clone(), rows.clone());
//! let farthest = hardest_positives(distances, &LabelMasks::new(labels));
//! assert_eq!(farthest.index().into_data().iter::<i64>().collect::<Vec<_>>()[..3], [2, 2, 0]);
//! // The last row is alone in its class.
//! let exists: Vec<bool> = farthest.exists().into_data().iter::<bool>().collect();
//! assert_eq!(exists, [true, true, true, false]);
//! ```

mod candidates;
mod closest_other;
mod extreme;
mod hardest;
mod informative;
mod label_order;
mod masks;
mod online;
mod ranks;
mod semi_hard;
mod sorted;
mod violated;

pub use crate::kernels::{Chosen, Negatives};
pub use closest_other::closest_other;
pub use extreme::{closest, farthest};
pub use hardest::{hardest, hardest_negatives, hardest_positives, search_bytes};
pub use informative::informative_pairs;
pub use label_order::LabelOrder;
pub use masks::{LabelMasks, valid_anchors};
pub use online::{OnlineSelection, online_selection};
pub use ranks::{places_by_rank, ranks};
pub use semi_hard::semi_hard_negatives;
pub use violated::{TripletCounts, violated_triplets};

pub(crate) use candidates::{CandidateBlock, Ids, without_own};
pub(crate) use masks::own_row;
