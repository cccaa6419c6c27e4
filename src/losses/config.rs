//! The macro that declares the configuration of a loss.

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
                        #[serde(default, deserialize_with = "crate::losses::config::present")]
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
