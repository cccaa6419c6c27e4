use super::*;
use crate::kernels::flex;
use crate::numeric::UnitRows;

#[test]
fn unit_rows_are_those_of_the_plain_form() {
    for Rows { name, x } in samples(1) {
        let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
        let kernel = flex::unit_rows(&single).expect("a kernel for f32");
        assert!(flex::unit_rows(&double).is_none(), "no kernel for f64");
        let plain = UnitRows::new(double.clone()).rows;
        assert_agree(name, outcome(kernel, &[single]), outcome(plain, &[double]));
    }
}
