//! Python classes that are a loss of the catalog with options fixed, or with a cache around it.

use serde::{Deserialize, Deserializer};

use super::{AroundSplade, Entry, LossConfig, python};
use crate::error::ConfigError;
use crate::losses::{GistEmbedLossConfig, MultipleNegativesRankingLossConfig};

/// A Python class that needs no loss of its own here: it is a loss of the catalog, whose batch and weights it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// The name of the Python class.
    pub name: &'static str,
    /// The name of the loss in the catalog.
    pub loss: &'static str,
    /// The size of the mini-batches in which Python embeds a batch if `mini_batch_size` says nothing else; `None` if
    /// it embeds a batch at once. Here [`GradCache`](crate::GradCache) embeds in mini-batches, for any loss.
    pub mini_batch_size: Option<usize>,
    /// The names of its options; a cached loss has `mini_batch_size` besides.
    pub options: &'static [&'static str],
}

/// The options of a loss that compares queries with documents and documents with queries.
const SYMMETRIC: &[&str] = &["scale", "similarity", "memory_budget", "reduction"];

/// The default of all cached losses in Python.
const MINI_BATCH: Option<usize> = Some(32);

/// The losses that these are.
const GUIDED: &str = "GISTEmbedLoss";
const RANKING: &str = "MultipleNegativesRankingLoss";
const SPARSE: &str = "sparse_encoder.SpladeLoss";

/// All of them.
pub(super) const ALIASES: [Alias; 5] = [
    Alias {
        name: "CachedGISTEmbedLoss",
        loss: GUIDED,
        mini_batch_size: MINI_BATCH,
        options: GistEmbedLossConfig::OPTIONS,
    },
    Alias {
        name: "CachedMultipleNegativesRankingLoss",
        loss: RANKING,
        mini_batch_size: MINI_BATCH,
        options: MultipleNegativesRankingLossConfig::OPTIONS,
    },
    Alias {
        name: "CachedMultipleNegativesSymmetricRankingLoss",
        loss: RANKING,
        mini_batch_size: MINI_BATCH,
        options: SYMMETRIC,
    },
    Alias {
        name: "MultipleNegativesSymmetricRankingLoss",
        loss: RANKING,
        mini_batch_size: None,
        options: SYMMETRIC,
    },
    Alias {
        name: "sparse_encoder.CachedSpladeLoss",
        loss: SPARSE,
        mini_batch_size: MINI_BATCH,
        options: AroundSplade::OPTIONS,
    },
];

impl Alias {
    /// The one with this Python name, if there is one.
    pub fn of(name: &str) -> Option<&'static Self> {
        static ALL: [Alias; ALIASES.len()] = ALIASES;
        ALL.iter().find(|alias| alias.name == name)
    }

    /// The configuration of the loss that the class is with these options.
    pub(super) fn configure<'de>(
        &self,
        options: impl Deserializer<'de>,
    ) -> Result<LossConfig, ConfigError> {
        let refused = |error| Entry::refuse(self.name, self.options, &error);
        let config = match self.loss {
            GUIDED => {
                let cached = python::Cached::deserialize(options).map_err(refused)?;
                LossConfig::GistEmbed(cached.config)
            }
            SPARSE => {
                let cached = python::CachedSplade::deserialize(options).map_err(refused)?;
                LossConfig::Splade(cached.into())
            }
            _ => LossConfig::MultipleNegativesRanking(self.ranking(options).map_err(refused)?),
        };
        config.check().map(|()| config)
    }

    /// The configuration of the ranking loss that the class is.
    fn ranking<'de, D: Deserializer<'de>>(
        &self,
        options: D,
    ) -> Result<MultipleNegativesRankingLossConfig, D::Error> {
        match (self.options == SYMMETRIC, self.mini_batch_size) {
            (true, None) => python::Symmetric::deserialize(options).map(Into::into),
            (true, Some(_)) => python::CachedSymmetric::deserialize(options).map(Into::into),
            (false, _) => python::Cached::deserialize(options).map(|cached| cached.config),
        }
    }
}
