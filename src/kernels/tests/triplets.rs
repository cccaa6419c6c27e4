//! Searches and sums over triplets; their plain forms are those of `select` and `objective`, which take
//! them for `f64`.

use super::*;
use crate::budget::Blocks;
use crate::geometry::Distance;
use crate::kernels::{Chosen, Negatives, ProductDistance, TripletRule, flex};
use crate::objective::triplet::Triplets;
use crate::reduction::Reduction;
use crate::select;

const DISTANCES: [(Distance, ProductDistance); 3] = [
    (Distance::Euclidean, ProductDistance::Euclidean),
    (Distance::SquaredEuclidean, ProductDistance::SquaredEuclidean),
    (Distance::Cosine, ProductDistance::Cosine),
];

fn blocks(rows: usize) -> Blocks {
    // Three anchors at a time.
    Blocks::within("test", Some(3), &Device::flex(), [rows, 1], 1)
}

/// Labels of large classes, of small ones, and of one class only.
fn labels(n: usize) -> [Tensor<1, Int>; 3] {
    let of = |classes: i64| (0..n as i64).map(|i| (i * i) % classes).collect::<Vec<_>>();
    [2, n as i64 / 3 + 1, 1]
        .map(|classes| Tensor::from_data(of(classes).as_slice(), &Device::flex()))
}

fn assert_chosen(what: &str, kernel: &Chosen, plain: &Chosen) {
    assert_eq!(kernel.to_host(), plain.to_host(), "{what}");
}

#[test]
fn the_hardest_rows_are_those_of_the_plain_form() {
    for Rows { name, x } in samples(1) {
        let n = x.dims()[0];
        for (labels, (distance, product)) in
            labels(n).into_iter().flat_map(|labels| DISTANCES.map(|d| (labels.clone(), d)))
        {
            let found = flex::hardest(product, &x, &labels, blocks(n)).expect("a kernel for f32");
            let wide = x.clone().cast(DType::F64);
            assert!(flex::hardest(product, &wide, &labels, blocks(n)).is_none());
            let plain = select::hardest(wide, labels, distance, blocks(n));
            assert_chosen(&format!("{name}, {distance:?}: positives"), &found.0, &plain.0);
            assert_chosen(&format!("{name}, {distance:?}: negatives"), &found.1, &plain.1);
        }
    }
}

#[test]
fn the_closest_others_are_those_of_the_plain_form() {
    for (Rows { name, x }, Rows { x: y, .. }) in samples(1).into_iter().zip(samples(7)) {
        let n = x.dims()[0];
        let ids = labels(n).map(Some).into_iter().chain([None]);
        for (ids, (distance, product)) in ids.flat_map(|ids| DISTANCES.map(|d| (ids.clone(), d))) {
            let found = flex::closest_other(product, [&x, &y], ids.as_ref(), blocks(n));
            let wide = [&x, &y].map(|rows| rows.clone().cast(DType::F64));
            assert!(flex::closest_other(product, [&wide[0], &wide[1]], None, blocks(n)).is_none());
            let plain = select::closest_other(distance, wide, ids, blocks(n));
            let what = format!("{name}, {distance:?}");
            assert_chosen(&what, &found.expect("a kernel for f32"), &plain);
        }
    }
}

#[test]
fn sums_over_triplets_are_those_of_the_plain_form() {
    let negatives = [
        Negatives::All,
        Negatives::SemiHard { only_valid: false },
        Negatives::SemiHard { only_valid: true },
    ];
    // Rows that are close or too short for single precision are held to double by a law of all losses.
    for Rows { name, x } in samples(1).into_iter().filter(|rows| rows.name != "a short row") {
        for (labels, (distance, product)) in labels(x.dims()[0])
            .into_iter()
            .flat_map(|labels| DISTANCES.map(|d| (labels.clone(), d)))
        {
            for negatives in negatives {
                let rule = TripletRule { distance: product, margin: 0.3, negatives };
                let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
                let blocks = blocks(x.dims()[0]);
                let weight = |count| Reduction::Mean.weight(count);
                let kernel = flex::triplet_sum(&single, &labels, rule, blocks, &weight);
                let kernel = kernel.expect("a kernel for f32");
                assert!(flex::triplet_sum(&double, &labels, rule, blocks, &weight).is_none());
                let triplets = Triplets { distance, margin: 0.3, negatives };
                let plain =
                    triplets.reduced(double.clone(), labels.clone(), blocks, Reduction::Mean);
                let name = format!("{name}, {distance:?}, {negatives:?}");
                let plain = outcome(plain.into_value(), &[double]);
                assert_agree(&name, outcome(kernel, &[single]), plain);
            }
        }
    }
}
