//! Forward and backward of every loss on unit rows of dimension 384, by batch size.
//!
//! ```sh
//! cargo bench --bench losses --features flex
//! ```

use burn::prelude::*;
use burn::tensor::Distribution;
use burn_embedding_losses::numeric::UnitRows;
use burn_embedding_losses::prelude::*;
use divan::Bencher;

const BATCHES: [usize; 3] = [64, 256, 1024];
const DIM: usize = 384;

fn main() {
    divan::main();
}

fn rows(n: usize) -> Tensor<2> {
    let device = Device::flex().autodiff();
    let rows = Tensor::random([n, DIM], Distribution::Normal(0.0, 1.0), &device);
    UnitRows::new(rows).rows.require_grad()
}

/// Row i has label i modulo a quarter of the batch.
fn classes(n: usize) -> Tensor<1, Int> {
    let device = Device::flex().autodiff();
    Tensor::arange(0..n as i64, &device).remainder_scalar(n as i64 / 4)
}

fn halves(n: usize) -> Tensor<1> {
    let device = Device::flex().autodiff();
    Tensor::<1, Int>::arange(0..n as i64, &device).remainder_scalar(2).float()
}

/// One training step's share of the loss; the device has finished when it returns.
fn step<B: Clone>(bencher: Bencher, criterion: impl Criterion<B>, batch: B) {
    let device = Device::flex();
    bencher.bench_local(|| {
        let gradients = criterion.loss(batch.clone()).backward();
        device.sync().expect("the device works");
        gradients
    });
}

macro_rules! bench {
    ($($name:ident: |$n:ident| $criterion:expr, $batch:expr;)*) => {
        $(#[divan::bench(args = BATCHES)]
        fn $name(bencher: Bencher, $n: usize) {
            step(bencher, $criterion, $batch);
        })*
    };
}

bench! {
    batch_all_triplet: |n| BatchAllTripletLossConfig::new().init(), (rows(n), classes(n));
    batch_hard_triplet: |n| BatchHardTripletLossConfig::new().init(), (rows(n), classes(n));
    batch_hard_soft_margin_triplet: |n|
        BatchHardSoftMarginTripletLossConfig::new().init(), (rows(n), classes(n));
    batch_semi_hard_triplet: |n|
        BatchSemiHardTripletLossConfig::new().init(), (rows(n), classes(n));
    contrastive: |n| ContrastiveLossConfig::new().init(), (rows(n), rows(n), halves(n));
    cosine_similarity: |n|
        CosineSimilarityLossConfig::new().init(), (rows(n), rows(n), halves(n));
    margin_mse: |n|
        MarginMseLossConfig::new().init(), (rows(n), rows(n), rows(n), halves(n));
    mega_batch_margin: |n| MegaBatchMarginLossConfig::new().init(), (rows(n), rows(n));
    mse: |n|
        MseLossConfig::new().init(&Device::flex().autodiff()), (rows(n), rows(n).inner());
    multiple_negatives_ranking: |n|
        MultipleNegativesRankingLossConfig::new().init(), (rows(n), rows(n));
    online_contrastive: |n|
        OnlineContrastiveLossConfig::new().init(), (rows(n), rows(n), halves(n));
    softmax: |n|
        SoftmaxLossConfig::new(DIM, 3).init(&Device::flex().autodiff()),
        (rows(n), rows(n), classes(n).remainder_scalar(3));
    triplet: |n| TripletLossConfig::new().init(), (rows(n), rows(n), rows(n));
}
