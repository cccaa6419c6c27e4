//! The linear layer that some losses own.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::{DType, Gradients};

use crate::nested::Nested;
use crate::subject::numbers;

/// A linear layer with its name in PyTorch, which keeps its weight as `[out, in]`; Burn as
/// `[in, out]`.
pub struct Layer {
    name: &'static str,
    /// The layer.
    pub linear: Linear,
}

impl Layer {
    /// The layer `name` with the weights of a case.
    ///
    /// # Errors
    ///
    /// If the case does not give them.
    pub fn new(
        name: &'static str,
        params: Option<&BTreeMap<String, Nested>>,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, String> {
        let get = |part: &str| {
            let name = format!("{name}.{part}");
            let found = params.and_then(|params| params.get(&name));
            found.ok_or_else(|| format!("the loss owns `{name}`, the case does not give it"))
        };
        let weight = get("weight")?.tensor::<2>(device, dtype)?;
        let bias = get("bias")?.tensor::<1>(device, dtype)?;
        let linear = Linear {
            weight: Param::from_tensor(weight.transpose()),
            bias: Some(Param::from_tensor(bias)),
        };
        Ok(Self { name, linear })
    }

    /// The gradients of weight and bias, in PyTorch's names and layout.
    pub fn gradients(&self, all: &Gradients) -> BTreeMap<String, Vec<f64>> {
        let weight = self.linear.weight.val().grad(all).map(|g| numbers(g.transpose()));
        let bias = self.linear.bias.as_ref().and_then(|bias| bias.val().grad(all)).map(numbers);
        [("weight", weight), ("bias", bias)]
            .into_iter()
            .filter_map(|(part, gradient)| Some((format!("{}.{part}", self.name), gradient?)))
            .collect()
    }
}
