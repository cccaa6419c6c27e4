//! What a run looks at while it trains, to warn of batches and models that it cannot learn from.

use std::collections::BTreeSet;

use burn::tensor::Tensor;
use burn_embedding_losses::Diagnostics;
use burn_embedding_models::TextEncoder;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::batches::{Batch, Step};
use super::encoder_with_loss::EncoderWithLoss;
use super::objective::Trainable;
use super::schedule::Schedule;
use super::train::{Run, StepStats};
use crate::error::Error;
use crate::report::console::Progress;

/// Shorter gradients change nothing.
const NO_GRADIENT: f64 = 1e-12;
/// Between looks at the embeddings, which cost about a third of a step.
const STEPS: usize = 50;
/// Embeddings whose mean cosine is closer to 1 are all alike.
const ALIKE: f64 = 1e-4;

/// The warnings of a run so far: each is given once.
#[derive(Debug, Default)]
pub(super) struct Watch {
    no_signal: bool,
    alike: bool,
}

/// What a look at the first batch of a step found; nothing, where there was no look.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What the loss saw in it; `None` for DenoisingAutoEncoderLoss, which compares no texts.
    pub diagnostics: Option<Diagnostics>,
    /// The mean cosine of two of its texts.
    pub mean_cosine: Option<f64>,
}

impl Watch {
    /// Looks at the first batch of a step: every `diagnose_every` steps, where there was no gradient or
    /// cannot be a meaningful one, and now and then.
    pub(super) fn look<E: TextEncoder, L: Trainable>(
        &self,
        run: &Run<E, L>,
        model: &EncoderWithLoss<E, L>,
        step: &Step,
        stats: &StepStats,
    ) -> Result<Seen, Error> {
        let due = run.schedule.diagnose_every.is_some_and(|every| stats.step.is_multiple_of(every));
        let silent = stats.gradient_norm < NO_GRADIENT;
        let suspicious = !self.no_signal && (silent || run.batches.lacks_classes(&step.batches[0]));
        let now_and_then = stats.step.is_power_of_two() || stats.step.is_multiple_of(STEPS);
        if !due && !suspicious && (self.alike || !now_and_then) {
            return Ok(Seen::default());
        }
        let mut rng = StdRng::seed_from_u64(run.schedule.seed_of(stats.step));
        let batch = run.batches.batch(&step.batches[0], &mut rng)?;
        let mini_batch = run.schedule.mini_batch_size.unwrap_or(batch.texts.len());
        let mut seen = model.look_at(&batch, run.device.clone().inner(), mini_batch);
        seen.diagnostics = seen.diagnostics.filter(|_| due || suspicious);
        // The logits of a reranker are no embeddings: their cosines say nothing.
        let comparable = !run.batches.are_pairs() && can_differ(&batch);
        seen.mean_cosine = seen.mean_cosine.filter(|_| comparable);
        Ok(seen)
    }

    /// Warns of the first batch that the loss has nothing to learn from, and of the first whose embeddings
    /// are all alike.
    pub(super) fn warn(
        &mut self,
        seen: &Seen,
        stats: &StepStats,
        schedule: &Schedule,
        progress: &Progress,
    ) -> Result<(), Error> {
        let step = stats.step;
        if let Some(why) = seen.diagnostics.as_ref().and_then(Diagnostics::dead)
            && !self.no_signal
        {
            self.no_signal = true;
            let hint = match schedule.shuffle {
                true => "",
                false => " (without --no-shuffle, `GroupByLabel` samples the batches)",
            };
            progress.warning(format_args!("step {step} has no signal: {why}{hint}"))?;
        }
        if let Some(cosine) = seen.mean_cosine.filter(|cosine| 1.0 - cosine < ALIKE)
            && !self.alike
        {
            self.alike = true;
            let rate = schedule.learning_rate;
            progress.warning(format_args!(
                "at step {step} all embeddings are alike (mean cosine {cosine:.6}): the model no longer \
                 tells texts apart; stop, and train again with a lower --learning-rate (now {rate})"
            ))?;
        }
        Ok(())
    }
}

/// Whether the embeddings of a batch are expected to differ: not those of one text.
fn can_differ(batch: &Batch) -> bool {
    batch.rows().into_iter().collect::<BTreeSet<_>>().len() > 1
}

/// The mean cosine of two rows, each with itself included.
pub(super) fn mean_cosine(rows: Tensor<2>) -> f64 {
    let [_, dimension] = rows.dims();
    if dimension == 1 {
        // Its cosines are 1 or -1 by nature.
        return 0.0;
    }
    // Scaled first: the squares of large numbers are infinite.
    let largest = rows.clone().abs().max_dim(1).clamp_min(f32::MIN_POSITIVE);
    let rows = rows / largest;
    let length = rows.clone().square().sum_dim(1).sqrt().clamp_min(f32::MIN_POSITIVE);
    let mean = (rows / length).mean_dim(0);
    f64::from(mean.square().sum().into_scalar::<f32>())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_mean_cosine_is_that_of_all_pairs() {
        let device = Device::flex();
        let rows = |rows: [[f32; 2]; 3]| mean_cosine(Tensor::from_floats(rows, &device));
        // Cosines 1 (three times), 0 (twice), -1 (twice) and 0 (twice).
        let mean = rows([[2.0, 0.0], [0.0, 1e30], [-3.0, 0.0]]);
        assert!((mean - 1.0 / 9.0).abs() < 1e-6, "{mean}");
        assert!(1.0 - rows([[1e-30, 1e-30], [2.0, 2.0], [1e30, 1e30]]) < 1e-6);
        assert_eq!(mean_cosine(Tensor::from_floats([[1.0], [1.0]], &device)), 0.0);
    }
}
