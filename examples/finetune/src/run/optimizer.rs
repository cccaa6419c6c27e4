//! AdamW as sentence-transformers uses it: parameter groups, a bound on the gradient of all
//! parameters together, and a learning rate that rises and falls.

use std::path::Path;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use burn_embedding_losses::fused::sum_of_squares;

use super::adam::{AdamW, Shared};
use super::schedule::Schedule;
use crate::error::Error;

/// Parameters without weight decay: biases, the scales and shifts of normalisations, and a loss's own scale.
const WITHOUT_DECAY: &str = r"(bias|\.(gamma|beta|log_scale)$|(^|[._])norms?\.)";

/// Moves the parameters of a module by their gradients.
#[derive(Clone)]
pub struct Optimizer {
    inner: ModuleOptimizer,
    /// What all gradients of a step are multiplied with.
    gradient_scale: Shared,
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
    /// An optimizer for a run of `steps` steps, with other learning rates for some routes by their numbers.
    pub fn new(schedule: &Schedule, steps: usize, rates: &[(usize, f64)]) -> Self {
        let gradient_scale = Shared::new(1.0);
        let adam = |weight_decay, rate| {
            let gradient_scale = gradient_scale.clone();
            AdamW { weight_decay, gradient_scale, rate }
        };
        let group = |pattern: &str| {
            ParamGroup::from_regex(pattern).expect("the pattern is a constant with a number")
        };
        let decay = schedule.weight_decay;
        let mut inner = ModuleOptimizer::from(adam(decay, 1.0));
        inner = inner.with_group(group(WITHOUT_DECAY), adam(0.0, 1.0), None);
        // Of several groups of a parameter the last counts.
        for (route, rate) in rates {
            let (route, share) =
                (format!(r"^encoder\.routes\.{route}\."), rate / schedule.learning_rate);
            inner = inner.with_group(group(&route), adam(decay, share), None);
            let without = format!("{route}.*{WITHOUT_DECAY}");
            inner = inner.with_group(group(&without), adam(0.0, share), None);
        }
        Self {
            inner,
            gradient_scale,
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
        // PyTorch's epsilon keeps the result from being just above the bound.
        let bounded = self.max_norm / (gradient_norm + 1e-6);
        self.gradient_scale.set(if gradient_norm > self.max_norm { bounded } else { 1.0 });
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
            self.sums.extend(self.gradients.get::<D>(param.id).map(sum_of_squares));
        }
    }
    let mut squares = Squares { gradients, sums: Vec::new() };
    module.visit(&mut squares);
    if squares.sums.is_empty() {
        return 0.0;
    }
    Tensor::cat(squares.sums, 0).into_data().iter::<f64>().sum::<f64>().sqrt()
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
        Optimizer::new(&Schedule { warm_up: 0.0, learning_rate: 0.1, ..schedule }, 1, &[])
    }

    #[test]
    fn the_norm_is_that_of_all_gradients() {
        let net = net();
        assert!((norm(&net, &gradients(&net, 3.0)) - 90f64.sqrt()).abs() < 1e-5);
    }

    /// A net after a step with gradients of 1 and one with gradients of `second`.
    fn after_two_steps(start: &Net, max_gradient_norm: f64, second: f64) -> Vec<f32> {
        let schedule = Schedule { max_gradient_norm, warm_up: 0.0, ..Schedule::default() };
        let mut optimizer = Optimizer::new(&Schedule { learning_rate: 0.1, ..schedule }, 3, &[]);
        let mut net = start.clone();
        for value in [1.0, second] {
            let gradients = gradients(&net, value);
            net = optimizer.step(net, gradients).0;
        }
        values(&net.linear.weight)
    }

    #[test]
    fn long_gradients_are_bounded_and_short_ones_are_not() {
        let start = net();
        // Ten numbers, so that gradients of 1 are as long as allowed and those of 4 are quartered.
        let bound = 10f64.sqrt() * 1.000_01;
        let [short, long] = [1.0, 4.0].map(|second| after_two_steps(&start, bound, second));
        for (short, long) in short.iter().zip(long) {
            assert!((short - long).abs() < 1e-5, "{short} {long}");
        }
        let free = after_two_steps(&start, 100.0, 4.0);
        assert!(short.iter().zip(free).all(|(short, free)| (short - free).abs() > 1e-3));
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
