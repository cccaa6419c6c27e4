use super::*;
use crate::kernels::{PairFeatures, flex};

#[test]
fn logits_of_pair_features_are_those_of_the_plain_form() {
    let all = PairFeatures { rows: true, difference: true, product: true };
    let some = PairFeatures { rows: false, ..all };
    for features in [all, some] {
        for (Rows { name, x }, Rows { x: y, .. }) in samples(1).into_iter().zip(samples(7)) {
            let weight = random([features.parts() * x.dims()[1], 3], 5);
            let in_type = |dtype| [leaf(&x, dtype), leaf(&y, dtype), leaf(&weight, dtype)];
            let bias =
                |dtype| leaf(&Tensor::<1>::from_floats([0.1, -0.2, 0.3], &x.device()), dtype);
            let (single, double) = (in_type(DType::F32), in_type(DType::F64));

            let ask = |[x, y, weight]: &[Tensor<2>; 3], bias: Tensor<1>| {
                flex::project_pairs([x, y], weight, &bias, features)
            };
            let kernel = ask(&single, bias(DType::F32)).expect("a kernel for f32");
            assert!(ask(&double, bias(DType::F64)).is_none(), "no kernel for f64");
            let [x, y, weight] = double.clone();
            let plain = features.of(x, y).matmul(weight) + bias(DType::F64).unsqueeze();
            assert_agree(name, outcome(kernel, &single), outcome(plain, &double));
        }
    }
}

#[test]
fn many_classes_are_left_to_a_matrix_product() {
    let (x, features) =
        (random([4, 3], 1), PairFeatures { rows: true, difference: false, product: false });
    let bias = Tensor::<1>::zeros([17], &x.device());
    assert!(flex::project_pairs([&x, &x], &random([6, 17], 2), &bias, features).is_none());
}
