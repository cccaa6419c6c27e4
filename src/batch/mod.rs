//! What losses take: embeddings, with labels or targets, whose shapes are checked here, once.
//!
//! Every batch is built by `new` or converts from the plain tuple of its parts. Half-precision
//! embeddings are widened to `f32` on the way in, so every loss accumulates in `f32` or better.
//! Shapes are checked always and panic; values are checked only when `check` is called (it reads
//! from the device).

mod classified_pair;
mod columns;
mod denoising;
mod distillation;
mod labeled;
mod margin;
mod pair;
mod retrieval;
mod shape;
#[cfg(test)]
mod tests;
mod triplet;

pub(crate) use classified_pair::check_class_indices;
pub use classified_pair::{ClassTargets, ClassifiedPairBatch, IGNORED_LABEL};
pub use columns::{ColumnMapper, ColumnVisitor, Columns, Role};
pub use denoising::DenoisingBatch;
pub(crate) use denoising::check_token_ids;
pub use distillation::{DistillationBatch, TeacherTargets};
pub use labeled::LabeledBatch;
pub use margin::{MarginBatch, MarginTargets};
pub use pair::PairBatch;
pub use retrieval::{RetrievalBatch, RowIds};
pub use triplet::TripletBatch;
