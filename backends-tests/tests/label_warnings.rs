//! A debug build warns of labels that a loss computes with, but that are probably a mistake.

use std::process::Command;

use burn::prelude::*;
use burn_embedding_losses::reranking::BinaryCrossEntropyLossConfig;
use burn_embedding_losses::{
    ContrastiveLossConfig, ContrastiveTensionLossConfig, CosineSimilarityLossConfig,
    OnlineContrastiveLossConfig,
};

/// Twice, with a first label that is right and a second that is not: there is a value all the same.
#[test]
fn odd_labels_have_a_finite_loss() {
    let rows = || Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
    let labels = |odd: f32| Tensor::<1>::from_floats([1.0, odd], &Device::flex());
    for _ in 0..2 {
        for loss in [
            ContrastiveLossConfig::new().init().forward((rows(), rows(), labels(-1.0))),
            ContrastiveTensionLossConfig::new().init().forward((rows(), rows(), labels(2.0))),
            CosineSimilarityLossConfig::new().init().forward((rows(), rows(), labels(5.0))),
            OnlineContrastiveLossConfig::new().init().forward((rows(), rows(), labels(0.5))),
            BinaryCrossEntropyLossConfig::new().init().forward((labels(0.5), labels(3.0))),
        ] {
            assert!(loss.into_scalar::<f32>().is_finite());
        }
    }
}

#[test]
fn each_loss_warns_once_of_labels_that_are_none() {
    // In a process of its own, whose warnings can be read.
    let program = std::env::current_exe().expect("this test");
    let odd = Command::new(program)
        .args(["--exact", "odd_labels_have_a_finite_loss", "--nocapture"])
        .output()
        .expect("this test runs");
    assert!(odd.status.success(), "{}", String::from_utf8_lossy(&odd.stdout));
    let printed = String::from_utf8_lossy(&odd.stderr).into_owned();
    let warnings: Vec<_> = printed.lines().filter(|line| line.starts_with("warning")).collect();
    let expected = [
        "warning: ContrastiveLoss: PairBatch: `labels` must be in 0..=1, row 1 is not",
        "warning: ContrastiveTensionLoss: PairBatch: `labels` must be in 0..=1, row 1 is not",
        "warning: CosineSimilarityLoss: PairBatch: `labels` must be in -1..=1, row 1 is not",
        "warning: OnlineContrastiveLoss: PairBatch: `labels` must be 0 or 1, row 1 is not",
        "warning: BinaryCrossEntropyLoss: LogitBatch: `labels` must be in 0..=1, row 1 is not",
    ];
    assert_eq!(warnings, if cfg!(debug_assertions) { &expected[..] } else { &[] });
}
