//! The parameters of a module, as a file has them.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use super::file_name;
use crate::network::Network;
use crate::shape::Names;

/// A parameter, with name and shape as PyTorch has them.
pub struct Parameter {
    /// Its identity in the module.
    pub id: ParamId,
    /// Its path in the module.
    pub name: String,
    /// Of a linear layer's weight: outputs, inputs.
    pub shape: Vec<usize>,
    /// Whether it belongs to a linear layer of the module itself, not to an adapter.
    linear: bool,
}

/// All parameters of a module; none of their values is made for it.
pub fn of<M: Module>(model: &M) -> Vec<Parameter> {
    let mut visitor = Parameters::default();
    model.visit(&mut visitor);
    visitor.found
}

/// The weights of the linear layers that embeddings are made with, each with the name that
/// `transformers` gives to its layer.
pub fn linear_layers(network: &Network, names: Names) -> Vec<(String, Parameter)> {
    // The pooler takes no part in embeddings.
    let used = |it: &Parameter| it.linear && it.shape.len() == 2 && !it.name.starts_with("pooler.");
    let named = |it: Parameter| {
        let name = file_name(&it.name, names);
        (name.trim_end_matches(".weight").to_string(), it)
    };
    of(network).into_iter().filter(used).map(named).collect()
}

/// PyTorch's names for the parameters of a normalisation.
pub fn as_in_pytorch(path: &str) -> String {
    path.replace(".gamma", ".weight").replace(".beta", ".bias")
}

#[derive(Default)]
struct Parameters {
    path: Vec<String>,
    containers: Vec<String>,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !is_enum(container) {
            self.path.push(name.to_string());
        }
        self.containers.push(container.to_string());
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !is_enum(container) {
            self.path.pop();
        }
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Asks a parameter that was not made yet for its shape only.
        let mut shape = param.lazy_shape().to_vec();
        let within = |kind: &str| self.containers.iter().any(|container| container == kind);
        let linear = within("Struct:Linear");
        if linear {
            shape.reverse();
        }
        let linear = linear && !within("Reparameterization");
        let name = as_in_pytorch(&self.path.join("."));
        self.found.push(Parameter { id: param.id, name, shape, linear });
    }
}

/// A name in a file does not say which kind of network it is in.
fn is_enum(container: &str) -> bool {
    container.starts_with("Enum:")
}
