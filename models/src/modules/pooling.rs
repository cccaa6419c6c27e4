//! Pooling: from the vectors of the tokens to one vector for the text.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Bool, DType, Int, Tensor};
use burn_embedding_losses::numeric::lowest_number;
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

    fn forward(self, hidden: Tensor<3>, kept: &Kept) -> Tensor<2> {
        let [texts, tokens, size] = hidden.dims();
        let weights = kept.weights.clone();
        match self {
            Self::Cls if kept.skipped == 0 => hidden.slice([0..texts, 0..1]).reshape([texts, size]),
            Self::Cls => token(hidden, kept.first()),
            Self::Max => {
                let lowest = kept.left_out() * lowest_number(hidden.dtype());
                let lowest = lowest.reshape([texts, tokens, 1]);
                let highest = (hidden + lowest).max_dim(1).reshape([texts, size]);
                // Python gives -inf where no token counts.
                highest * kept.any()
            }
            Self::Mean => weighted_sum(hidden, weights) / kept.count(),
            Self::MeanSqrtLen => weighted_sum(hidden, weights) / kept.count().sqrt(),
            Self::WeightedMean => {
                let places = Tensor::<1, Int>::arange(1..tokens as i64 + 1, &hidden.device());
                let weights = weights.clone() * places.float().cast(weights.dtype()).unsqueeze();
                weighted_sum(hidden, weights.clone()) / weights.sum_dim(1).clamp_min(LEAST_WEIGHT)
            }
            Self::LastToken if kept.skipped == 0 => token(hidden, kept.last()) * kept.any(),
            // As in Python: a text of which nothing is left has a zero vector.
            Self::LastToken => token(hidden * weights.unsqueeze_dim(2), kept.last()),
        }
    }
}

/// The least sum of weights that is divided by, for texts without a token that counts.
const LEAST_WEIGHT: f64 = 1e-9;

/// The tokens that are pooled.
struct Kept {
    /// 1 for a token that is pooled, 0 for others, `[texts, tokens]`.
    weights: Tensor<2>,
    /// The number of tokens that are no padding, `[texts, 1]`.
    lengths: Tensor<2, Int>,
    /// The first tokens of each text that are left out.
    skipped: usize,
}

impl Kept {
    fn new(padding: Tensor<2, Bool>, skipped: usize, dtype: DType) -> Self {
        let [texts, tokens] = padding.dims();
        let skipped = skipped.min(tokens);
        let lengths = padding.clone().bool_not().int().sum_dim(1);
        let mut weights = padding.bool_not().float().cast(dtype);
        if skipped > 0 {
            let prompt = Tensor::<2>::zeros([texts, skipped], &weights.device()).cast(dtype);
            weights = weights.slice_assign([0..texts, 0..skipped], prompt);
        }
        Self { weights, lengths, skipped }
    }

    fn left_out(&self) -> Tensor<2> {
        self.weights.clone().neg().add_scalar(1.0)
    }

    fn count(&self) -> Tensor<2> {
        self.weights.clone().sum_dim(1).clamp_min(LEAST_WEIGHT)
    }

    /// 1 for a text with a token that is pooled, 0 for others, `[texts, 1]`.
    fn any(&self) -> Tensor<2> {
        self.weights.clone().max_dim(1)
    }

    /// The place of the first token, which is that of the text if all are left out.
    fn first(&self) -> Tensor<2, Int> {
        let skipped = self.skipped as i64;
        self.lengths.clone().greater_elem(skipped).int() * skipped
    }

    /// The place of the last token.
    fn last(&self) -> Tensor<2, Int> {
        self.lengths.clone().sub_scalar(1).clamp_min(0)
    }
}

/// The vector of one token of each text, by its place, `[texts, 1]`.
fn token(hidden: Tensor<3>, place: Tensor<2, Int>) -> Tensor<2> {
    let [texts, _, size] = hidden.dims();
    let place = place.reshape([texts, 1, 1]).expand([texts, 1, size]);
    hidden.gather(1, place).reshape([texts, size])
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
#[derive(Module, Debug)]
pub struct Pooling {
    #[module(skip)]
    modes: Vec<PoolingMode>,
    /// Whether the tokens of a prompt are pooled too.
    pub include_prompt: bool,
    /// The first tokens of each text that are a prompt.
    prompt: usize,
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
        Ok(Self { modes, include_prompt: include_prompt.unwrap_or(true), prompt: 0 })
    }

    /// Pooling with one mode.
    pub fn of(mode: PoolingMode) -> Self {
        Self { modes: vec![mode], include_prompt: true, prompt: 0 }
    }

    /// The size of a text's vector, for tokens' vectors of `hidden` values.
    pub fn dimension(&self, hidden: usize) -> usize {
        self.modes.len() * hidden
    }

    /// The same pooling of texts whose first `tokens` tokens are a prompt.
    pub(crate) fn after_prompt(&self, tokens: usize) -> Self {
        Self { prompt: tokens, ..self.clone() }
    }

    /// `[texts, tokens, hidden]`, and which tokens are padding, to `[texts, dimension]`.
    pub fn forward(&self, hidden: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let skipped = if self.include_prompt { 0 } else { self.prompt };
        let kept = Kept::new(padding, skipped, hidden.dtype());
        let pooled = self.modes.iter().map(|mode| mode.forward(hidden.clone(), &kept));
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
