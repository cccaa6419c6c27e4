//! The parts that losses are made of, forward and backward, on unit rows of dimension 384.
//!
//! ```sh
//! cargo bench --bench parts --features flex    # with the kernels for Flex
//! cargo bench --bench parts                    # the plain way
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
    let rows = Tensor::random([n, DIM], Distribution::Normal(0.0, 1.0), &Device::flex());
    Tensor::from_inner(UnitRows::new(rows).rows).require_grad()
}

/// Row i has label i modulo a quarter of the batch.
fn classes(n: usize) -> Tensor<1, Int> {
    Tensor::arange(0..n as i64, &Device::flex()).remainder_scalar(n as i64 / 4)
}

fn synchronised<T>(bencher: Bencher, run: impl Fn() -> T) {
    let device = Device::flex();
    bencher.bench_local(|| {
        let done = run();
        device.sync().expect("the device works");
        done
    });
}

#[divan::bench(args = BATCHES, consts = [0, 1, 2, 3])]
fn paired_distance<const WHICH: usize>(bencher: Bencher, n: usize) {
    let distance =
        [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Manhattan, Distance::Cosine]
            [WHICH];
    let (x, y) = (rows(n), rows(n));
    synchronised(bencher, || distance.paired(x.clone(), y.clone()).sum().backward());
}

/// What the ranking loss cannot do without: three products of rows and scores.
#[divan::bench(args = BATCHES)]
fn products_alone(bencher: Bencher, n: usize) {
    let (x, y) = (rows(n).inner(), rows(n).inner());
    synchronised(bencher, || {
        let scores = x.clone().matmul(y.clone().transpose());
        (scores.clone().matmul(y.clone()), scores.transpose().matmul(x.clone()))
    });
}

#[divan::bench(args = BATCHES)]
fn ranking(bencher: Bencher, n: usize) {
    let loss = MultipleNegativesRankingLossConfig::new().init();
    let (x, y) = (rows(n), rows(n));
    synchronised(bencher, || loss.forward((x.clone(), y.clone())).backward());
}

/// The search for the hardest rows, without a gradient.
#[divan::bench(args = BATCHES)]
fn hardest_rows(bencher: Bencher, n: usize) {
    let loss = BatchHardTripletLossConfig::new().init();
    let (x, labels) = (rows(n).inner(), classes(n));
    synchronised(bencher, || loss.forward((x.clone(), labels.clone())));
}

/// All triplets counted and added up, without a gradient.
#[divan::bench(args = BATCHES)]
fn all_triplets(bencher: Bencher, n: usize) {
    let loss = BatchAllTripletLossConfig::new().init();
    let (x, labels) = (rows(n).inner(), classes(n));
    synchronised(bencher, || loss.forward((x.clone(), labels.clone())));
}
