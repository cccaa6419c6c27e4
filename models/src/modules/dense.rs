//! Dense: a linear layer, an activation and, if asked for, the input added again.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::Deserialize;

use super::features::{Features, Sizes, Vectors};
use crate::transformer::{Activation, check_size};

/// The largest vectors that a layer may take or give.
const LARGEST: usize = 1 << 17;

/// `activation(x Wᵀ + b)`, and `+ x` or `+ x Rᵀ` with a residual connection.
///
/// Source: `sentence_transformers.base.modules.dense`.
#[derive(Module, Debug)]
pub struct Dense {
    linear: Linear,
    residual: Option<Linear>,
    use_residual: bool,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    vectors: Vectors,
}

/// The `config.json` of a [`Dense`].
#[derive(Debug, Clone, Deserialize)]
pub struct DenseConfig {
    in_features: usize,
    out_features: usize,
    #[serde(default = "yes")]
    bias: bool,
    activation_function: Option<String>,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
    #[serde(default)]
    use_residual: bool,
}

fn yes() -> bool {
    true
}

impl DenseConfig {
    /// A layer whose parameters are only drawn if they are used before others are loaded.
    pub(crate) fn init(&self, device: &Device) -> Result<Dense, String> {
        let (inputs, outputs) = (self.in_features, self.out_features);
        for (name, size) in [("in_features", inputs), ("out_features", outputs)] {
            check_size(name, size, LARGEST)?;
        }
        let linear = |bias| LinearConfig::new(inputs, outputs).with_bias(bias).init(device);
        let names = [&self.module_input_name, &self.module_output_name];
        let [input, output] = names.map(|name| name.as_deref());
        Ok(Dense {
            linear: linear(self.bias),
            residual: (self.use_residual && inputs != outputs).then(|| linear(false)),
            use_residual: self.use_residual,
            activation: activation(self.activation_function.as_deref())?,
            vectors: Vectors::named(input, output)?,
        })
    }
}

impl Dense {
    pub(super) fn forward(&self, features: Features) -> Features {
        features.map(self.vectors, |rows| self.rows(rows))
    }

    fn rows(&self, rows: Tensor<2>) -> Tensor<2> {
        let changed = self.activation.forward(self.linear.forward(rows.clone()));
        match (&self.residual, self.use_residual) {
            (Some(residual), _) => changed + residual.forward(rows),
            (None, true) => changed + rows,
            (None, false) => changed,
        }
    }

    pub(super) fn sizes(&self, before: Sizes) -> Result<Sizes, String> {
        let [inputs, outputs] = self.linear.weight.lazy_shape().dims();
        before.expect(self.vectors, "in_features", inputs)?;
        Ok(before.with(self.vectors, outputs))
    }
}

/// The activations of PyTorch that can be read, by their class.
const ACTIVATIONS: [(&str, Activation); 12] = [
    ("Tanh", Activation::Tanh),
    ("Identity", Activation::Linear),
    ("ReLU", Activation::Relu),
    ("GELU", Activation::Gelu),
    ("Sigmoid", Activation::Sigmoid),
    ("SiLU", Activation::Silu),
    ("Mish", Activation::Mish),
    ("LeakyReLU", Activation::LeakyRelu),
    ("ReLU6", Activation::ReluUpTo6),
    ("Hardswish", Activation::HardSilu),
    ("ELU", Activation::Elu),
    ("Softplus", Activation::Softplus),
];

/// The activation whose class has this path in Python: the hyperbolic tangent if none is named.
fn activation(path: Option<&str>) -> Result<Activation, String> {
    let path = path.unwrap_or("torch.nn.modules.activation.Tanh");
    let class = path.rsplit('.').next().unwrap_or(path);
    let found = ACTIVATIONS.iter().find(|(name, _)| path.starts_with("torch.") && *name == class);
    found.map(|(_, activation)| *activation).ok_or_else(|| {
        let names = ACTIVATIONS.map(|(name, _)| name).join(", ");
        format!(
            "`activation_function` is {path:?}; supported are PyTorch's {names}, such as \
             \"torch.nn.modules.activation.Tanh\""
        )
    })
}
