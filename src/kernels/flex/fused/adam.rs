//! A step of AdamW in one pass over parameter, gradient and moments.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use crate::kernels::flex::parallel::{PIECE, for_rows_with, numbers, owned};
use crate::kernels::flex::suits;
use crate::kernels::fused::{AdamStep, Given, Moved};

/// The parameter after the step and the moments, or everything back.
#[allow(
    clippy::result_large_err,
    reason = "hands its arguments back; a tensor is large by some features"
)]
pub(in crate::kernels) fn adam_step<const D: usize>(
    step: &AdamStep,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
) -> Result<Moved<D>, Given<D>> {
    let all = [&parameter, &gradient, &moments[0], &moments[1]];
    if !all.into_iter().all(|x| suits(x) && x.dims() == parameter.dims()) {
        return Err((parameter, gradient, moments));
    }
    let gradient = primitive(gradient).to_contiguous();
    let (parameter, [first, second]) =
        moved(step, owned(primitive(parameter)), &gradient, moments.map(|x| owned(primitive(x))));
    let [parameter, first, second] = [parameter, first, second].map(Tensor::from_primitive::<Flex>);
    Ok((parameter, [first, second]))
}

fn primitive<const D: usize>(x: Tensor<D>) -> FlexTensor {
    x.try_into_primitive::<Flex>().expect("a tensor of Flex without a graph")
}

fn moved(
    step: &AdamStep,
    mut parameter: FlexTensor,
    gradient: &FlexTensor,
    [mut first, mut second]: [FlexTensor; 2],
) -> (FlexTensor, [FlexTensor; 2]) {
    let gradient = numbers(gradient);
    let mut moments: Vec<_> = first
        .storage_mut::<f32>()
        .chunks_mut(PIECE)
        .zip(second.storage_mut::<f32>().chunks_mut(PIECE))
        .collect();
    let factors = Factors::new(step);
    let numbers = parameter.storage_mut::<f32>();
    for_rows_with(numbers, PIECE, &mut moments, gradient.len(), |i, p, (m, v)| {
        let g = &gradient[i * PIECE..];
        for ((p, m), (v, &g)) in p.iter_mut().zip(m.iter_mut()).zip(v.iter_mut().zip(g)) {
            factors.apply(p, g, m, v);
        }
    });
    (parameter, [first, second])
}

/// The numbers of an [`AdamStep`] as they are used.
struct Factors {
    scale: f32,
    kept: f32,
    rate: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    /// The divisors of the moments.
    corrections: [f32; 2],
}

impl Factors {
    fn new(step: &AdamStep) -> Self {
        Self {
            scale: step.gradient_scale as f32,
            kept: (1.0 - step.learning_rate * step.weight_decay) as f32,
            rate: step.learning_rate as f32,
            beta_1: step.beta_1,
            beta_2: step.beta_2,
            epsilon: step.epsilon,
            corrections: step.corrections(),
        }
    }

    #[inline(always)]
    fn apply(&self, p: &mut f32, g: f32, m: &mut f32, v: &mut f32) {
        let g = self.scale * g;
        *m = self.beta_1 * *m + (1.0 - self.beta_1) * g;
        *v = self.beta_2 * *v + (1.0 - self.beta_2) * (g * g);
        let [of_m, of_v] = self.corrections;
        let change = (*m / of_m) / ((*v / of_v).sqrt() + self.epsilon);
        *p = self.kept * *p - self.rate * change;
    }
}
