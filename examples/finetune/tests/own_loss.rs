//! A loss of your own, in blocks and with a parameter of its own, in the training program: it implements `Criterion` and
//! `TrainingLoss`, and `Session::run_with` takes it.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Tensor};
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::blocks::{self, Blocks};
use burn_embedding_losses::catalog::{BatchKind, TrainingLoss};
use burn_embedding_losses::scores::{Comparison, PairwiseScores, Scores, Side};
use burn_embedding_losses::{Criterion, Similarity};
use finetune::data::corpus;
use finetune::report::console::Console;
use finetune::run::evaluation::Measure;
use finetune::run::schedule::Schedule;
use finetune::run::session::Session;

/// Decoupled contrastive learning, InfoNCE without the positive in its own denominator, by some of the numbers of an
/// embedding: those that a learned gate lets through.
#[derive(Module, Debug)]
struct GatedContrastiveLoss {
    /// `[dim]`.
    gate: Param<Tensor<1>>,
    scale: f64,
}

impl<B: Into<RetrievalBatch>> Criterion<B> for GatedContrastiveLoss {
    fn loss(&self, batch: B) -> Tensor<1> {
        let (queries, positives, negatives) = batch.into().into_parts();
        let gate = self.gate.val().unsqueeze::<2>();
        let gated = |rows: Tensor<2>| rows * gate.clone();
        let (device, shape) = (queries.device(), queries.dims());
        let negatives = negatives.into_iter().map(gated).collect();
        let scores =
            PairwiseScores::new(Similarity::Cosine, gated(queries), gated(positives), negatives);
        let bytes_per_anchor = 8 * size_of::<f32>() * scores.rows(Side::Documents);
        let blocks = Blocks::within("GatedContrastiveLoss", None, &device, shape, bytes_per_anchor);
        blocks::sum(scores, blocks, |anchors, scores| {
            let first = anchors.start as i64;
            let z = scores.block(Comparison::QUERY_TO_DOCUMENT, anchors, self.scale);
            let others = Tensor::<2, Bool>::diag_mask(z.dims(), first, &z.device());
            let positive = z.clone().mask_fill(others.clone(), 0.0).sum_dim(1);
            let z = z.mask_fill(others.bool_not(), f32::MIN);
            let largest = z.clone().inner().max_dim(1);
            let log_sum = (z - largest.clone()).exp().sum_dim(1).log() + largest;
            (log_sum - positive).sum().div_scalar(shape[0] as f64)
        })
    }
}

impl TrainingLoss for GatedContrastiveLoss {
    fn name(&self) -> &str {
        "GatedContrastiveLoss"
    }

    fn takes(&self) -> BatchKind {
        BatchKind::Rankings
    }
}

#[test]
fn a_loss_of_your_own_trains_an_encoder() {
    let (training, evaluation) = (corpus::training().unwrap(), corpus::evaluation().unwrap());
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        schedule: Schedule { steps: Some(40), epochs: 20, seed: 7, ..Schedule::default() },
        device: Device::flex(),
        more_devices: Vec::new(),
        checkpoints: None,
        guide: None,
        resume: false,
        log: None,
    };
    let (start, config) = session.from_scratch().unwrap();
    let loss = GatedContrastiveLoss {
        gate: Param::from_tensor(Tensor::ones([config.dimension], &session.tracking())),
        scale: 20.0,
    };
    let outcome = session.run_with(start, loss, &Console::silent()).unwrap();
    let [before, after] = [&outcome.before, &outcome.after]
        .map(|evaluation| evaluation.get(Measure::Retrieval).unwrap().value);
    assert!(after > before + 0.015, "{before} -> {after}");
}
