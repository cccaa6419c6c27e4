//! Pooling: from the vectors of the tokens to one vector for the text.

use std::path::Path;

use burn::tensor::{Bool, Int, Tensor};
use serde_json::Value;

use crate::error::Error;

/// How the vectors of the tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolingMode {
    /// The first token's vector.
    Cls,
    /// The highest value of each component.
    Max,
    /// The mean over the tokens.
    Mean,
    /// The sum over the tokens, divided by the root of their number.
    MeanSqrtLen,
    /// The mean over the tokens, the k-th with weight k.
    WeightedMean,
    /// The last token's vector: for decoders, whose last token alone sees the whole text.
    LastToken,
}

impl PoolingMode {
    /// Each mode by its name and by the flag that older files have, in the order in which
    /// sentence-transformers joins the results of several.
    const NAMES: [(&str, &str, Self); 6] = [
        ("cls", "pooling_mode_cls_token", Self::Cls),
        ("max", "pooling_mode_max_tokens", Self::Max),
        ("mean", "pooling_mode_mean_tokens", Self::Mean),
        ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Self::MeanSqrtLen),
        ("weightedmean", "pooling_mode_weightedmean_tokens", Self::WeightedMean),
        ("lasttoken", "pooling_mode_lasttoken", Self::LastToken),
    ];

    /// The mode called `name`, as `pooling_mode` has it.
    ///
    /// # Errors
    ///
    /// Lists the supported modes if there is none of this name.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(mode, _, _)| *mode == name);
        found.map(|(_, _, mode)| *mode).ok_or_else(|| unsupported(name))
    }

    /// Each mode with its flag.
    pub(crate) fn flags() -> impl Iterator<Item = (Self, &'static str)> {
        Self::NAMES.iter().map(|(_, flag, mode)| (*mode, *flag))
    }

    fn flagged(flag: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(_, mode, _)| *mode == flag);
        found.map(|(_, _, mode)| *mode).ok_or_else(|| unsupported(flag))
    }

    fn forward(self, hidden: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let [texts, tokens, size] = hidden.dims();
        let dtype = hidden.dtype();
        let kept = || padding.clone().bool_not().float().cast(dtype);
        match self {
            Self::Cls => hidden.slice([0..texts, 0..1]).reshape([texts, size]),
            Self::Max => {
                let lowest = padding.float().cast(dtype) * f32::MIN;
                let lowest = lowest.reshape([texts, tokens, 1]);
                (hidden + lowest).max_dim(1).reshape([texts, size])
            }
            Self::Mean => {
                let counts = kept().sum_dim(1);
                weighted_sum(hidden, kept()) / counts
            }
            Self::MeanSqrtLen => {
                let counts = kept().sum_dim(1);
                weighted_sum(hidden, kept()) / counts.sqrt()
            }
            Self::WeightedMean => {
                let places = Tensor::<1, Int>::arange(1..tokens as i64 + 1, &hidden.device());
                let weights = kept() * places.float().cast(dtype).unsqueeze();
                weighted_sum(hidden, weights.clone()) / weights.sum_dim(1)
            }
            Self::LastToken => {
                let last = padding.bool_not().int().sum_dim(1).sub_scalar(1);
                let last = last.reshape([texts, 1, 1]).expand([texts, 1, size]);
                hidden.gather(1, last).reshape([texts, size])
            }
        }
    }
}

/// `Σ weight · vector` over the tokens, `[texts, size]`.
fn weighted_sum(hidden: Tensor<3>, weights: Tensor<2>) -> Tensor<2> {
    let [texts, _, size] = hidden.dims();
    (hidden * weights.unsqueeze_dim(2)).sum_dim(1).reshape([texts, size])
}

fn unsupported(name: &str) -> String {
    let names = PoolingMode::NAMES.map(|(name, _, _)| name).join(", ");
    format!("the pooling mode {name:?} is not supported; supported are {names}")
}

/// One mode, or several whose results are joined; `1_Pooling/config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooling {
    modes: Vec<PoolingMode>,
    /// Whether the tokens of a prompt are pooled too.
    pub include_prompt: bool,
}

impl Pooling {
    /// Reads the bytes of a pooling module's `config.json`; `hidden` is the size of a token's
    /// vector.
    pub fn parse(path: &Path, bytes: &[u8], hidden: usize) -> Result<Self, Error> {
        Self::checked(bytes, hidden).map_err(|reason| Error::read(path, reason))
    }

    fn checked(bytes: &[u8], hidden: usize) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let Value::Object(fields) = &value else {
            return Err("expected a JSON object".to_string());
        };
        for name in ["embedding_dimension", "word_embedding_dimension"] {
            if let Some(size) = fields.get(name).filter(|size| size.as_u64() != Some(hidden as u64))
            {
                return Err(format!(
                    "`{name}` is {size}, but a token's vector has {hidden} values"
                ));
            }
        }
        let modes = match fields.get("pooling_mode") {
            Some(Value::String(name)) => vec![PoolingMode::named(name)?],
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| PoolingMode::named(name.as_str().unwrap_or("?")))
                .collect::<Result<_, _>>()?,
            Some(other) => return Err(format!("`pooling_mode` is {other}, expected a name")),
            None => flags(fields)?,
        };
        if modes.is_empty() || modes.len() > PoolingMode::NAMES.len() {
            return Err(format!("it has {} pooling modes, expected 1 to 6", modes.len()));
        }
        let include_prompt = fields.get("include_prompt").and_then(Value::as_bool);
        Ok(Self { modes, include_prompt: include_prompt.unwrap_or(true) })
    }

    /// Pooling with one mode.
    pub fn of(mode: PoolingMode) -> Self {
        Self { modes: vec![mode], include_prompt: true }
    }

    /// The size of a text's vector, for tokens' vectors of `hidden` values.
    pub fn dimension(&self, hidden: usize) -> usize {
        self.modes.len() * hidden
    }

    /// `[texts, tokens, hidden]`, and which tokens are padding, to `[texts, dimension]`.
    pub fn forward(&self, hidden: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let pooled = self.modes.iter().map(|mode| mode.forward(hidden.clone(), padding.clone()));
        Tensor::cat(pooled.collect(), 1)
    }
}

/// The modes whose flags are set: the mean, if none is.
fn flags(fields: &serde_json::Map<String, Value>) -> Result<Vec<PoolingMode>, String> {
    let set = fields
        .iter()
        .filter(|(name, value)| name.starts_with("pooling_mode_") && value.as_bool() == Some(true));
    let set = set.map(|(name, _)| PoolingMode::flagged(name)).collect::<Result<Vec<_>, _>>()?;
    let ordered =
        PoolingMode::NAMES.iter().map(|(_, _, mode)| *mode).filter(|mode| set.contains(mode));
    let modes: Vec<_> = ordered.collect();
    Ok(if modes.is_empty() { vec![PoolingMode::Mean] } else { modes })
}
