//! The macro that makes types of the rows of the catalog.

/// Declares [`LossConfig`] and [`AnyLoss`].
///
/// A row without `one_number` has terms, one without `weights` owns none, and one without `loss` cannot be
/// built from its configuration alone. `loss` says how to build it where `init()` is not enough.
macro_rules! losses {
    ($(
        $variant:ident {
            name: $name:literal, model: $model:ident, takes: $takes:ident,
            $(one_number: $one_number:literal,)?
            $(weights: [$($weight:literal),*],)?
            config: $config:ident $(from $options:path)?,
            $(loss: $loss:ident $(= $init:expr)?,)?
        }
    )*) => {
        /// The configuration of any loss.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum LossConfig {
            $(
                #[doc = concat!("Configuration of `", $name, "`.")]
                #[serde(rename = $name)]
                $variant($config),
            )*
        }

        impl LossConfig {
            /// One entry for each loss.
            pub const ENTRIES: [Entry; Self::NAMES.len()] = [$(Entry {
                name: $name,
                model: ModelKind::$model,
                takes: BatchKind::$takes,
                one_number: false $(|| $one_number)?,
                weights: &[$($($weight),*)?],
                options: $config::OPTIONS,
            }),*];

            /// The names of the Python classes, as [`from_python`](Self::from_python) takes them.
            pub const NAMES: [&str; [$($name),*].len()] = [$($name),*];

            /// Python classes that are one of the losses with options fixed, or with a cache around it;
            /// [`from_python`](Self::from_python) takes their names as well.
            pub const ALIASES: [Alias; alias::ALIASES.len()] = alias::ALIASES;

            /// The loss of the Python class `name` with the constructor arguments `options`; options
            /// that are left out have Python's default.
            ///
            /// Our names of the options are accepted as well.
            ///
            /// - `SoftmaxLoss` needs `embedding_dimension` and `num_labels`; `EmbedDistillLoss` and `MSELoss`
            ///   need `embedding_dimension` if they have a `projection_dim`.
            /// - `DenoisingAutoEncoderLoss` needs `pad_token_id`, which Python takes from the tokenizer.
            ///   Its options `decoder_name_or_path` and `tie_encoder_decoder` are ignored: they concern
            ///   the decoder, which [`DenoisingAutoEncoderLossConfig::init`] takes.
            /// - The options of `MegaBatchMarginLoss`, `MultipleNegativesRankingLoss` and the `Cached…` losses
            ///   that only say how the loss is computed are ignored: a cached loss is the loss inside, and
            ///   [`GradCache`](crate::GradCache) goes around it.
            ///
            /// # Errors
            ///
            /// If there is no such loss, an option does not exist or has the wrong type, or the
            /// configuration is not [valid](Self::check).
            pub fn from_python<'de>(
                name: &str,
                options: impl Deserializer<'de>,
            ) -> Result<Self, ConfigError> {
                if let Some(alias) = Alias::of(name) {
                    return alias.configure(options);
                }
                let entry = Entry::of(name)?;
                let config = match entry.name {
                    $($name => {
                        let config = <python::options!($config $($options)?)>::deserialize(options);
                        Self::$variant(config.map_err(|error| {
                            Entry::refuse(entry.name, entry.options, &error)
                        })?.into())
                    })*
                    _ => unreachable!("one of the names"),
                };
                config.check().map(|()| config)
            }

            /// The entry of the loss in the catalog.
            pub fn entry(&self) -> &'static Entry {
                Entry::named(match self { $(Self::$variant(_) => $name,)* })
            }

            /// Checks every field against its rule.
            ///
            /// # Errors
            ///
            /// If a field breaks a rule.
            pub fn check(&self) -> Result<(), ConfigError> {
                match self { $(Self::$variant(config) => config.check(),)* }
            }

            /// Builds the loss; its weights, if it owns any, are on `device`.
            ///
            /// # Panics
            ///
            /// If [`check`](Self::check) finds an error, or the loss
            /// [needs a decoder](Entry::needs_decoder).
            #[track_caller]
            pub fn init(&self, device: &Device) -> AnyLoss {
                match self {
                    $($(Self::$variant(config) => {
                        let init: fn(&$config, &Device) -> $loss =
                            declare::plain_or!($($init)?);
                        AnyLoss::$variant(init(config, device))
                    })?)*
                    _ => panic!(
                        "{}: `decoder` must be given to the `init` of its own configuration, got none",
                        self.name()
                    ),
                }
            }
        }

        /// Any loss that can be built from its configuration alone.
        ///
        /// A module: an optimizer trains the weights that the loss owns.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a program has one, and a box is no module")]
        pub enum AnyLoss {
            $($(
                #[doc = concat!("See [`", stringify!($loss), "`].")]
                $variant($loss),
            )?)*
        }

        impl AnyLoss {
            /// The entry of the loss in the catalog.
            pub fn entry(&self) -> &'static Entry {
                Entry::named(match self { $($(Self::$variant($loss { .. }) => $name,)?)* })
            }
        }

        impl<B: Into<AnyBatch>> Criterion<B> for AnyLoss {
            #[track_caller]
            fn loss(&self, batch: B) -> Tensor<1> {
                let batch = batch.into();
                match self { $($(
                    Self::$variant(loss) => <$loss as Criterion<AnyBatch>>::loss(loss, batch),
                )?)* }
            }

            #[track_caller]
            fn unreduced(&self, batch: B) -> Option<Tensor<1>> {
                let batch = batch.into();
                match self { $($(
                    Self::$variant(loss) => <$loss as Criterion<AnyBatch>>::unreduced(loss, batch),
                )?)* }
            }

            #[track_caller]
            fn parts(&self, batch: B) -> Option<Parts> {
                let batch = batch.into();
                match self { $($(
                    Self::$variant(loss) => <$loss as Criterion<AnyBatch>>::parts(loss, batch),
                )?)* }
            }

            #[track_caller]
            fn diagnose(&self, batch: B) -> Option<Diagnostics> {
                let batch = batch.into();
                match self { $($(
                    Self::$variant(loss) => <$loss as Criterion<AnyBatch>>::diagnose(loss, batch),
                )?)* }
            }
        }
    };
}
pub(super) use losses;

/// How to build a loss: as given, or by the plain `init` of its configuration.
macro_rules! plain_or {
    () => {
        |config, _| config.init()
    };
    ($init:expr) => {
        $init
    };
}
pub(super) use plain_or;
