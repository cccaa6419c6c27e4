//! The weights that some losses own, by PyTorch's names and in its layout.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::{DType, Gradients};
use burn_embedding_losses::catalog::AnyLoss;

use crate::nested::Nested;
use crate::subject::numbers;

/// The loss with the weights of a case on the device, if it owns any.
///
/// # Errors
///
/// If the case does not give a weight that the loss owns, or gives it in another shape.
pub fn set(
    loss: AnyLoss,
    given: Option<&BTreeMap<String, Nested>>,
    device: &Device,
    dtype: DType,
) -> Result<AnyLoss, String> {
    let mut setter = Setter { path: Path::default(), given, device, dtype, failure: None };
    let loss = loss.map(&mut setter);
    setter.failure.map_or(Ok(loss), Err)
}

/// The shape of each weight.
pub fn shapes(loss: &AnyLoss) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes::default();
    loss.visit(&mut shapes);
    shapes.found
}

/// The gradient of each weight that has one.
pub fn gradients(loss: &AnyLoss, all: &Gradients) -> BTreeMap<String, Vec<f64>> {
    let mut visitor = OfWeights { path: Path::default(), all, found: BTreeMap::new() };
    loss.visit(&mut visitor);
    visitor.found
}

/// The path to a weight in a loss: field names, each with the type that has the field.
#[derive(Default)]
struct Path(Vec<(String, String)>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.push((name.into(), container.into()));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    /// PyTorch's name of the weight, in which the variant of [`AnyLoss`] does not appear.
    fn name(&self) -> String {
        let fields = self.0.iter().filter(|(_, container)| !container.starts_with("Enum:"));
        fields.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(".")
    }

    /// The weight in the layout of the other library: a linear layer is `[out, in]` in PyTorch and
    /// `[in, out]` in Burn.
    fn turned<const D: usize>(&self, weight: Tensor<D>) -> Tensor<D> {
        let linear = self.0.last().is_some_and(|(_, container)| container == "Struct:Linear");
        if linear && D == 2 { weight.swap_dims(0, 1) } else { weight }
    }
}

struct Setter<'a> {
    path: Path,
    given: Option<&'a BTreeMap<String, Nested>>,
    device: &'a Device,
    dtype: DType,
    failure: Option<String>,
}

impl Setter<'_> {
    fn weight<const D: usize>(&self, old: &Tensor<D>) -> Result<Tensor<D>, String> {
        let name = self.path.name();
        let given = self.given.and_then(|given| given.get(&name));
        let given = given.ok_or(format!("the loss owns `{name}`, the case does not give it"))?;
        // A parameter that is a number in PyTorch is a vector of one here.
        let number = Nested { shape: vec![1], data: given.data.clone() };
        let given = if given.shape.is_empty() { &number } else { given };
        let weight = self.path.turned(given.tensor(self.device, self.dtype)?);
        match weight.dims() == old.dims() {
            true => Ok(weight),
            false => Err(format!("`{name}` must be {:?}, got {:?}", old.dims(), weight.dims())),
        }
    }
}

impl ModuleMapper for Setter<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.weight(&param.val()) {
            Ok(weight) => Param::from_tensor(weight),
            Err(why) => {
                self.failure.get_or_insert(why);
                param
            }
        }
    }
}

#[derive(Default)]
struct Shapes {
    path: Path,
    found: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = self.path.turned(param.val()).dims().to_vec();
        self.found.insert(self.path.name(), shape);
    }
}

struct OfWeights<'a> {
    path: Path,
    all: &'a Gradients,
    found: BTreeMap<String, Vec<f64>>,
}

impl ModuleVisitor for OfWeights<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.all) {
            self.found.insert(self.path.name(), numbers(self.path.turned(gradient)));
        }
    }
}
