//! Distances, similarities and mining: the geometry that all losses share.
//!
//! **Paired** compares row i with row i and gives `[n]`; **pairwise** compares every row with
//! every row and gives `[n, m]`. Nothing here knows a loss, and all of it can be used alone.

pub mod blocks;
pub(crate) mod comparison;
mod distance;
mod features;
#[cfg(feature = "flex")]
pub(crate) mod flex;
pub mod mining;
pub mod norm;
mod similarity;

pub use distance::Distance;
pub use features::PairFeatures;
pub use similarity::Similarity;
