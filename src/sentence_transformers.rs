//! Losses by the names and options of Python's sentence-transformers.
//!
//! A configuration written for `sentence_transformers.losses` builds the same loss here:
//!
//! ```
//! use burn_embedding_losses::sentence_transformers::LossConfig;
//!
//! let options = serde_json::json!({"distance_metric": "cosine", "triplet_margin": 0.3});
//! let LossConfig::Triplet(config) = LossConfig::from_python("TripletLoss", options)? else {
//!     unreachable!()
//! };
//! assert_eq!(config.margin, 0.3);
//! # Ok::<(), burn_embedding_losses::ConfigError>(())
//! ```
//!
//! Our names of the options are accepted as well (`margin` beside `triplet_margin`), and so are the
//! options that only this crate has (`reduction`, `anchors`, `label_smoothing`, `memory_budget`).
//! Options that are Python objects, `loss_fct` and `cos_score_transformation`, are given by their torch
//! class names (`"HuberLoss"`, `"Sigmoid"`).
//!
//! `gather_across_devices` is accepted and ignored: a loss takes the batch it is given, and it is the
//! batch that is [gathered](crate::gather) from several devices.
//!
//! [`LossConfig`] is part of the [catalog](crate::catalog) of all losses.

pub use crate::catalog::LossConfig;
