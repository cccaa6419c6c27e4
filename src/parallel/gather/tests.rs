//! Batches that are refused, and the places of gathered rows.

use burn::prelude::*;

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn batch(rows: usize, dim: usize, negatives: usize) -> RetrievalBatch {
    let rows = Tensor::<2>::ones([rows, dim], &Device::flex());
    RetrievalBatch::new(rows.clone(), rows.clone(), vec![rows; negatives])
}

fn message_of<B>(gather: impl FnOnce() -> B) -> String {
    let panic = catch_unwind(AssertUnwindSafe(gather)).err().expect("a panic");
    *panic.downcast::<String>().expect("a formatted message")
}

#[test]
fn what_does_not_fit_is_named() {
    let gathered = || RetrievalBatch::gathered(batch(2, 3, 0), vec![batch(1, 3, 0)]);
    let ids = Tensor::<1, Int>::from_ints([1, 2], &Device::flex());
    let wide = Tensor::<2>::ones([2, 3], (&Device::flex(), burn::tensor::DType::F64));
    let weighted = batch(2, 3, 0).with_weights(Tensor::ones([2], &Device::flex()));
    let cases: [(String, &str); 13] = [
        (
            message_of(|| batch(3, 2, 0).with_own_rows(2..4)),
            "RetrievalBatch: `own_rows` must be some of 0..3, got 2..4",
        ),
        (
            message_of(|| batch(3, 2, 0).with_own_rows(1..1)),
            "RetrievalBatch: `own_rows` must be some of 0..3, got 1..1",
        ),
        (
            message_of(|| RetrievalBatch::gathered(batch(2, 3, 1), vec![batch(2, 4, 1)])),
            "RetrievalBatch: `others[0]` must have rows of 3 numbers, 1 columns of negatives, 0 of \
             ids, got rows of 4 numbers, 1 columns of negatives, 0 of ids",
        ),
        (
            message_of(|| RetrievalBatch::gathered(batch(2, 3, 1), vec![batch(2, 3, 0)])),
            "1 columns of negatives, 0 of ids, got rows of 3 numbers, 0 columns of negatives",
        ),
        (
            message_of(|| {
                RetrievalBatch::gathered(batch(2, 3, 0), vec![batch(2, 3, 0).with_ids(ids)])
            }),
            "0 of ids, got rows of 3 numbers, 0 columns of negatives, 1 of ids",
        ),
        (
            message_of(|| {
                let wide = RetrievalBatch::from((wide.clone(), wide));
                RetrievalBatch::gathered(batch(2, 3, 0), vec![wide])
            }),
            "RetrievalBatch: `others[0]` must have the type F32 of `own`, got F64",
        ),
        (
            message_of(|| RetrievalBatch::gathered(batch(2, 3, 0), vec![weighted])),
            "0 of ids, got rows of 3 numbers, 0 columns of negatives, 0 of ids, weights",
        ),
        (
            message_of(|| RetrievalBatch::gathered(gathered(), vec![])),
            "RetrievalBatch: `own` must be gathered once, got one with the own rows 0..2 of 3",
        ),
        (
            message_of(|| Shards::new(vec![1, 2], 2)),
            "Shards: `own` must be one of 2 devices, got 2",
        ),
        (
            message_of(|| Shards::new(vec![1, 0], 0)),
            "Shards: `rows` must be at least 1 on every device, got [1, 0]",
        ),
        (
            message_of(|| Shards::new(vec![2, 3], 1).gather_with(batch(2, 2, 0), |rows| rows)),
            "Shards: the device must have 3 rows, got 2",
        ),
        (
            message_of(|| {
                let sum = |rows: Tensor<2>| rows.narrow(0, 0, 4);
                Shards::new(vec![2, 3], 0).gather_with(batch(2, 2, 0), sum)
            }),
            "Shards: `sum` must give the shape [5, 4], got [4, 4]",
        ),
        (
            message_of(|| Shards::new(vec![2, 3], 0).gather(&[Device::flex()], batch(2, 2, 0))),
            "Shards: `devices` must be 2, got 1",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn one_device_gathers_nothing() {
    let gathered = Shards::new(vec![2], 0).gather(&[Device::flex()], batch(2, 2, 1));
    assert_eq!((gathered.anchor.dims(), gathered.own_rows), ([2, 2], 0..2));
}

#[test]
fn own_rows_come_first() {
    let device = Device::flex();
    let of = |number: f32| {
        let rows = Tensor::<2>::full([2, 1], number, &device);
        RetrievalBatch::new(rows.clone(), rows + 0.5, Vec::new())
    };
    let gathered = RetrievalBatch::gathered(of(2.0), vec![of(1.0), of(3.0)]);
    let numbers = |rows: Tensor<2>| rows.into_data().iter::<f32>().collect::<Vec<_>>();
    assert_eq!(numbers(gathered.anchor), [2.0, 2.0, 1.0, 1.0, 3.0, 3.0]);
    assert_eq!(numbers(gathered.positive), [2.5, 2.5, 1.5, 1.5, 3.5, 3.5]);
    assert_eq!(gathered.own_rows, 0..2);
}

#[test]
fn masks_and_weights_come_with_their_rows() {
    let device = Device::flex();
    let of = |weight: f32, exists: [[bool; 2]; 2]| {
        let weights = Tensor::<1>::from_floats([weight, 0.5], &device);
        let exists = Tensor::<2, Bool>::from_bool(exists, &device);
        batch(2, 1, 2).with_negative_mask(exists).with_weights(weights)
    };
    let (first, second) =
        (of(1.0, [[true, false], [true, true]]), of(2.0, [[false, false], [false, true]]));
    let moved = RetrievalBatch::gathered(second.clone(), vec![first.clone()]);
    let shards = |own| Shards::new(vec![2, 2], own);
    // The second receives what the first sends.
    let mut sent = Vec::new();
    let _ = shards(0).gather_with(first, |rows| {
        sent.push(rows.clone());
        rows
    });
    let summed = shards(1).gather_with(second, |rows| rows + sent.remove(0));
    for gathered in [moved, summed] {
        let weights: Vec<f32> = gathered.weights().unwrap().to_data().iter().collect();
        assert_eq!(weights, [2.0, 0.5, 1.0, 0.5]);
        let exists: Vec<bool> = gathered.negative_mask().unwrap().to_data().iter().collect();
        assert_eq!(exists, [false, false, false, true, true, false, true, true]);
        assert_eq!(gathered.own_rows(), 0..2);
    }
}

#[test]
#[should_panic(expected = "Distributed operations are not supported")]
fn a_backend_without_collective_operations_says_so() {
    let devices = [Device::flex(), Device::flex()];
    Shards::new(vec![2, 2], 0).gather(&devices, batch(2, 2, 0));
}
