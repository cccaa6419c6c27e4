//! The fields of a `config.json`, with the reasons to refuse them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::frequencies::{Rope, Scaling};
use crate::transformer::{check_epsilon, check_share, check_size};

/// The fields of a `config.json`. As in Python, `null` is the same as none.
#[derive(Debug, Clone)]
pub(super) struct Fields(pub Map<String, Value>);

impl Fields {
    /// The field, if it is there.
    pub fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match T::deserialize(value) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(format!("`{name}`: {error}")),
            },
        }
    }

    /// The field, or its default.
    pub fn or<T: DeserializeOwned>(&self, name: &str, default: T) -> Result<T, String> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// The field, which must be there.
    pub fn required<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        self.optional(name)?.ok_or_else(|| format!("it has no `{name}`"))
    }

    /// A size, which must be there, from 1 to `limit`.
    pub fn size(&self, name: &str, limit: usize) -> Result<usize, String> {
        let size = self.required(name)?;
        check_size(name, size, limit).map(|()| size)
    }

    /// A size from 1 to `limit`, if it is there.
    pub fn optional_size(&self, name: &str, limit: usize) -> Result<Option<usize>, String> {
        let size = self.optional(name)?;
        size.map(|size| check_size(name, size, limit).map(|()| size)).transpose()
    }

    /// A share of numbers that are dropped out.
    pub fn share(&self, name: &str, default: f64) -> Result<f64, String> {
        let share = self.or(name, default)?;
        check_share(name, share).map(|()| share)
    }

    /// A number that is added to a variance.
    pub fn epsilon(&self, name: &str, default: f64) -> Result<f64, String> {
        let epsilon = self.or(name, default)?;
        check_epsilon(name, epsilon).map(|()| epsilon)
    }

    /// A number above 0, if it is there.
    pub fn positive(&self, name: &str) -> Result<Option<f64>, String> {
        let number = self.optional(name)?;
        number.map(|it| check_above(name, it, 0.0).map(|()| it)).transpose()
    }

    /// Refuses any other value than this one, which is also the default.
    pub fn only(&self, name: &str, supported: Value) -> Result<(), String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(()),
            Some(value) if *value == supported || same_number(value, &supported) => Ok(()),
            Some(value) => Err(format!("`{name}` {value} is not supported; only {supported} is")),
        }
    }

    /// The object of this name, or an empty one.
    pub fn object(&self, name: &str) -> Result<Self, String> {
        self.or(name, Map::new()).map(Self)
    }

    /// The speeds of rotary positions, if all layers have the same.
    pub fn rope(&self, theta: f64) -> Result<Rope, String> {
        let scaling = self.object("rope_scaling")?;
        let parameters =
            if scaling.0.is_empty() { self.object("rope_parameters")? } else { scaling };
        let theta = self.or("rope_theta", theta)?;
        self.rope_of(&parameters, theta)
    }

    /// The speeds of rotary positions in layers of a type. `theta` is what an old file calls their
    /// base, and the default; an old file's `rope_scaling` is theirs if `scaled`.
    pub fn rope_of_type(
        &self,
        layer_type: &str,
        (theta, default): (&str, f64),
        scaled: bool,
    ) -> Result<Rope, String> {
        let mut parameters = self.object("rope_parameters")?.object(layer_type)?;
        if scaled {
            parameters.0.extend(self.object("rope_scaling")?.0);
        }
        // The family's own `rope_type` goes before an old file's `type`.
        parameters.0.remove("type");
        self.rope_of(&parameters, self.or(theta, default)?)
    }

    fn rope_of(&self, parameters: &Self, theta: f64) -> Result<Rope, String> {
        for fields in [self, parameters] {
            let share = fields.or("partial_rotary_factor", 1.0)?;
            if share != 1.0 {
                return Err(format!("`partial_rotary_factor` {share} is not supported; only 1 is"));
            }
        }
        if parameters.0.values().any(Value::is_object) {
            return Err("`rope_parameters` differ by type of layer, which this architecture does \
                        not support"
                .to_string());
        }
        let theta = parameters.or("rope_theta", theta)?;
        check_above("rope_theta", theta, 0.0)?;
        Ok(Rope { theta, scaling: self.scaling(parameters)? })
    }

    fn scaling(&self, parameters: &Self) -> Result<Scaling, String> {
        let kind: Option<String> = parameters.optional("rope_type")?;
        let kind = kind.map_or_else(|| parameters.or("type", "default".to_string()), Ok)?;
        let number = |name: &str| {
            let value = parameters.required::<f64>(name)?;
            check_above(name, value, 0.0).map(|()| value)
        };
        match kind.as_str() {
            "default" => Ok(Scaling::None),
            "linear" => Ok(Scaling::Linear { factor: number("factor")? }),
            "llama3" => {
                let name = "original_max_position_embeddings";
                let original = match self.optional(name)? {
                    Some(original) => original,
                    None => parameters.or(name, self.required("max_position_embeddings")?)?,
                };
                check_above(name, original, 0.0)?;
                let (low, high) = (number("low_freq_factor")?, number("high_freq_factor")?);
                check_above("high_freq_factor", high, low)?;
                Ok(Scaling::Llama3 { factor: number("factor")?, low, high, original })
            }
            "dynamic" => Err("the rotary positions of type \"dynamic\" are not supported: the \
                              embedding of a text would depend on the longest text of its batch"
                .to_string()),
            other => Err(format!(
                "the rotary positions of type {other:?} are not supported; supported are default, \
                 linear, llama3"
            )),
        }
    }
}

fn same_number(a: &Value, b: &Value) -> bool {
    a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}

/// Refuses a number that is not above a limit, or too large for `f32`.
pub(super) fn check_above(name: &str, value: f64, limit: f64) -> Result<(), String> {
    match value > limit && value <= f64::from(f32::MAX) {
        true => Ok(()),
        false => Err(format!("`{name}` is {value}, expected above {limit}")),
    }
}
