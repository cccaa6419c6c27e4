use super::*;
use crate::fused::DropoutMask;
use crate::kernels::flex;
use burn::tensor::GradientCheckpointingStrategy;

fn mask(rows: usize, share: f64) -> DropoutMask {
    let key = |i: usize| (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    DropoutMask::new((0..rows).map(key).collect(), share)
}

#[test]
fn the_numbers_left_out_are_those_of_the_plain_form() {
    for Rows { name, x } in samples(13) {
        for share in [0.0, 0.375] {
            let mask = mask(x.dims()[0], share);
            let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
            let kernel = flex::dropout(single.clone(), &mask).expect("a kernel for f32");
            assert!(flex::dropout(double.clone(), &mask).is_err(), "no kernel for f64");
            let plain = mask.apply(double.clone());
            assert_agree(name, outcome(kernel, &[single]), outcome(plain, &[double]));
        }
    }
}

#[test]
fn a_mask_falls_on_the_same_places_whatever_the_device_records() {
    let mask = mask(5, 0.5);
    let x = random([5, 7], 29);
    for dtype in [DType::F32, DType::F64] {
        let plain = leaf(&x, dtype);
        let same = Tensor::from_inner(x.clone().cast(dtype))
            .with_gradient_checkpointing_strategy(GradientCheckpointingStrategy::Balanced)
            .require_grad();
        let [expected, got] = [plain, same].map(|x| outcome(mask.apply(x.clone()), &[x]));
        assert_agree(&format!("{dtype:?}"), got, expected);
    }
}

#[test]
fn the_share_is_left_out_and_the_mean_stays() {
    let ones = Tensor::<2>::ones([200, 300], &Device::flex());
    let left = numbers(mask(200, 0.25).apply(ones));
    let out = left.iter().filter(|&&x| x == 0.0).count() as f64 / left.len() as f64;
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    assert!((out - 0.25).abs() < 0.01 && (mean - 1.0).abs() < 0.01, "{out} {mean}");
    // No vector is like its neighbour.
    assert!(left.chunks(300).zip(left.chunks(300).skip(1)).all(|(a, b)| a != b));
}

#[test]
#[should_panic(expected = "DropoutMask: `x` must have 3 vectors, got 4")]
fn each_vector_has_a_key() {
    mask(3, 0.5).apply(Tensor::<3>::ones([2, 2, 5], &Device::flex()));
}

#[test]
#[should_panic(expected = "DropoutMask: `share` must be from 0 to below 1, got 1")]
fn something_is_left() {
    mask(1, 1.0);
}
