use super::*;
use crate::kernels::{Chosen, Partner, RowMetric, flex};

const METRICS: [RowMetric; 8] = [
    RowMetric::Euclidean { offset: 0.0 },
    RowMetric::Euclidean { offset: 1e-2 },
    RowMetric::SquaredEuclidean { offset: 0.0 },
    RowMetric::Manhattan { offset: 0.0 },
    RowMetric::Manhattan { offset: 1e-2 },
    RowMetric::CosineDistance,
    RowMetric::Cosine,
    RowMetric::Dot,
];

/// Compares in both types and asserts that a kernel ran for `f32` only.
fn agree(
    name: &str,
    metric: RowMetric,
    rows: [&Tensor<2>; 3],
    first: Partner,
    second: Option<Partner>,
) {
    let in_type = |dtype| rows.map(|rows| leaf(rows, dtype));
    let (single, double) = (in_type(DType::F32), in_type(DType::F64));
    let kernel = flex::compare_rows(&single, metric, &first, second.as_ref());
    let kernel = kernel.expect("a kernel for f32");
    assert!(flex::compare_rows(&double, metric, &first, second.as_ref()).is_none());
    let plain = metric.compare(double.clone(), first, second);
    let name = format!("{metric:?}, {name}");
    assert_agree(&name, outcome(kernel, &single), outcome(plain, &double));
}

#[test]
fn rows_compared_with_the_same_row_agree() {
    for metric in METRICS {
        let samples = samples(1).into_iter().zip(samples(7)).zip(samples(13));
        for ((Rows { name, x }, Rows { x: y, .. }), Rows { x: z, .. }) in samples {
            let rows = [&x, &y, &z];
            agree(name, metric, rows, Partner::SameRow(1), None);
            agree(name, metric, rows, Partner::SameRow(1), Some(Partner::SameRow(2)));
        }
    }
}

#[test]
fn rows_compared_with_chosen_rows_agree() {
    for metric in METRICS {
        for (Rows { name, x }, Rows { x: y, .. }) in samples(1).into_iter().zip(samples(7)) {
            let n = x.dims()[0] as u32;
            // Some rows are chosen twice, some never, and the second row chooses nobody.
            let choice = |i: u32| if i == 1 { Chosen::NOBODY } else { (i / 2 * 3 + 1) % n };
            let rows: Vec<u32> = (0..n).map(choice).collect();
            let host = Chosen::on_host(rows, x.device());
            let device = Chosen::new(host.index(), host.exists());
            for chosen in [host, device] {
                let first = Partner::Chosen(1, chosen.clone());
                agree(name, metric, [&x, &y, &x], first, None);
                // Another row of the same matrix, against one of another.
                let (own, other) = (Partner::Chosen(0, chosen), Partner::SameRow(1));
                agree(name, metric, [&x, &y, &x], own, Some(other));
            }
        }
    }
}
