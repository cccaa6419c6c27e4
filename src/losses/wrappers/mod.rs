//! Losses around any loss.

mod adaptive_layer;
mod draws;
mod matryoshka;
mod matryoshka_2d;
mod truncation;

pub use adaptive_layer::{AdaptiveLayerLoss, AdaptiveLayerLossConfig, LayerWeighting};
pub use matryoshka::{MatryoshkaLoss, MatryoshkaLossConfig};
pub use matryoshka_2d::{Matryoshka2dLoss, Matryoshka2dLossConfig};
