//! Half precision is a matter of storage: the loss is computed in `f32` or wider.
//!
//! The truth is the answer in `f64` for the inputs rounded to half precision.

use std::path::Path;

use backends_tests::case::{Case, Expected, LabelType, read};
use backends_tests::fault::Faults;
use backends_tests::nested::Nested;
use backends_tests::subject::{self, Answer, Inputs, numbers};
use backends_tests::verdict::{Tolerance, Verdict};
use burn::prelude::*;
use burn::tensor::DType;

/// Every third case of every loss.
fn some_cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = std::fs::read_dir(folder).expect("the fixtures are committed");
    let cases = |path: &Path| read(path).expect("a case file").into_iter().step_by(3);
    files.flat_map(|file| cases(&file.expect("a readable folder").path())).collect()
}

/// The case with all its numbers rounded, expecting the answer in `f64`.
fn rounded(mut case: Case, dtype: DType) -> Case {
    let round = |nested: &mut Nested| {
        let data = TensorData::new(nested.data.clone(), [nested.data.len()]);
        nested.data = numbers(Tensor::<1>::from_data(data, (&Device::flex(), dtype)));
    };
    let guide = case.guide_columns.iter_mut().flatten();
    case.columns.iter_mut().chain(guide).for_each(round);
    case.params.iter_mut().flat_map(|params| params.values_mut()).for_each(round);
    let labels = case.labels.iter_mut().filter(|labels| labels.dtype == LabelType::Float);
    labels.map(|labels| &mut labels.data).for_each(round);

    let Answer { loss, gradients, param_gradients, parts } =
        subject::run(&case, &Device::flex(), DType::F64).expect("a case that fits its loss");
    let nested = |data: Vec<f64>| Nested { shape: vec![data.len()], data };
    let param_gradients = param_gradients.into_iter().map(|(name, data)| (name, nested(data)));
    let gradients = gradients.into_iter().map(nested).collect();
    case.expected = Expected::new(loss, gradients, param_gradients.collect());
    case.expected.parts = Some(parts);
    case
}

/// Whether all numbers of the answer are small enough for the type.
fn fits(case: &Case, dtype: DType) -> bool {
    let largest = dtype.finfo().map_or(f64::MAX, |info| info.max);
    let columns = case.expected.gradients.iter().chain(&case.columns);
    columns.flat_map(|nested| &nested.data).all(|x| x.abs() < largest)
}

fn assert_all_hold(dtype: DType) {
    let (fitting, too_large): (Vec<_>, Vec<_>) =
        some_cases().into_iter().map(|case| rounded(case, dtype)).partition(|c| fits(c, dtype));
    for case in &too_large {
        println!("{} skipped: its numbers do not fit {}", case.id, dtype.name());
    }
    assert!(fitting.len() > 9 * too_large.len(), "most cases fit {}", dtype.name());

    let mut failures = Vec::new();
    for (name, device, _) in Faults::by_backend(dtype) {
        for case in &fitting {
            let answer = subject::run(case, &device, dtype).expect("a case that fits its loss");
            if let Some(why) = Verdict::of(case, &answer, Tolerance::of(dtype)).failure {
                failures.push(format!("{name}: {}: {why}", case.id));
            }
        }
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn losses_of_f16_embeddings_hold() {
    assert_all_hold(DType::F16);
}

#[test]
fn losses_of_bf16_embeddings_hold() {
    assert_all_hold(DType::BF16);
}

#[test]
fn the_loss_itself_is_not_of_half_precision() {
    for case in some_cases() {
        let inputs = Inputs::new(&case, &Device::flex(), DType::F16).expect("a case that fits");
        let loss = inputs.loss().expect("the same case");
        assert_eq!(loss.dtype(), DType::F32, "{}", case.id);
    }
}
