use core::fmt;

use burn::prelude::*;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapDeserializer};
use serde::{Deserialize, Serialize};

use super::{
    AnyAdaptiveLayer, AnyBatch, AnyCsr, AnyCsrBatch, AnyLayers, AnyMatryoshka, AnyMatryoshka2d,
    AnySplade, InnerLoss, LossConfig, ModelKind,
};
use crate::diagnostics::Diagnostics;
use crate::error::ConfigError;
use crate::losses::sparse::{CsrLossConfig, SpladeLossConfig};
use crate::losses::{
    AdaptiveLayerLossConfig, Criterion, Matryoshka2dLossConfig, MatryoshkaLossConfig,
};
use crate::reduction::Parts;

/// The configuration of a loss around another, and that of the other.
///
/// In JSON the loss inside is the field `loss`: a name, `"TripletLoss"`, or a name with options,
/// `{"TripletLoss": {"triplet_margin": 0.5}}`. The other fields are the wrapper's.
///
/// ```
/// use burn_embedding_losses::catalog::{BatchKind, LossConfig};
///
/// let options = serde_json::json!({
///     "loss": {"TripletLoss": {"triplet_margin": 0.5}},
///     "matryoshka_dims": [384, 128, 64],
/// });
/// let config = LossConfig::from_python("MatryoshkaLoss", options)?;
/// assert_eq!(config.takes(), BatchKind::Triplets);
/// # Ok::<(), burn_embedding_losses::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Around<C> {
    /// The loss inside.
    pub loss: Box<LossConfig>,
    /// The loss around it.
    #[serde(flatten)]
    pub wrapper: C,
}

impl<C> Around<C> {
    /// A wrapper around a loss.
    pub fn new(loss: LossConfig, wrapper: C) -> Self {
        Self { loss: Box::new(loss), wrapper }
    }

    /// The rules that every wrapper has for the loss inside, whose embeddings have one of `dims` dimensions,
    /// if there are any.
    fn check_inner(&self, name: &str, dims: &[usize]) -> Result<(), ConfigError> {
        self.loss.check()?;
        let (inside, rule) = (self.loss.name(), "must be built from its configuration alone");
        ConfigError::unless(!self.loss.entry().needs_decoder(), name, "loss", rule, inside)?;
        let rule = "must take no reconstructions of an auto-encoder";
        let reconstructs = |loss: &LossConfig| {
            matches!(loss, LossConfig::Csr(_) | LossConfig::CsrReconstruction(_))
        };
        self.refuse_inside(name, rule, reconstructs)?;
        self.refuse_inside(name, "must take embeddings, not logits", |loss| {
            loss.entry().model == ModelKind::CrossEncoder
        })?;
        let Some(width) = self.loss.layer_inputs() else {
            return Ok(());
        };
        let rule = format!("must be {width}, which the layer of {inside} takes");
        dims.iter().try_for_each(|&dim| ConfigError::unless(dim == width, name, "dims", &rule, dim))
    }

    /// The rule that the loss inside, and what is inside of it, is none of these.
    fn refuse_inside(
        &self,
        name: &str,
        rule: &str,
        refused: impl Fn(&LossConfig) -> bool,
    ) -> Result<(), ConfigError> {
        let mut chain = core::iter::successors(Some(&*self.loss), |loss| loss.inner());
        let found = chain.find(|loss| refused(loss));
        let got = found.map_or("", |loss| loss.name());
        ConfigError::unless(found.is_none(), name, "loss", rule, got)
    }

    /// The rules of a wrapper that wants one embedding for each text.
    fn check_embeddings(&self, name: &str) -> Result<(), ConfigError> {
        self.check_inner(name, &[])?;
        self.refuse_inside(name, "must take one embedding for each text", |loss| {
            matches!(loss, LossConfig::AdaptiveLayer(_) | LossConfig::Matryoshka2d(_))
        })
    }
}

impl Around<SpladeLossConfig> {
    /// The loss inside takes queries and, unless all are documents, documents.
    fn check_columns(&self) -> Result<(), ConfigError> {
        const NAME: &str = "SpladeLoss";
        self.check_embeddings(NAME)?;
        let regularised = |loss: &LossConfig| matches!(loss, LossConfig::Splade(_));
        self.refuse_inside(NAME, "must not be regularised itself", regularised)?;
        let documents = *self.loss.takes().columns().end() > 1;
        let documents = documents || self.wrapper.use_document_regularizer_only;
        let rule = "must take queries and documents unless `use_document_regularizer_only` is set";
        ConfigError::unless(documents, NAME, "loss", rule, self.loss.name())
    }
}

/// Gives a wrapper's configuration around another what the catalog asks of a configuration.
macro_rules! around {
    ($config:ident => $loss:ident, |$around:ident| $check:expr, [$($option:literal),*]) => {
        impl Around<$config> {
            /// The names of the fields.
            pub const OPTIONS: &'static [&'static str] = &["loss", $($option),*];

            /// Checks every field against its rule.
            ///
            /// # Errors
            ///
            /// If a field breaks a rule, or the loss inside has a decoder, a layer for embeddings of
            /// another width than it is given, or a batch that the wrapper cannot take apart.
            pub fn check(&self) -> Result<(), ConfigError> {
                self.wrapper.check()?;
                let $around = self;
                $check
            }

            /// Builds both losses; the weights of the loss inside are on `device`.
            ///
            /// # Panics
            ///
            /// If [`check`](Self::check) finds an error.
            #[track_caller]
            pub fn init(&self, device: &Device) -> $loss {
                crate::error::expect_valid(self.check());
                self.wrapper.init(InnerLoss::from(self.loss.init(device)))
            }
        }
    };
}

around!(
    AdaptiveLayerLossConfig => AnyAdaptiveLayer,
    |around| around.check_inner("AdaptiveLayerLoss", &[]),
    ["layers_per_step", "last_layer_weight", "prior_layers_weight", "kl_div_weight",
     "kl_temperature", "layer_weighting", "seed"]
);
around!(
    CsrLossConfig => AnyCsr,
    |around| around.check_embeddings("CsrLoss"),
    ["beta", "gamma"]
);
around!(
    Matryoshka2dLossConfig => AnyMatryoshka2d,
    |around| around.check_inner("Matryoshka2dLoss", &around.wrapper.dims),
    ["dims", "weights", "dims_per_step", "layers_per_step", "last_layer_weight",
     "prior_layers_weight", "kl_div_weight", "kl_temperature", "layer_weighting", "seed"]
);
around!(
    MatryoshkaLossConfig => AnyMatryoshka,
    |around| around.check_inner("MatryoshkaLoss", &around.wrapper.dims),
    ["dims", "weights", "dims_per_step", "seed"]
);
around!(
    SpladeLossConfig => AnySplade,
    |around| around.check_columns(),
    ["document_regularizer_weight", "query_regularizer_weight",
     "document_regularizer_threshold", "query_regularizer_threshold",
     "use_document_regularizer_only"]
);

/// Lets a loss whose batch holds batches of any kind take it as any batch.
macro_rules! takes_any_batch {
    ($($loss:ident: $batch:ident),*) => {$(
        impl Criterion<AnyBatch> for $loss {
            #[track_caller]
            fn loss(&self, batch: AnyBatch) -> Tensor<1> {
                self.forward($batch::from(batch))
            }

            #[track_caller]
            fn parts(&self, batch: AnyBatch) -> Option<Parts> {
                <Self as Criterion<$batch>>::parts(self, batch.into())
            }

            #[track_caller]
            fn diagnose(&self, batch: AnyBatch) -> Option<Diagnostics> {
                <Self as Criterion<$batch>>::diagnose(self, batch.into())
            }
        }
    )*};
}

takes_any_batch!(AnyAdaptiveLayer: AnyLayers, AnyCsr: AnyCsrBatch, AnyMatryoshka2d: AnyLayers);

impl<'de, C: Deserialize<'de>> Deserialize<'de> for Around<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields<C> {
            loss: Named,
            #[serde(flatten)]
            wrapper: C,
        }
        let Fields { loss: Named(loss), wrapper } = Fields::deserialize(deserializer)?;
        Ok(Self::new(loss, wrapper))
    }
}

/// A loss by its name, with options or without.
pub(super) struct Named(pub(super) LossConfig);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrOptions)
    }
}

struct NameOrOptions;

impl<'de> Visitor<'de> for NameOrOptions {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a loss, or a name with options")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Named, E> {
        let none = MapDeserializer::<_, E>::new(core::iter::empty::<(&str, bool)>());
        LossConfig::from_python(name, none).map(Named).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
        let name = map.next_key::<String>()?;
        let name = name.ok_or_else(|| A::Error::custom("`loss` must name a loss, got none"))?;
        let loss = map.next_value_seed(Options(&name))?;
        match map.next_key::<String>()? {
            None => Ok(Named(loss)),
            Some(other) => {
                Err(A::Error::custom(format!("`loss` must be one loss, got {name} and {other}")))
            }
        }
    }
}

/// The options of the loss of this name.
struct Options<'a>(&'a str);

impl<'de> serde::de::DeserializeSeed<'de> for Options<'_> {
    type Value = LossConfig;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LossConfig, D::Error> {
        LossConfig::from_python(self.0, deserializer).map_err(D::Error::custom)
    }
}
