//! Distances, similarities and pair features: the geometry that all losses share.
//!
//! **Paired** compares row i with row i and gives `[n]`; **pairwise** compares every row with every row
//! and gives `[n, m]`. Nothing here knows a loss, and all of it can be used alone.

mod angle;
mod distance;
mod similarity;
mod token_similarity;

pub use crate::kernels::PairFeatures;
pub use angle::angle;
pub use distance::Distance;
pub use similarity::Similarity;
pub use token_similarity::TokenSimilarity;
