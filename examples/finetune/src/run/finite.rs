//! Parameters that are no numbers.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// What to say of such a file.
pub const NOT_FINITE: &str =
    "it holds NaN or infinity, which training or a damaged copy left in it: take another file";

/// Whether all parameters are finite numbers.
pub fn is_finite<M: Module>(module: &M) -> bool {
    let mut finite = Finite(true);
    module.visit(&mut finite);
    finite.0
}

struct Finite(bool);

impl ModuleVisitor for Finite {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0 &= param.val().is_finite().all().into_scalar::<bool>();
    }
}
