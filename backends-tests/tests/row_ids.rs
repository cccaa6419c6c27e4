//! Rows of equal id are never negatives of each other: losses and gradients against sums written out
//! on the host, with blocks of any size, on every backend.

use backends_tests::fault::Faults;
use backends_tests::subject::numbers;
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::{
    Direction, MegaBatchMarginLossConfig, MultipleNegativesRankingLossConfig, PartitionMode,
    Similarity,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const ROWS: usize = 7;
const DIM: usize = 3;
/// Two rows of one query, three of another, and two that stand alone.
const IDS: [i64; ROWS] = [4, -1, 4, 9, -1, 2, -1];
/// The hard negatives of rows 1 and 5 are positives of others.
const NEGATIVE_IDS: [i64; ROWS] = [100, 2, 101, 102, 103, 4, 104];
const SCALE: f64 = 3.0;

/// Queries, positives and hard negatives, row by row.
type Rows = [Vec<f64>; 3];

fn rows() -> Rows {
    let mut rng = StdRng::seed_from_u64(6);
    core::array::from_fn(|_| (0..ROWS * DIM).map(|_| rng.random_range(-1.0..1.0)).collect())
}

fn row(rows: &[f64], i: usize) -> &[f64] {
    &rows[i * DIM..(i + 1) * DIM]
}

fn cosine(x: &[f64], y: &[f64]) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()
}

fn minus_distance(x: &[f64], y: &[f64]) -> f64 {
    -x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

/// What is ranked for row `i`: all scores of the directions, but for what has its id.
fn ranking(rows: &Rows, all_directions: bool, s: fn(&[f64], &[f64]) -> f64) -> f64 {
    let [queries, positives, negatives] = rows;
    let term = |i: usize| {
        let (q, p) = (row(queries, i), row(positives, i));
        let mut scores = vec![s(q, p)];
        let others = || (0..ROWS).filter(|&j| IDS[j] != IDS[i]);
        let hard = || (0..ROWS).filter(|&j| NEGATIVE_IDS[j] != IDS[i]);
        scores.extend(others().map(|j| s(q, row(positives, j))));
        scores.extend(hard().map(|j| s(q, row(negatives, j))));
        if all_directions {
            scores.extend(others().map(|j| s(q, row(queries, j))));
            scores.push(s(p, q));
            scores.extend(others().map(|j| s(p, row(queries, j))));
            scores.extend(others().map(|j| s(p, row(positives, j))));
            // Between documents, those of the own row are left out as well.
            scores.extend(hard().filter(|&j| j != i).map(|j| s(p, row(negatives, j))));
        }
        let sum: f64 = scores.iter().map(|score| (SCALE * score).exp()).sum();
        sum.ln() - SCALE * scores[0]
    };
    (0..ROWS).map(term).sum::<f64>() / ROWS as f64
}

/// The closest positive of another id.
fn mega_batch([anchors, positives, _]: &Rows) -> f64 {
    let term = |i: usize| {
        let cosine = |j: usize| cosine(row(anchors, i), row(positives, j));
        let others = (0..ROWS).filter(|&j| IDS[j] != IDS[i]).map(cosine);
        (0.8 - cosine(i)).max(0.0) + (others.fold(f64::MIN, f64::max) - 0.3).max(0.0)
    };
    (0..ROWS).map(term).sum::<f64>() / ROWS as f64
}

fn slopes(rows: &Rows, truth: &dyn Fn(&Rows) -> f64) -> Vec<f64> {
    let slope = |(column, place): (usize, usize)| {
        let at = |step: f64| {
            let mut rows = rows.clone();
            rows[column][place] += step;
            truth(&rows)
        };
        (at(1e-5) - at(-1e-5)) / 2e-5
    };
    (0..3).flat_map(|column| (0..ROWS * DIM).map(move |i| (column, i))).map(slope).collect()
}

fn batch(columns: &[Tensor<2>; 3], device: &Device, with_negatives: bool) -> RetrievalBatch {
    let [queries, positives, negatives] = columns.clone();
    let ids = |ids: [i64; ROWS]| Tensor::<1, Int>::from_data(ids, device);
    match with_negatives {
        false => RetrievalBatch::from((queries, positives)).with_ids(ids(IDS)),
        true => RetrievalBatch::from((queries, positives, negatives))
            .with_ids(ids(IDS))
            .with_negative_ids(vec![ids(NEGATIVE_IDS)]),
    }
}

fn assert_is(
    truth: &dyn Fn(&Rows) -> f64,
    with_negatives: bool,
    losses: &[&dyn Fn(RetrievalBatch) -> Tensor<1>],
) {
    let rows = rows();
    let (value, expected) = (truth(&rows), slopes(&rows, truth));
    for dtype in [DType::F32, DType::F64] {
        for (name, device, _) in Faults::by_backend(dtype) {
            let device = device.autodiff();
            // Powers of e in f64 are wrong on this one.
            if dtype == DType::F64 && name == "wgpu" {
                continue;
            }
            for (nth, loss) in losses.iter().enumerate() {
                let columns = rows.clone().map(|rows| {
                    let data = TensorData::new(rows, [ROWS, DIM]);
                    Tensor::<2>::from_data(data, (&device, dtype)).require_grad()
                });
                let got = loss(batch(&columns, &device, with_negatives));
                let gradients = got.backward();
                let got = numbers(got)[0];
                assert!((got - value).abs() < 1e-5, "{name} {dtype:?} {nth}: {got}, not {value}");
                let found = columns.iter().flat_map(|column| match column.grad(&gradients) {
                    Some(gradient) => numbers(gradient),
                    None => vec![0.0; ROWS * DIM],
                });
                for (place, (found, expected)) in found.zip(&expected).enumerate() {
                    let close = (found - expected).abs() < 1e-5;
                    assert!(close, "{name} {dtype:?} {nth}: {found}, not {expected} at {place}");
                }
            }
        }
    }
}

/// With room for all rows, for a few and for one, and by the unreduced terms.
fn assert_ranking(
    config: MultipleNegativesRankingLossConfig,
    similarity: fn(&[f64], &[f64]) -> f64,
) {
    let config = config.with_scale(SCALE);
    let all_directions = config.directions.len() > 1;
    let whole = config.init();
    let terms = config.init();
    let few = config.clone().with_memory_budget(Some(20_000)).init();
    let least = config.with_memory_budget(Some(9_000)).init();
    assert_is(
        &|rows| ranking(rows, all_directions, similarity),
        true,
        &[
            &|batch| whole.forward(batch),
            &|batch| few.forward(batch),
            &|batch| least.forward(batch),
            &|batch| terms.forward_no_reduction(batch).mean(),
        ],
    );
}

#[test]
fn nothing_of_the_same_id_is_ranked_below_a_positive() {
    assert_ranking(MultipleNegativesRankingLossConfig::new(), cosine);
}

#[test]
fn nor_in_any_other_direction() {
    let directions = vec![
        Direction::QueryToDocument,
        Direction::QueryToQuery,
        Direction::DocumentToQuery,
        Direction::DocumentToDocument,
    ];
    let config = MultipleNegativesRankingLossConfig::new().with_directions(directions);
    assert_ranking(config, cosine);
}

#[test]
fn nor_by_a_distance() {
    let config = MultipleNegativesRankingLossConfig::new().with_similarity(Similarity::Euclidean);
    assert_ranking(config, minus_distance);
}

#[test]
fn the_hardest_negative_has_another_id() {
    let config = MegaBatchMarginLossConfig::new();
    let (whole, few) = (config.init(), config.with_memory_budget(Some(600)).init());
    assert_is(&mega_batch, false, &[&|batch| whole.forward(batch), &|batch| few.forward(batch)]);
}

#[test]
fn a_batch_of_one_id_has_no_negatives() {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        let device = device.autodiff();
        let columns = rows().map(|rows| {
            Tensor::<2>::from_data(TensorData::new(rows, [ROWS, DIM]), (&device, DType::F32))
                .require_grad()
        });
        let [queries, positives, _] = columns;
        let same = Tensor::<1, Int>::from_data([3i64; ROWS], &device);
        let batch = || RetrievalBatch::from((queries.clone(), positives.clone()));
        let per_direction = MultipleNegativesRankingLossConfig::new()
            .with_directions(vec![Direction::QueryToDocument, Direction::DocumentToQuery])
            .with_partition_mode(PartitionMode::PerDirection)
            .init();
        for loss in [MultipleNegativesRankingLossConfig::new().init(), per_direction] {
            let loss = loss.forward(batch().with_ids(same.clone()));
            let gradients = loss.backward();
            assert!(numbers(loss)[0].abs() < 1e-6, "{name}");
            let gradient = numbers(queries.grad(&gradients).expect("tracked"));
            assert!(gradient.iter().all(|slope| slope.abs() < 1e-6), "{name}: {gradient:?}");
        }
        let attracted = MegaBatchMarginLossConfig::new().init();
        let terms = numbers(attracted.forward_no_reduction(batch().with_ids(same)));
        let [queries, positives, _] = rows();
        for (i, term) in terms.into_iter().enumerate() {
            let alone = (0.8 - cosine(row(&queries, i), row(&positives, i))).max(0.0);
            assert!((term - alone).abs() < 1e-6, "{name}: {term}, not {alone}");
        }
    }
}

#[test]
#[should_panic(expected = "RetrievalBatch: `ids` must have shape [2], got [3]")]
fn there_is_one_id_a_row() {
    let device = Device::flex();
    let rows = Tensor::<2>::zeros([2, 2], &device);
    let ids = Tensor::<1, Int>::from_data([1, 2, 3], &device);
    RetrievalBatch::from((rows.clone(), rows)).with_ids(ids);
}

#[test]
#[should_panic(expected = "RetrievalBatch: `negative_ids` must have 1 columns, got 2")]
fn there_are_ids_for_each_column_of_negatives() {
    let device = Device::flex();
    let rows = Tensor::<2>::zeros([2, 2], &device);
    let ids = Tensor::<1, Int>::from_data([1, 2], &device);
    RetrievalBatch::from((rows.clone(), rows.clone(), rows))
        .with_ids(ids.clone())
        .with_negative_ids(vec![ids.clone(), ids]);
}
