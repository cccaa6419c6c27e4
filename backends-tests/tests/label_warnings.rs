//! A debug build warns of labels that a loss computes with, but that are probably a mistake.

use std::process::Command;

use burn::prelude::*;
use burn_embedding_losses::reranking::BinaryCrossEntropyLossConfig;
use burn_embedding_losses::{
    ContrastiveLossConfig, ContrastiveTensionLossConfig, CosineSimilarityLossConfig,
    OnlineContrastiveLossConfig,
};

/// Twice, with a first label that is right and a second that is not.
#[test]
#[ignore = "run by the other test, which reads what it prints"]
fn odd_labels() {
    let rows = || Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
    let labels = |odd: f32| Tensor::<1>::from_floats([1.0, odd], &Device::flex());
    for _ in 0..2 {
        let _ = ContrastiveLossConfig::new().init().forward((rows(), rows(), labels(-1.0)));
        let _ = ContrastiveTensionLossConfig::new().init().forward((rows(), rows(), labels(2.0)));
        let _ = CosineSimilarityLossConfig::new().init().forward((rows(), rows(), labels(5.0)));
        let _ = OnlineContrastiveLossConfig::new().init().forward((rows(), rows(), labels(0.5)));
        let _ = BinaryCrossEntropyLossConfig::new().init().forward((labels(0.5), labels(3.0)));
    }
}

#[test]
fn each_loss_warns_once_of_labels_that_are_none() {
    let program = std::env::current_exe().expect("this test");
    let odd = Command::new(program)
        .args(["--ignored", "--exact", "odd_labels", "--nocapture"])
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
