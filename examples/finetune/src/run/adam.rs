//! AdamW in one pass over each parameter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::optim::{AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Tensor};
use burn_embedding_losses::fused::AdamStep;

/// AdamW as PyTorch's defaults have it. Its state is that of Burn's AdamW, and so are the numbers up to rounding.
#[derive(Debug, Clone)]
pub struct AdamW {
    /// The weight decay, times the learning rate the share of itself that a parameter loses in each step.
    pub weight_decay: f32,
    /// The factor of the gradients of the current step.
    pub gradient_scale: Shared,
    /// The factor of the learning rate.
    pub rate: f64,
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let state = state.map(|state| state.momentum);
        let time = state.as_ref().map_or(0, |state| state.time) + 1;
        let step = AdamStep {
            learning_rate: self.rate * learning_rate,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: self.weight_decay.into(),
            gradient_scale: self.gradient_scale.get(),
            time,
        };
        let moments = state.map(|state| [state.moment_1, state.moment_2]);
        let (parameter, [first, second]) = step.apply(parameter, gradient, moments);
        let momentum = AdaptiveMomentumState::new(time, first, second);
        (parameter, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamWState::new(state.momentum.to_device(device))
    }
}

/// A number that all clones share: Burn gives an optimizer only the learning rate of a step.
#[derive(Debug, Clone)]
pub struct Shared(Arc<AtomicU64>);

impl Shared {
    /// A number to share.
    pub fn new(value: f64) -> Self {
        Self(Arc::new(AtomicU64::new(value.to_bits())))
    }

    /// Changes it everywhere.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::{AdamWConfig, ModuleOptimizer};
    use burn::tensor::{DType, Distribution};

    use super::*;

    /// Parameter and gradients of five steps, the same each time.
    fn random(dtype: DType) -> (Tensor<2>, Vec<Tensor<2>>) {
        let device = Device::flex();
        device.seed(3);
        let draw = |_| {
            let x = Tensor::<2>::random([70, 600], Distribution::Normal(0.0, 1.0), &device);
            x.cast(dtype)
        };
        (draw(0), (0..5).map(draw).collect())
    }

    fn assert_close<const D: usize>(found: Tensor<D>, expected: Tensor<D>) {
        let off = (found.cast(DType::F64) - expected.cast(DType::F64)).abs().max();
        let off = off.into_scalar::<f64>();
        assert!(off < 1e-6, "{off}");
    }

    #[test]
    fn parameters_and_moments_are_those_of_burn() {
        for dtype in [DType::F32, DType::F64] {
            let (start, gradients) = random(dtype);
            let burn = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.1).build();
            let ours = AdamW { weight_decay: 0.1, gradient_scale: Shared::new(0.25), rate: 1.0 };
            let (mut expected, mut found) = ((start.clone(), None), (start, None));
            for gradient in gradients {
                expected = burn.step(0.01, expected.0, gradient.clone() * 0.25, expected.1);
                found = ours.step(0.01, found.0, gradient, found.1);
            }
            assert_close(found.0, expected.0);
            let [found, expected] = [found.1, expected.1].map(|state| state.unwrap().momentum);
            assert_eq!((found.time, expected.time), (5, 5));
            assert_close(found.moment_1, expected.moment_1);
            assert_close(found.moment_2, expected.moment_2);
        }
    }

    #[test]
    fn the_state_is_that_of_burn() {
        use burn::module::Param;
        use burn::nn::Linear;
        use burn::optim::GradientsParams;

        let device = Device::flex().autodiff();
        let (start, gradients) = random(DType::F32);
        let weight = Param::from_tensor(Tensor::from_inner(start)).set_require_grad(true);
        let id = weight.id;
        let mut layer = Linear { weight, bias: None };
        let step = |optimizer: &mut ModuleOptimizer, layer: Linear, gradient: &Tensor<2>| {
            let mut all = GradientsParams::new();
            all.register(id, gradient.clone());
            optimizer.step(0.01, layer, all)
        };
        let ours = AdamW { weight_decay: 0.1, gradient_scale: Shared::new(1.0), rate: 1.0 };
        let mut burns = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.1).init();
        for gradient in &gradients[..2] {
            layer = step(&mut burns, layer, gradient);
        }
        let saved = burns.into_bytes().unwrap();
        let mut loaded = ModuleOptimizer::from(ours).from_bytes(saved).unwrap();
        let expected = step(&mut burns, layer.clone(), &gradients[2]);
        let found = step(&mut loaded, layer, &gradients[2]);
        assert_eq!(found.weight.val().device(), device);
        assert_close(found.weight.val().inner(), expected.weight.val().inner());
    }
}
