//! The macro that declares a configuration.

use serde::{Deserialize, Deserializer};

/// Declares a configuration: its fields, each with its default and setter, `new`, and JSON both ways.
///
/// Fields in parentheses have no default: `new` takes them. In JSON every other field may be left
/// out. A field goes by its own name or by the name that Python has for it (`serde(alias)`), and a
/// key that is neither is an error.
macro_rules! config {
    (
        $(#[$about:meta])*
        pub struct $config:ident $(($($(#[$given_about:meta])* pub $given:ident: $given_type:ty,)*))? {
            $(
                $(#[$field_about:meta])*
                pub $field:ident: $type:ty = $default:expr, set by $setter:ident;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize)]
        pub struct $config {
            $($($(#[$given_about])* pub $given: $given_type,)*)?
            $(
                $(#[$field_about])*
                ///
                #[doc = concat!("Default: `", stringify!($default), "`.")]
                pub $field: $type,
            )*
        }

        impl $config {
            /// The names of the fields.
            pub const OPTIONS: &'static [&'static str] =
                &[$($(stringify!($given),)*)? $(stringify!($field)),*];

            /// The configuration with the default of every field that is not given.
            #[allow(clippy::new_without_default, reason = "a default is a choice: write `new()`")]
            pub fn new($($($given: $given_type),*)?) -> Self {
                Self { $($($given,)*)? $($field: $default,)* }
            }

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                pub fn $setter(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }

        impl ::burn::config::Config for $config {}

        impl ::core::fmt::Display for $config {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&::burn::config::config_to_json(self))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $config {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(::serde::Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Options {
                    $($($(#[$given_about])* $given: $given_type,)*)?
                    $(
                        $(#[$field_about])*
                        #[serde(default, deserialize_with = "crate::config::present")]
                        $field: Option<$type>,
                    )*
                }
                let options = Options::deserialize(deserializer)?;
                let config = Self::new($($(options.$given),*)?);
                $(let config = match options.$field {
                    Some($field) => config.$setter($field),
                    None => config,
                };)*
                Ok(config)
            }
        }
    };
}
pub(crate) use config;

/// A field that is present, even if its value is `null`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use crate::evaluation::InformationRetrievalConfig;
    use crate::noise::WordDeletionConfig;
    use crate::parallel::GradCache;
    use crate::sampler::{GroupByLabelConfig, NoDuplicatesConfig, ShuffledConfig};
    use crate::{CosineSimilarityLossConfig, ScoreError};

    fn message<T: serde::de::DeserializeOwned>(json: &str) -> String {
        serde_json::from_str::<T>(json).err().expect("an error").to_string()
    }

    #[test]
    fn defaults_fill_in_what_json_leaves_out() {
        let shuffled: ShuffledConfig = serde_json::from_str(r#"{"batch_size": 4}"#).unwrap();
        assert_eq!(shuffled, ShuffledConfig::new(4));
        let grouped = r#"{"batch_size": 8, "seed": 3}"#;
        let grouped: GroupByLabelConfig = serde_json::from_str(grouped).unwrap();
        assert_eq!(grouped, GroupByLabelConfig::new(8).with_seed(3));
        let noise: WordDeletionConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(noise.ratio, 0.6);
        let retrieval: InformationRetrievalConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(retrieval.mrr_at_k, [10]);
        let cache: GradCache = serde_json::from_str(r#"{"mini_batch_size": 2}"#).unwrap();
        assert_eq!(cache, GradCache::new(2));
        let huber = r#"{"score_error": {"Huber": {"delta": 2.0}}}"#;
        let huber: CosineSimilarityLossConfig = serde_json::from_str(huber).unwrap();
        assert_eq!(huber.score_error, ScoreError::Huber { delta: 2.0 });
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        for message in [
            message::<ShuffledConfig>(r#"{"batch_size": 4, "odd": 1}"#),
            message::<NoDuplicatesConfig>(r#"{"batch_size": 4, "odd": 1}"#),
            message::<GroupByLabelConfig>(r#"{"batch_size": 4, "odd": 1}"#),
            message::<WordDeletionConfig>(r#"{"odd": 1}"#),
            message::<InformationRetrievalConfig>(r#"{"odd": 1}"#),
            message::<GradCache>(r#"{"mini_batch_size": 4, "odd": 1}"#),
            message::<CosineSimilarityLossConfig>(
                r#"{"score_error": {"Huber": {"delta": 2.0, "odd": 1}}}"#,
            ),
        ] {
            assert!(message.contains("odd"), "{message}");
        }
        let empty = message::<GradCache>(r#"{"mini_batch_size": 0}"#);
        assert!(empty.contains("`mini_batch_size` must be at least 1, got 0"), "{empty}");
    }
}
