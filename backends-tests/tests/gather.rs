//! A batch split over devices gives the loss and the gradients of the batch in one piece: shards of
//! any sizes, gathered by a sum over devices and by moving rows, in all modes, on every backend.

use std::cell::RefCell;
use std::path::Path;

use backends_tests::case::read;
use backends_tests::fault::Faults;
use backends_tests::nested::Nested;
use backends_tests::subject::{configure, numbers};
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::gather::Shards;
use burn_embedding_losses::sentence_transformers::LossConfig;
use burn_embedding_losses::{
    BatchHardTripletLossConfig, Direction, Hardness, MegaBatchMarginLossConfig,
    MultipleNegativesRankingLossConfig, PartitionMode, Reduction, Similarity,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const ROWS: usize = 9;
const DIM: usize = 3;
const SPLITS: [&[usize]; 6] = [&[9], &[5, 4], &[1, 8], &[3, 3, 3], &[4, 1, 4], &[2, 1, 3, 3]];
/// Equal ids within shards and across them.
const IDS: [i64; ROWS] = [4, -1, 4, 9, -1, 1 << 30, 7, 4, 1 << 30];
const NEGATIVE_IDS: [i64; ROWS] = [100, 1 << 30, 101, -1, 102, 4, 103, 104, 9];

type Loss = Box<dyn Fn(RetrievalBatch) -> Tensor<1>>;

/// Embeddings by column: anchors, positives, two columns of negatives.
fn leaves(device: &Device, dtype: DType) -> Vec<Tensor<2>> {
    let mut rng = StdRng::seed_from_u64(11);
    let mut column =
        || -> Vec<f64> { (0..ROWS * DIM).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let leaf = |rows| Tensor::<2>::from_data(TensorData::new(rows, [ROWS, DIM]), (device, dtype));
    (0..4).map(|_| leaf(column()).require_grad()).collect()
}

/// Some rows of the batch.
fn part(leaves: &[Tensor<2>], rows: core::ops::Range<usize>, kind: Kind) -> RetrievalBatch {
    let device = leaves[0].device();
    let mut columns = leaves.iter().map(|column| column.clone().slice([rows.clone()]));
    let (anchors, positives) = (columns.next().unwrap(), columns.next().unwrap());
    let negatives = if kind.negatives { columns.collect() } else { Vec::new() };
    let batch = RetrievalBatch::from((anchors, positives, negatives));
    let ids = |ids: [i64; ROWS]| Tensor::<1, Int>::from_data(&ids[rows.clone()], &device);
    match (kind.ids, kind.negatives) {
        (false, _) => batch,
        (true, false) => batch.with_ids(ids(IDS)),
        (true, true) => batch
            .with_ids(ids(IDS))
            .with_negative_ids(vec![ids(NEGATIVE_IDS), ids(NEGATIVE_IDS.map(|id| id + 1))]),
    }
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    negatives: bool,
    ids: bool,
}

fn ranges(split: &[usize]) -> Vec<core::ops::Range<usize>> {
    let ends = split.iter().scan(0, |end, rows| {
        *end += rows;
        Some(*end)
    });
    ends.zip(split).map(|(end, rows)| end - rows..end).collect()
}

/// What each device gathers, where every call of the sum is added up over devices.
fn all_gathered(split: &[usize], parts: &[RetrievalBatch]) -> Vec<RetrievalBatch> {
    let shards = |own| Shards::new(split.to_vec(), own);
    let sent: Vec<Vec<Tensor<2>>> = parts
        .iter()
        .enumerate()
        .map(|(own, part)| {
            let sent = RefCell::new(Vec::new());
            shards(own).gather_with(part.clone(), |rows| {
                sent.borrow_mut().push(rows.clone());
                rows
            });
            sent.into_inner()
        })
        .collect();
    let gather = |(own, part): (usize, &RetrievalBatch)| {
        let mut call = 0;
        shards(own).gather_with(part.clone(), |_| {
            call += 1;
            let of_call = sent.iter().map(|sent| sent[call - 1].clone());
            of_call.reduce(|sum, rows| sum + rows).unwrap()
        })
    };
    parts.iter().enumerate().map(gather).collect()
}

fn all_moved(parts: &[RetrievalBatch]) -> Vec<RetrievalBatch> {
    let gather = |(own, part): (usize, &RetrievalBatch)| {
        let others = parts.iter().enumerate().filter(|&(other, _)| other != own);
        RetrievalBatch::gathered(part.clone(), others.map(|(_, other)| other.clone()).collect())
    };
    parts.iter().enumerate().map(gather).collect()
}

fn gradients(value: Tensor<1>, leaves: &[Tensor<2>]) -> Vec<f64> {
    let gradients = value.backward();
    let of = |leaf: &Tensor<2>| match leaf.grad(&gradients) {
        Some(gradient) => numbers(gradient),
        None => vec![0.0; leaf.dims().iter().product()],
    };
    leaves.iter().flat_map(of).collect()
}

fn assert_close(got: &[f64], expected: &[f64], dtype: DType, what: &str) {
    let allowed = if dtype == DType::F64 { 1e-12 } else { 2e-6 };
    assert_eq!(got.len(), expected.len(), "{what}");
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        let close = (got - expected).abs() <= allowed * (1.0 + expected.abs());
        assert!(close, "{what}: {got}, not {expected} at {place}");
    }
}

/// Each backend in each precision that it computes powers of e in.
fn backends() -> Vec<(&'static str, Device, DType)> {
    let of = |dtype| Faults::by_backend(dtype).into_iter().map(move |found| (found, dtype));
    let all = [DType::F32, DType::F64].into_iter().flat_map(of);
    let sound = all.filter(|((_, _, faults), _)| faults.none());
    sound.map(|((name, device, _), dtype)| (name, device.autodiff(), dtype)).collect()
}

fn assert_split(name: &str, kind: Kind, reduction: Reduction, loss: &Loss, terms: &Loss) {
    for (backend, device, dtype) in backends() {
        let leaves = leaves(&device, dtype);
        let whole = || part(&leaves, 0..ROWS, kind);
        let value = loss(whole());
        let expected = (numbers(value.clone()), gradients(value, &leaves), numbers(terms(whole())));
        for split in SPLITS {
            let parts = || -> Vec<_> {
                ranges(split).into_iter().map(|rows| part(&leaves, rows, kind)).collect()
            };
            // All rows in their places, the own ones from an offset on.
            let in_place = || -> Vec<_> {
                ranges(split).into_iter().map(|rows| whole().with_own_rows(rows)).collect()
            };
            // A graph is used once.
            let ways: [(&str, &dyn Fn() -> Vec<RetrievalBatch>); 3] = [
                ("in place", &in_place),
                ("by sums", &|| all_gathered(split, &parts())),
                ("moved", &|| all_moved(&parts())),
            ];
            for (way, gathered) in ways {
                let what = format!("{name} {kind:?} on {backend} {dtype:?} {split:?} {way}");
                let found: Vec<_> =
                    gathered().into_iter().flat_map(|batch| numbers(terms(batch))).collect();
                assert_close(&found, &expected.2, dtype, &what);
                let scaled = |batch: RetrievalBatch| match reduction {
                    Reduction::Mean => loss(batch.clone()) * batch.share(),
                    Reduction::Sum => loss(batch),
                };
                let sum = gathered().into_iter().map(scaled).reduce(|sum, loss| sum + loss);
                let sum = sum.expect("a shard");
                assert_close(&numbers(sum.clone()), &expected.0, dtype, &what);
                assert_close(&gradients(sum, &leaves), &expected.1, dtype, &what);
            }
        }
    }
}

fn assert_ranking(name: &str, kind: Kind, config: MultipleNegativesRankingLossConfig) {
    // Room for all rows, and for one at a time.
    for budget in [None, Some(24_000)] {
        let config = config.clone().with_scale(3.0).with_memory_budget(budget);
        let reduction = config.reduction;
        let (loss, terms) = (config.init(), config.init());
        let loss: Loss = Box::new(move |batch| loss.forward(batch));
        let terms: Loss = Box::new(move |batch| terms.forward_no_reduction(batch));
        assert_split(name, kind, reduction, &loss, &terms);
    }
}

const KINDS: [Kind; 4] = [
    Kind { negatives: false, ids: false },
    Kind { negatives: true, ids: false },
    Kind { negatives: false, ids: true },
    Kind { negatives: true, ids: true },
];

fn all_directions() -> Vec<Direction> {
    vec![
        Direction::QueryToDocument,
        Direction::QueryToQuery,
        Direction::DocumentToQuery,
        Direction::DocumentToDocument,
    ]
}

#[test]
fn queries_are_ranked_among_the_documents_of_all_devices() {
    for kind in KINDS {
        assert_ranking("plain", kind, MultipleNegativesRankingLossConfig::new());
    }
}

#[test]
fn and_so_are_all_directions() {
    for kind in KINDS {
        let config = MultipleNegativesRankingLossConfig::new().with_directions(all_directions());
        assert_ranking("joint", kind, config);
        let config = MultipleNegativesRankingLossConfig::new()
            .with_directions(vec![Direction::QueryToDocument, Direction::DocumentToQuery])
            .with_partition_mode(PartitionMode::PerDirection)
            .with_reduction(Reduction::Sum);
        assert_ranking("per direction", kind, config);
    }
}

#[test]
fn and_hard_negatives_of_other_devices_weigh_more() {
    for hardness in [Hardness::InBatchNegatives, Hardness::HardNegatives, Hardness::AllNegatives] {
        let config = MultipleNegativesRankingLossConfig::new()
            .with_hardness_mode(Some(hardness))
            .with_hardness_strength(5.0);
        assert_ranking(&format!("{hardness:?}"), KINDS[1], config);
    }
}

#[test]
fn and_by_any_similarity() {
    for similarity in [Similarity::Dot, Similarity::Euclidean, Similarity::Manhattan] {
        let config = MultipleNegativesRankingLossConfig::new()
            .with_similarity(similarity)
            .with_directions(all_directions());
        assert_ranking(&format!("{similarity:?}"), KINDS[3], config);
    }
}

#[test]
fn the_hardest_negative_is_that_of_all_devices() {
    for kind in [KINDS[0], KINDS[2]] {
        for budget in [None, Some(600)] {
            let config = MegaBatchMarginLossConfig::new().with_memory_budget(budget);
            let (loss, terms) = (config.init(), config.init());
            let loss: Loss = Box::new(move |batch| loss.forward(batch));
            let terms: Loss = Box::new(move |batch| terms.forward_no_reduction(batch));
            assert_split("mega batch", kind, Reduction::Mean, &loss, &terms);
        }
    }
}

#[test]
fn equal_shards_are_averaged() {
    let loss = MultipleNegativesRankingLossConfig::new().init();
    for (backend, device, dtype) in backends() {
        let leaves = leaves(&device, dtype);
        let whole = loss.forward(part(&leaves, 0..ROWS, KINDS[1]));
        let expected = (numbers(whole.clone()), gradients(whole, &leaves));
        let parts: Vec<_> =
            ranges(&[3, 3, 3]).into_iter().map(|rows| part(&leaves, rows, KINDS[1])).collect();
        let losses = all_gathered(&[3, 3, 3], &parts).into_iter().map(|batch| loss.forward(batch));
        // Not divided: Burn derives a division by a number in `f32`.
        let mean = losses.reduce(|sum, loss| sum + loss).unwrap() * (1.0 / 3.0);
        assert_close(&numbers(mean.clone()), &expected.0, dtype, backend);
        assert_close(&gradients(mean, &leaves), &expected.1, dtype, backend);
    }
}

#[test]
fn the_reference_gathers_the_same() {
    for (world, file) in [(2, "of_2.json"), (3, "of_3.json")] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures-gathered");
        let cases = read(&folder.join(file)).expect("the fixture is committed");
        assert_eq!(cases.len(), 8);
        for case in cases {
            assert_eq!(case.config["gather_across_devices"], true);
            let LossConfig::MultipleNegativesRanking(config) = configure(&case).expect("a config")
            else {
                panic!("{}: a ranking loss", case.id)
            };
            let loss = config.init();
            for (backend, device, dtype) in backends() {
                let leaf = |rows: &Nested| rows.tensor::<2>(&device, dtype).expect("rows");
                let leaves: Vec<_> =
                    case.columns.iter().map(|rows| leaf(rows).require_grad()).collect();
                let split = vec![case.columns[0].shape[0] / world; world];
                let rows_of = |rows: core::ops::Range<usize>| {
                    let mut columns =
                        leaves.iter().map(|rows_of| rows_of.clone().slice([rows.clone()]));
                    let (anchors, positives) = (columns.next().unwrap(), columns.next().unwrap());
                    RetrievalBatch::from((anchors, positives, columns.collect::<Vec<_>>()))
                };
                let parts: Vec<_> = ranges(&split).into_iter().map(rows_of).collect();
                let losses = all_gathered(&split, &parts).into_iter().map(|b| loss.forward(b));
                let mean = losses.reduce(|sum, loss| sum + loss).unwrap() * (1.0 / world as f64);
                let what = format!("{} on {backend} {dtype:?}", case.id);
                assert_close(&numbers(mean.clone()), &[case.expected.loss], dtype, &what);
                let expected = case.expected.gradients.iter().flat_map(|rows| rows.data.clone());
                let expected: Vec<_> = expected.collect();
                assert_close(&gradients(mean, &leaves), &expected, dtype, &what);
            }
        }
    }
}

#[test]
fn gradients_reach_rows_on_other_devices() {
    let config = MultipleNegativesRankingLossConfig::new().with_directions(all_directions());
    let loss = config.init();
    let backends: Vec<_> = backends().into_iter().filter(|(.., d)| *d == DType::F32).collect();
    for (first, device, dtype) in &backends {
        let leaves_of = leaves(device, *dtype);
        let whole = loss.forward(part(&leaves_of, 0..ROWS, KINDS[3]));
        let expected = (numbers(whole.clone()), gradients(whole, &leaves_of));
        for (second, other, _) in &backends {
            let places = [device, other, device];
            let rows = ranges(&[4, 2, 3]);
            let own: Vec<Vec<_>> = places.map(|place| leaves(place, *dtype)).into();
            let parts: Vec<_> = own
                .iter()
                .zip(&rows)
                .map(|(own, rows)| part(own, rows.clone(), KINDS[3]))
                .collect();
            let gathered = all_moved(&parts);
            for (batch, place) in gathered.iter().zip(places) {
                assert_eq!(batch.anchor().device(), *place, "{first} and {second}");
            }
            let losses = gathered.into_iter().map(|batch| {
                let share = batch.share();
                (loss.forward(batch) * share).to_device(device)
            });
            let sum = losses.reduce(|sum, loss| sum + loss).unwrap();
            let what = format!("{first} and {second}");
            assert_close(&numbers(sum.clone()), &expected.0, *dtype, &what);
            // Every device has a copy of all leaves, and uses its own rows only.
            let found = gradients(sum, &own.concat());
            let per_device = expected.1.len();
            let total: Vec<f64> = (0..per_device)
                .map(|place| (0..3).map(|device| found[device * per_device + place]).sum())
                .collect();
            assert_close(&total, &expected.1, *dtype, &what);
        }
    }
}

#[test]
fn labelled_rows_are_gathered_for_a_loss_of_the_whole_batch() {
    let loss = BatchHardTripletLossConfig::new().init();
    let split = [4, 2, 3];
    for (backend, device, dtype) in backends() {
        let leaf = leaves(&device, dtype).remove(0);
        let labels = Tensor::<1, Int>::from_data([5, -3, 5, -3, 5, 8, -3, 8, 5], &device);
        let whole = loss.forward((leaf.clone(), labels.clone()));
        let expected = (numbers(whole.clone()), gradients(whole, core::slice::from_ref(&leaf)));
        let shards: Vec<_> = (0..3).map(|own| Shards::new(split.to_vec(), own)).collect();
        let places = ranges(&split);
        let padded = |own: usize| {
            let mut sent = None;
            let rows = leaf.clone().slice([places[own].clone()]);
            shards[own].gather_rows_with(rows, |rows| sent.insert(rows).clone());
            sent.unwrap()
        };
        let padded_labels = |own: usize| {
            let mut sent = None;
            let rows = labels.clone().slice([places[own].clone()]);
            shards[own].gather_integers_with(rows, |rows| sent.insert(rows).clone());
            sent.unwrap()
        };
        let of_device = |own: usize| {
            let sum = |of: &dyn Fn(usize) -> Tensor<2>| of(0) + of(1) + of(2);
            let rows = leaf.clone().slice([places[own].clone()]);
            let rows = shards[own].gather_rows_with(rows, |_| sum(&padded));
            let own_labels = labels.clone().slice([places[own].clone()]);
            let labels = shards[own].gather_integers_with(own_labels, |_| sum(&padded_labels));
            loss.forward((rows, labels))
        };
        let mean = (of_device(0) + of_device(1) + of_device(2)) * (1.0 / 3.0);
        assert_close(&numbers(mean.clone()), &expected.0, dtype, backend);
        assert_close(&gradients(mean, core::slice::from_ref(&leaf)), &expected.1, dtype, backend);
    }
}
