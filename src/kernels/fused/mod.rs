//! Operations of encoders that the CPU does in one pass over memory, forward and backward.
//!
//! A transformer on a CPU spends more than half of its time outside of matrix products, most of it on reading and
//! writing the same numbers again. Each operation here has a kernel for Flex, in `f32`; elsewhere it is a
//! composition of Burn's operations with the same value and gradient.

mod adam;
mod attention;
mod dropout;
mod gelu;
mod layer_norm;
mod mean_rows;
mod sum_of_squares;

pub use adam::AdamStep;
pub use attention::attention_weights;
pub use dropout::DropoutMask;
pub use gelu::gelu;
pub use layer_norm::layer_norm;
pub use mean_rows::{Bags, mean_rows};
pub use sum_of_squares::sum_of_squares;

pub(super) use adam::{Given, Moved};
pub(super) use attention::Scores;
pub(super) use layer_norm::LayerNorm;
