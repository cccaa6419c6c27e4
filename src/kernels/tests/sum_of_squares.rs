use super::*;
use crate::fused;
use crate::kernels::flex;

#[test]
fn sums_of_squares_are_those_of_the_plain_form() {
    for Rows { name, x } in samples(5) {
        let kernel = flex::sum_of_squares(&x).expect("a kernel for f32");
        let wide = x.clone().cast(DType::F64);
        assert!(flex::sum_of_squares(&wide).is_none(), "no kernel for f64");
        let plain = numbers(fused::sum_of_squares(wide));
        assert_close(name, &numbers(kernel), &plain);
        // However the numbers lie in memory, and in a graph.
        let turned = fused::sum_of_squares(leaf(&x.transpose(), DType::F32));
        assert!(!turned.device().is_autodiff());
        assert_close(name, &numbers(turned), &plain);
    }
}
