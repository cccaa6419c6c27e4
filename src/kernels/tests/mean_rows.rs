use super::*;
use crate::fused::{Bags, mean_rows};
use crate::kernels::flex;

/// Bags of no row, one row, the same row twice, all rows, and many of two rows.
fn bags(rows: usize) -> Bags {
    let rows = rows as u32;
    let mut bags = vec![vec![], vec![rows - 1], vec![0, rows / 2, 0], (0..rows).collect()];
    bags.extend((0..3 * rows).map(|i| vec![i % rows, (7 * i + 3) % rows]));
    bags.push(vec![]);
    Bags::new(bags.iter().map(Vec::as_slice))
}

#[test]
fn means_are_those_of_the_plain_form() {
    for Rows { name, x } in samples(17) {
        let bags = bags(x.dims()[0]);
        let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
        let kernel = flex::mean_rows(single.clone(), &bags).expect("a kernel for f32");
        assert!(flex::mean_rows(double.clone(), &bags).is_err(), "no kernel for f64");
        let untracked = flex::mean_rows(x, &bags).expect("a kernel for f32");
        assert_eq!(numbers(untracked), numbers(kernel.clone()), "{name}");
        let plain = mean_rows(double.clone(), &bags);
        assert_agree(name, outcome(kernel, &[single]), outcome(plain, &[double]));
    }
}

#[test]
fn a_mean_of_rows_is_that_of_their_numbers() {
    for dtype in [DType::F32, DType::F64] {
        let table = Tensor::<2>::from_floats([[1.0, 2.0], [4.0, 8.0]], &Device::flex());
        let bags = Bags::new([&[0, 1, 1][..], &[], &[1]]);
        let means = mean_rows(table.cast(dtype), &bags);
        assert_close("means", &numbers(means), &[3.0, 6.0, 0.0, 0.0, 4.0, 8.0]);
    }
}

#[test]
fn double_precision_stays_double() {
    let table = Tensor::<2>::from_data([[0.1], [0.2], [0.4]], (&Device::flex(), DType::F64));
    let found = numbers(mean_rows(table, &Bags::new([&[0, 1, 2][..]])));
    assert!((found[0] - 0.7 / 3.0).abs() < 1e-15, "{found:?}");
}

#[test]
fn bags_without_rows_are_zeros() {
    for dtype in [DType::F32, DType::F64] {
        let table = leaf(&random([2, 3], 1), dtype);
        let means = mean_rows(table.clone(), &Bags::new([&[][..], &[]]));
        assert_eq!(outcome(means, &[table]), (vec![0.0; 6], vec![vec![0.0; 6]]));
    }
}

#[test]
#[should_panic(expected = "mean_rows: `bags` must name rows below 2, got 2")]
fn a_bag_names_rows_of_the_table() {
    mean_rows(random([2, 3], 1), &Bags::new([&[1, 2][..]]));
}
