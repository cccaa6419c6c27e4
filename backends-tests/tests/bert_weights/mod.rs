//! The weights of a decoder by the names of Hugging Face's `BertLMHeadModel`.

use std::collections::BTreeMap;

use backends_tests::nested::Nested;
use backends_tests::subject::numbers;
use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::{DType, Gradients};
use burn_embedding_models::TransformerConfig;
use burn_embedding_models::decoder::TransformerDecoder;
use burn_embedding_models::shape::Shape;
use burn_embedding_models::weights::file_name;

/// Parts of our names outside the transformer, and their names there.
const RENAMED: [(&str, &str); 7] = [
    ("extension.cross_attentions.", "bert.encoder.layer."),
    ("extension.head.bias", "cls.predictions.bias"),
    ("extension.head.", "cls.predictions.transform."),
    (".crossattention.value", ".crossattention.self.value"),
    (".layer_norm", ".LayerNorm"),
    (".gamma", ".weight"),
    (".beta", ".bias"),
];

/// The decoder with the given weights in the given type.
pub fn with_weights(
    decoder: TransformerDecoder,
    weights: &BTreeMap<String, Nested>,
    device: &Device,
    dtype: DType,
) -> TransformerDecoder {
    decoder.map(&mut Load { place: Place::default(), weights, device, dtype })
}

/// The gradients by name, in PyTorch's layout.
pub fn gradients_of(
    decoder: &TransformerDecoder,
    gradients: &Gradients,
) -> BTreeMap<String, Vec<f64>> {
    let mut read = Read { place: Place::default(), gradients, found: BTreeMap::new() };
    decoder.visit(&mut read);
    read.found
}

/// Where in a module a traversal is.
#[derive(Default)]
struct Place {
    path: Vec<String>,
    containers: Vec<String>,
}

impl Place {
    fn enter(&mut self, name: &str, container: &str) {
        self.path.push(name.into());
        self.containers.push(container.into());
    }

    fn exit(&mut self) {
        self.path.pop();
        self.containers.pop();
    }

    fn name(&self) -> String {
        if let [first, rest @ ..] = &self.path[..]
            && first == "transformer"
        {
            let names = TransformerConfig::bert(1).names();
            return format!("bert.{}", file_name(&rest.join("."), names));
        }
        let mut path = self.path.clone();
        if path[1] == "cross_attentions" {
            path.insert(3, "crossattention".into());
        }
        let name = path.join(".");
        RENAMED.iter().fold(name, |name, (ours, theirs)| name.replace(ours, theirs))
    }

    /// PyTorch keeps the weight of a linear layer as `[out, in]`, Burn as `[in, out]`.
    fn layout<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        let linear = self.containers.last().is_some_and(|container| container == "Struct:Linear");
        if linear && D == 2 { tensor.swap_dims(0, 1) } else { tensor }
    }
}

struct Load<'a> {
    place: Place,
    weights: &'a BTreeMap<String, Nested>,
    device: &'a Device,
    dtype: DType,
}

impl ModuleMapper for Load<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.place.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.place.name();
        let found = self.weights.get(&name).unwrap_or_else(|| panic!("no weight `{name}`"));
        let weight = found.tensor::<D>(self.device, self.dtype).expect("a weight of this rank");
        let weight = self.place.layout(weight);
        assert_eq!(weight.dims(), param.dims(), "{name}");
        Param::from_tensor(weight)
    }
}

struct Read<'a> {
    place: Place,
    gradients: &'a Gradients,
    found: BTreeMap<String, Vec<f64>>,
}

impl ModuleVisitor for Read<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let gradient = numbers(self.place.layout(gradient));
            self.found.insert(self.place.name(), gradient);
        }
    }
}
