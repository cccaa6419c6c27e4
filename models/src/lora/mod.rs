//! LoRA: small matrices that are trained beside linear layers, whose own weights stay as they are.
//!
//! An adapted layer gives `W x + (alpha / r) · B(A(dropout(x)))`, as in `peft`.

mod low_rank;

use std::collections::BTreeMap;

use burn::module::{Param, ParamId, Reparameterizer};
use burn::tensor::Tensor;

pub use low_rank::LowRank;
pub(crate) use low_rank::Project;

/// The target that stands for every linear layer of a network.
pub const ALL_LINEAR: &str = "all-linear";

/// The highest rank.
const MAX_RANK: usize = 4096;

/// Which layers get an adapter, and of what size.
///
/// ```
/// use burn_embedding_models::LoraConfig;
///
/// let config = LoraConfig::new(16, 32.0).with_dropout(0.05).with_targets(["query", "value"]);
/// assert_eq!(config.check(), Ok(()));
/// let message = LoraConfig::new(0, 32.0).check().unwrap_err();
/// assert_eq!(message, "`r` is 0, expected 1 to 4096");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LoraConfig {
    /// The rank, from 1 to 4096: the number of rows of A and of columns of B.
    pub r: usize,
    /// The product is multiplied with `alpha / r`; above 0.
    pub alpha: f64,
    /// Dropout of what goes into A while training, from 0 to below 1.
    pub dropout: f64,
    /// The layers, by the names that `transformers` gives them or the ends of these, such as `query`;
    /// `all-linear` for all. If there are none, those that `peft` adapts in such a model: queries and
    /// values, or all linear layers where `peft` has no rule.
    pub targets: Vec<String>,
}

impl LoraConfig {
    /// Adapters of rank `r`, without dropout, for the layers that `peft` adapts.
    pub fn new(r: usize, alpha: f64) -> Self {
        Self { r, alpha, dropout: 0.0, targets: Vec::new() }
    }

    /// Sets the dropout of what goes into A.
    pub fn with_dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }

    /// Sets the layers.
    pub fn with_targets<T: Into<String>>(self, targets: impl IntoIterator<Item = T>) -> Self {
        Self { targets: targets.into_iter().map(Into::into).collect(), ..self }
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// Names the field, its value and the rule.
    pub fn check(&self) -> Result<(), String> {
        let Self { r, alpha, dropout, .. } = self;
        if !(1..=MAX_RANK).contains(r) {
            return Err(format!("`r` is {r}, expected 1 to {MAX_RANK}"));
        }
        if !(alpha.is_finite() && *alpha > 0.0) {
            return Err(format!("`alpha` is {alpha}, expected a number above 0"));
        }
        if !(0.0..1.0).contains(dropout) {
            return Err(format!("`dropout` is {dropout}, expected 0 to below 1"));
        }
        Ok(())
    }

    /// Of the names of all linear layers of a network, those to adapt; `usual` are the targets if none
    /// are given, all layers if it is empty too.
    pub(crate) fn choose<'a>(
        &self,
        layers: &[&'a str],
        usual: &[&str],
    ) -> Result<Vec<&'a str>, String> {
        let mut targets: Vec<&str> = self.targets.iter().map(String::as_str).collect();
        if targets.is_empty() {
            targets = usual.to_vec();
        }
        match targets[..] {
            [] | [ALL_LINEAR] => return Ok(layers.to_vec()),
            _ if targets.contains(&ALL_LINEAR) => {
                let reason = "which stands for all layers: leave the others out";
                return Err(format!("`targets` has {ALL_LINEAR}, {reason}"));
            }
            _ => {}
        }
        let unknown = |target: &&&str| !layers.iter().any(|name| ends_with(name, target));
        if let Some(target) = targets.iter().find(unknown) {
            let mut known: Vec<_> =
                layers.iter().filter_map(|name| name.rsplit('.').next()).collect();
            known.sort_unstable();
            known.dedup();
            return Err(format!(
                "`targets` has {target:?}, which is no linear layer of the model; it has {}, and \
                 {ALL_LINEAR} stands for all",
                known.join(", ")
            ));
        }
        let chosen = |name: &&&str| targets.iter().any(|target| ends_with(name, target));
        Ok(layers.iter().filter(chosen).copied().collect())
    }
}

/// Whether a name is `target`, or ends with a dot and `target`.
fn ends_with(name: &str, target: &str) -> bool {
    let start = name.strip_suffix(target);
    start.is_some_and(|start| start.is_empty() || start.ends_with('.'))
}

/// Puts an adapter beside each weight in `layers`.
pub(crate) struct Attach<'a> {
    pub config: &'a LoraConfig,
    pub layers: BTreeMap<ParamId, [usize; 2]>,
}

impl Reparameterizer for Attach<'_> {
    type Reparam = LowRank;

    fn reparameterize<const D: usize>(
        &mut self,
        _path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<LowRank>) {
        let shape = self.layers.get(&param.id);
        let adapter = shape.map(|shape| LowRank::new(self.config, *shape, &param.lazy_device()));
        (param, adapter)
    }
}
