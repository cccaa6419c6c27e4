//! Losses for training embedding models with Burn.
