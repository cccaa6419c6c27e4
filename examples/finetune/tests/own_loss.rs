//! A loss of your own, with a parameter of its own, in the training program: it implements `Criterion` and
//! `TrainingLoss`, and `Session::run_with` takes it.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::catalog::{BatchKind, TrainingLoss};
use burn_embedding_losses::{
    Criterion, MultipleNegativesRankingLoss, MultipleNegativesRankingLossConfig,
};
use finetune::data::corpus;
use finetune::report::console::Console;
use finetune::run::evaluation::Measure;
use finetune::run::schedule::Schedule;
use finetune::run::session::Session;

/// Ranking by some of the numbers of an embedding, those that a learned gate lets through.
#[derive(Module, Debug)]
struct GatedRankingLoss {
    /// `[dim]`.
    gate: Param<Tensor<1>>,
    ranking: MultipleNegativesRankingLoss,
}

impl<B: Into<RetrievalBatch>> Criterion<B> for GatedRankingLoss {
    fn loss(&self, batch: B) -> Tensor<1> {
        let (anchor, positive, negatives) = batch.into().into_parts();
        let gate = self.gate.val().unsqueeze::<2>();
        let gated = |rows: Tensor<2>| rows * gate.clone();
        let negatives = negatives.into_iter().map(gated).collect();
        let batch = RetrievalBatch::new(gated(anchor), gated(positive), negatives);
        self.ranking.forward(batch)
    }
}

impl TrainingLoss for GatedRankingLoss {
    fn name(&self) -> &str {
        "GatedRankingLoss"
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
        checkpoints: None,
        guide: None,
        resume: false,
        log: None,
    };
    let (start, config) = session.from_scratch().unwrap();
    let loss = GatedRankingLoss {
        gate: Param::from_tensor(Tensor::ones([config.dimension], &session.tracking())),
        ranking: MultipleNegativesRankingLossConfig::new().init(),
    };
    let outcome = session.run_with(start, loss, &Console::silent()).unwrap();
    let [before, after] = [&outcome.before, &outcome.after]
        .map(|evaluation| evaluation.get(Measure::Retrieval).unwrap().value);
    assert!(after > before + 0.015, "{before} -> {after}");
}
