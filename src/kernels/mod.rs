//! Operations that have a kernel: one file each, with the documentation, the plain form, and the one
//! place that asks for the kernel.
//!
//! A plain form is made of tensor operations and runs on every backend. `flex` holds kernels for Burn's
//! CPU backend, which do the work on a row in one pass, on all cores, and sum in `f64`. Each returns
//! `None` where it does not apply (another device or type, or a build without the feature `flex`), and
//! nobody outside of this folder knows that it exists. Searches and sums over triplets have their plain
//! forms in [`select`](crate::select) and [`objective`](crate::objective), which ask in one place each.
//! [`fused`] has operations of encoders instead of losses.

mod accumulated;
mod best_tokens;
mod carry_gradient;
mod chosen;
mod cores;
#[cfg(feature = "flex")]
mod flex;
#[cfg(not(feature = "flex"))]
#[path = "absent.rs"]
mod flex;
pub mod fused;
mod linear;
mod pair_features;
mod row_comparison;
mod row_products;
mod search;
mod softmax;
mod softplus;
mod squared_error;
#[cfg(all(test, feature = "flex"))]
mod tests;
mod triplet_sum;
mod unit_rows;

pub use accumulated::Accumulated;
pub use carry_gradient::carry_gradient;
pub use chosen::Chosen;
pub use linear::{project, project_pairs};
pub use pair_features::PairFeatures;
pub use squared_error::squared_error_sum;
pub use triplet_sum::Negatives;

pub(crate) use best_tokens::{
    BestTokens, best_own_tokens, best_tokens, best_tokens_backward, best_tokens_bytes,
};
pub(crate) use cores::Cores;
pub(crate) use row_comparison::{Partner, RowMetric};
pub(crate) use row_products::row_products_sum;
pub(crate) use search::{closest_other, hardest};
pub(crate) use softmax::{add_to_diagonal, diagonal, log_sum_exp, matrices_in_memory, softmax};
pub(crate) use softplus::answers;
pub(crate) use triplet_sum::{TripletRule, triplet_sum};
pub(crate) use unit_rows::unit_rows;

/// A distance that a product of matrices gives for all pairs of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProductDistance {
    /// `‖x − y‖`.
    Euclidean,
    /// `‖x − y‖²`.
    SquaredEuclidean,
    /// `1 − cos(x, y)`.
    Cosine,
}
