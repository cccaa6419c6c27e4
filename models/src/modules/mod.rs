//! The modules after the network: from the vectors of the tokens to one embedding for each text.
//!
//! A file for each kind of module that `modules.json` may list; [`Part`] is any of them.

mod dense;
mod features;
mod layer_norm;
mod layer_pooling;
mod normalize;
mod part;
mod pooling;

pub use dense::{Dense, DenseConfig};
pub use features::{Features, Sizes, Vectors};
pub use layer_norm::{LayerNorm, LayerNormSettings};
pub use layer_pooling::{LayerPoolingConfig, WeightedLayerPooling};
pub use normalize::{Normalize, NormalizeConfig};
pub use part::Part;
pub use pooling::{Pooling, PoolingMode};
