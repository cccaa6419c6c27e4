//! For tests: weights that are the same in every run.

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The module with weights between −1 and 1 that depend on nothing but its shapes.
pub(super) fn with_fixed_weights<M: Module>(module: M) -> M {
    module.map(&mut FixedWeights(StdRng::seed_from_u64(3)))
}

struct FixedWeights(StdRng);

impl ModuleMapper for FixedWeights {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.shape();
        let numbers = (0..shape.num_elements()).map(|_| self.0.random_range(-1.0f32..1.0));
        let data = TensorData::new(numbers.collect(), shape);
        Param::from_tensor(Tensor::from_data(data, &param.device()))
    }
}
