//! AdamW as sentence-transformers uses it: parameter groups, a bound on the gradient of all
//! parameters together, and a learning rate that rises and falls.

use std::path::Path;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use super::schedule::Schedule;
use crate::error::Error;

/// Parameters without weight decay: biases, the scales and shifts of normalisations, and a loss's own scale.
const WITHOUT_DECAY: &str = r"bias|\.(gamma|beta|log_scale)$";

/// Moves the parameters of a module by their gradients.
#[derive(Clone)]
pub struct Optimizer {
    inner: ModuleOptimizer,
    shares: ModuleLrScheduler,
    peak: f64,
    max_norm: f64,
}

/// The figures of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerStep {
    /// The learning rate.
    pub learning_rate: f64,
    /// The length of the gradient of all parameters together, before it was bounded.
    pub gradient_norm: f64,
}

impl Optimizer {
    /// An optimizer for a run of `steps` steps.
    pub fn new(schedule: &Schedule, steps: usize) -> Self {
        let adam = AdamWConfig::new().with_epsilon(1e-8);
        let group = ParamGroup::from_regex(WITHOUT_DECAY).expect("the pattern is a constant");
        let without_decay = adam.clone().with_weight_decay(0.0).build();
        let adam = adam.with_weight_decay(schedule.weight_decay);
        Self {
            inner: adam.init().with_group(group, without_decay, None),
            shares: schedule.shares(steps),
            peak: schedule.learning_rate,
            max_norm: schedule.max_gradient_norm,
        }
    }

    /// Takes one step, unless the gradient is not finite.
    pub fn step<M: Module>(&mut self, module: M, gradients: GradientsParams) -> (M, OptimizerStep) {
        let gradient_norm = norm(&module, &gradients);
        let learning_rate = self.peak * self.shares.step().base();
        let taken = OptimizerStep { learning_rate, gradient_norm };
        if !gradient_norm.is_finite() {
            return (module, taken);
        }
        let gradients = if gradient_norm > self.max_norm {
            // PyTorch's epsilon keeps the result from being just above the bound.
            scaled(&module, gradients, self.max_norm / (gradient_norm + 1e-6))
        } else {
            gradients
        };
        (self.inner.step(learning_rate, module, gradients), taken)
    }

    /// Writes the state of the optimizer.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.inner.save(path).map_err(|error| Error::output(path, error))
    }

    /// The optimizer with the state that was saved after `steps` steps.
    pub fn load(mut self, path: &Path, steps: usize) -> Result<Self, Error> {
        self.inner = self.inner.load(path).map_err(|error| Error::read(path, error))?;
        for _ in 0..steps {
            self.shares.step();
        }
        Ok(self)
    }
}

impl std::fmt::Debug for Optimizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Optimizer").field("peak", &self.peak).finish_non_exhaustive()
    }
}

/// The length of all gradients as one vector.
fn norm<M: Module>(module: &M, gradients: &GradientsParams) -> f64 {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                // A power would be slower.
                self.sums.push((gradient.clone() * gradient).sum());
            }
        }
    }
    let mut squares = Squares { gradients, sums: Vec::new() };
    module.visit(&mut squares);
    if squares.sums.is_empty() {
        return 0.0;
    }
    Tensor::cat(squares.sums, 0).into_data().iter::<f64>().sum::<f64>().sqrt()
}

fn scaled<M: Module>(module: &M, gradients: GradientsParams, factor: f64) -> GradientsParams {
    struct Scale {
        gradients: GradientsParams,
        factor: f64,
    }
    impl ModuleVisitor for Scale {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                self.gradients.register(param.id, gradient * self.factor);
            }
        }
    }
    let mut scale = Scale { gradients, factor };
    module.visit(&mut scale);
    scale.gradients
}

#[cfg(test)]
mod tests {
    use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Net {
        linear: Linear,
        norm: LayerNorm,
    }

    fn net() -> Net {
        let device = Device::flex().autodiff();
        let linear = LinearConfig::new(2, 2).init(&device);
        Net { linear, norm: LayerNormConfig::new(2).init(&device) }
    }

    fn values<const D: usize>(tensor: &Param<Tensor<D>>) -> Vec<f32> {
        tensor.val().into_data().iter().collect()
    }

    /// Gradients that are `value` everywhere.
    fn gradients(net: &Net, value: f64) -> GradientsParams {
        let loss = net.linear.weight.val().sum()
            + net.linear.bias.as_ref().unwrap().val().sum()
            + net.norm.gamma.val().sum()
            + net.norm.beta.as_ref().unwrap().val().sum();
        GradientsParams::from_grads((loss * value).backward(), net)
    }

    fn optimizer(schedule: Schedule) -> Optimizer {
        Optimizer::new(&Schedule { warm_up: 0.0, learning_rate: 0.1, ..schedule }, 1)
    }

    #[test]
    fn the_norm_is_that_of_all_gradients_and_is_bounded() {
        let net = net();
        let gradients = gradients(&net, 3.0);
        assert!((norm(&net, &gradients) - 90f64.sqrt()).abs() < 1e-5);
        let scaled = scaled(&net, gradients, 0.5);
        assert!((norm(&net, &scaled) - 22.5f64.sqrt()).abs() < 1e-5);
    }

    #[test]
    fn decay_spares_biases_and_normalisations() {
        let start = net();
        let schedule = |weight_decay| Schedule { weight_decay, ..Schedule::default() };
        let [none, much] = [0.0, 5.0].map(|weight_decay| {
            let gradients = gradients(&start, 1.0);
            optimizer(schedule(weight_decay)).step(start.clone(), gradients).0
        });
        let weights = values(&none.linear.weight).into_iter().zip(values(&much.linear.weight));
        let before = values(&start.linear.weight);
        for ((without, with), before) in weights.zip(before) {
            assert!((without - with - 0.5 * before).abs() < 1e-6, "{without} {with} {before}");
        }
        let biases = |net: &Net| values(net.linear.bias.as_ref().unwrap());
        assert_eq!(biases(&none), biases(&much));
        assert_eq!(values(&none.norm.gamma), values(&much.norm.gamma));
    }

    #[test]
    fn a_gradient_that_is_no_number_moves_nothing() {
        let net = net();
        let before = values(&net.linear.weight);
        let gradients = gradients(&net, f64::NAN);
        let (net, taken) = optimizer(Schedule::default()).step(net, gradients);
        assert!(taken.gradient_norm.is_nan());
        assert_eq!(values(&net.linear.weight), before);
    }
}
