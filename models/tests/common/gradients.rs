//! Gradients of the tiny models, by the names of the parameters.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use super::texts;

/// The texts without the padding token, whose vector PyTorch keeps as it is.
pub fn texts_without_padding() -> Vec<String> {
    texts().into_iter().filter(|text| !text.contains("[PAD]")).collect()
}

/// The sum of the squares of all embeddings, each number weighted by its place.
pub fn weighted_squares(embeddings: Tensor<2>) -> Tensor<1> {
    let shape @ [rows, columns] = embeddings.dims();
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| 7 * row + 3 * column));
    let weights: Vec<f32> = places.map(|place| ((place % 11) as f32 - 5.0) / 5.0).collect();
    let weights = Tensor::from_data(TensorData::new(weights, shape), &embeddings.device());
    (embeddings * weights).square().sum()
}

/// The gradients of all parameters by their names in a file.
struct Found<'a> {
    path: Vec<String>,
    containers: Vec<String>,
    /// From the path of a parameter to its name.
    name: &'a dyn Fn(&str) -> String,
    gradients: &'a Gradients,
    values: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Found<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        let name = if container.starts_with("Enum:") { String::new() } else { name.to_string() };
        self.path.push(name);
        self.containers.push(container.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.val().grad(self.gradients) else { return };
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let path: Vec<&str> = path.into_iter().filter(|name| !name.is_empty()).collect();
        let name = (self.name)(&path.join("."));
        // PyTorch has an output of a linear layer in each row, Burn in each column.
        let transposed = self.containers.last().is_some_and(|it| it == "Struct:Linear");
        let gradient = if transposed { gradient.swap_dims(0, D - 1) } else { gradient };
        self.values.insert(name, gradient.into_data().iter().collect());
    }
}

/// The gradients of a module's parameters by the names that `name` makes of their paths.
pub fn named<M: Module>(
    module: &M,
    gradients: &Gradients,
    name: &dyn Fn(&str) -> String,
) -> BTreeMap<String, Vec<f32>> {
    let values = BTreeMap::new();
    let mut found = Found { path: Vec::new(), containers: Vec::new(), name, gradients, values };
    module.visit(&mut found);
    found.values
}
