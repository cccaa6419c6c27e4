use super::*;
use crate::kernels::{add_to_diagonal, flex, log_sum_exp, softmax};

/// Scores of a wide range, in two blocks, and a row that only the first number counts in.
fn blocks(dtype: DType) -> Vec<Tensor<2>> {
    let left = random([37, 61], 1).mul_scalar(50.0);
    let left = left.slice_fill([0..1, 0..1], 3e4);
    vec![left.cast(dtype), random([37, 5], 2).mul_scalar(80.0).cast(dtype)]
}

#[test]
fn slopes_and_normalizers_are_those_of_the_plain_form() {
    for count in [1, 2] {
        let of = |dtype| blocks(dtype).into_iter().take(count).collect::<Vec<_>>();
        let (slopes, normalizers) = flex::softmax(of(DType::F32), 2.0).expect("a kernel for f32");
        assert!(flex::softmax(of(DType::F64), 2.0).is_err(), "no kernel for f64");
        let (plain, of_plain) = softmax(of(DType::F64), 2.0);
        for (kernel, plain) in slopes.into_iter().zip(plain) {
            assert_close("slopes", &numbers(kernel), &numbers(plain));
        }
        assert_close("normalizers", &numbers(normalizers), &numbers(of_plain.clone()));
        assert_close("log-sum-exp", &numbers(log_sum_exp(of(DType::F64))), &numbers(of_plain));
    }
}

#[test]
fn the_diagonal_starts_at_a_column() {
    let x = random([3, 7], 4);
    let kernel = flex::add_to_diagonal(x.clone(), 2, -1.5).expect("a kernel for f32");
    let plain = add_to_diagonal(x.cast(DType::F64), 2, -1.5);
    assert_close("sum", &numbers(kernel), &numbers(plain));
}
