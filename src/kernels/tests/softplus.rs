use super::*;
use crate::kernels::{answers, flex};

#[test]
fn answers_are_those_of_the_plain_form() {
    let z = random([37, 61], 1).mul_scalar(40.0).slice_fill([0..1, 0..2], 3e4);
    let z = z.slice_fill([1..2, 3..9], f32::MIN);
    let start = 5;
    let (slopes, terms) = flex::answers(z.clone(), start, 0.5).expect("a kernel for f32");
    let wide = z.cast(DType::F64);
    assert!(flex::answers(wide.clone(), start, 0.5).is_err());
    let (of_plain, sums) = answers(wide, start, 0.5, |z| {
        let slopes = z.clone().neg().exp().add_scalar(1.0).recip().mul_scalar(0.5);
        let own = Tensor::<2, Bool>::diag_mask([37, 61], start as i64, &z.device()).bool_not();
        let signed = z.clone().neg().mask_where(own.bool_not(), z);
        let logarithms = signed.clone().clamp_min(0.0) + signed.abs().neg().exp().log1p();
        (slopes, logarithms.sum_dim(1))
    });
    assert_close("slopes", &numbers(slopes), &numbers(of_plain));
    assert_close("terms", &numbers(terms), &numbers(sums));
}
