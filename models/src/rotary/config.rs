//! The shape of a network with rotary positions.

use burn::nn::Linear;
use burn::tensor::Device;
use serde_json::{Map, Value};

use super::Rotary;
use super::families::Family;
use super::fields::Fields;
use super::frequencies::Rope;
use super::norm::{Norm, NormKind};
use super::reach::{Kind, Reach};
use super::sizes::{Dropouts, Gate, Heads, Places};
use crate::transformer::{Activation, check_deviation, linear_without_bias, zeros};

/// The shape of a network with rotary positions, from the `config.json` of any [`Family`].
#[derive(Debug, Clone, PartialEq)]
pub struct RotaryConfig {
    pub(super) family: Family,
    pub(super) vocab_size: usize,
    /// 0 where embeddings of token types are not added.
    pub(super) token_types: usize,
    pub(super) hidden_size: usize,
    pub(super) inner_size: usize,
    /// The longest text where no other file names a limit.
    pub(super) max_positions: usize,
    pub(super) heads: Heads,
    pub(super) gate: Gate,
    pub(super) norm: (NormKind, f64),
    pub(super) places: Places,
    /// Whether a layer's first half has a normalisation before it in the first layer too.
    pub(super) first_norm: bool,
    pub(super) embeddings_norm: bool,
    pub(super) embeddings_scale: f64,
    pub(super) kinds: Vec<Kind>,
    /// For each layer, the index of its kind.
    pub(super) kind_of: Vec<usize>,
    pub(super) dropout: Dropouts,
    pub(super) initializer_range: f64,
}

impl RotaryConfig {
    /// Reads the fields of a `config.json`, and refuses what cannot be a network of the family.
    pub(crate) fn read(family: Family, fields: Map<String, Value>) -> Result<Self, String> {
        let config = family.read(&Fields(fields))?;
        config.heads.check()?;
        Ok(config)
    }

    /// A network with new parameters.
    pub fn init(&self, device: &Device) -> Rotary {
        Rotary::new(self, device)
    }

    /// What most fields say in all families. A description of the layers is still missing.
    pub(super) fn base(
        family: Family,
        fields: &Fields,
        head_size: Option<usize>,
    ) -> Result<Self, String> {
        let hidden_size = fields.size("hidden_size", 1 << 14)?;
        let layers = fields.size("num_hidden_layers", 1 << 8)?;
        let heads = fields.size("num_attention_heads", 1 << 10)?;
        let initializer_range = fields.or("initializer_range", 0.02)?;
        check_deviation("initializer_range", initializer_range)?;
        let head_size = match fields.optional("head_dim")?.or(head_size) {
            Some(size) => size,
            None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => {
                let size = hidden_size;
                return Err(format!(
                    "`hidden_size` {size} is no multiple of {heads} attention heads"
                ));
            }
        };
        Ok(Self {
            family,
            vocab_size: fields.size("vocab_size", 1 << 22)?,
            token_types: 0,
            hidden_size,
            inner_size: fields.size("intermediate_size", 1 << 17)?,
            max_positions: fields.size("max_position_embeddings", 1 << 24)?,
            heads: Heads::new(heads, head_size),
            gate: Gate::new(Activation::Silu),
            norm: (NormKind::Root, 1e-6),
            places: Places::Before,
            first_norm: true,
            embeddings_norm: false,
            embeddings_scale: 1.0,
            kinds: Vec::new(),
            kind_of: vec![0; layers],
            dropout: Dropouts::default(),
            initializer_range,
        })
    }

    /// The same reach and the same positions in all layers.
    pub(super) fn with_layers_alike(self, reach: Reach, rope: Rope) -> Self {
        Self { kinds: vec![Kind { reach, rope }], ..self }
    }

    /// One kind for the layers whose type is "full_attention", and another for those whose type is
    /// "sliding_attention": the types are in the fields, or those layers slide that `slides` names.
    pub(super) fn with_types(
        self,
        fields: &Fields,
        slides: impl Fn(usize) -> bool,
        full: Kind,
        sliding: Option<Kind>,
    ) -> Result<Self, String> {
        let kind_of: Vec<usize> = match fields.optional::<Vec<String>>("layer_types")? {
            Some(types) => types.iter().map(|name| kind(name)).collect::<Result<_, _>>()?,
            None => (0..self.kind_of.len()).map(|index| usize::from(slides(index))).collect(),
        };
        if kind_of.len() != self.kind_of.len() {
            let (types, layers) = (kind_of.len(), self.kind_of.len());
            return Err(format!("`layer_types` has {types} types for {layers} layers"));
        }
        if sliding.is_none() && kind_of.contains(&1) {
            return Err("layers slide, but `sliding_window` is not set".to_string());
        }
        Ok(Self { kinds: std::iter::once(full).chain(sliding).collect(), kind_of, ..self })
    }

    /// Whether text pairs are scored with the head of ModernBERT.
    pub(crate) fn has_modern_head(&self) -> bool {
        self.family == Family::ModernBert
    }

    /// A normalisation of hidden states.
    pub(crate) fn hidden_norm(&self, device: &Device) -> Norm {
        self.norm(self.hidden_size, device)
    }

    pub(super) fn norm(&self, size: usize, device: &Device) -> Norm {
        let (kind, epsilon) = self.norm;
        Norm::new(kind, epsilon, size, device)
    }

    pub(super) fn linear(
        &self,
        [inputs, outputs]: [usize; 2],
        bias: bool,
        device: &Device,
    ) -> Linear {
        let layer = linear_without_bias(inputs, outputs, self.initializer_range, device);
        Linear { bias: bias.then(|| zeros(outputs, device)), ..layer }
    }
}

/// The index of a kind of layer, by the name of its type.
fn kind(name: &str) -> Result<usize, String> {
    match name {
        "full_attention" => Ok(0),
        "sliding_attention" => Ok(1),
        other => Err(format!(
            "`layer_types` has {other:?}; supported are \"full_attention\", \"sliding_attention\""
        )),
    }
}
