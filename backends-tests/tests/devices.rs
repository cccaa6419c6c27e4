//! The same numbers whatever the device records on the way, and no other device than the input's.

use backends_tests::case::{Case, read};
use backends_tests::subject::{self, Inputs, numbers};
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::{Columns, RetrievalBatch};
use burn_embedding_losses::blocks::{DEFAULT_BUDGET, DEFAULT_GPU_BUDGET, default_budget};
use std::path::Path;

fn some_cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = std::fs::read_dir(folder).expect("the fixtures are committed");
    let first_ten = |path: &Path| read(path).expect("a case file").into_iter().take(10);
    files.flat_map(|file| first_ten(&file.expect("a readable folder").path())).collect()
}

#[test]
fn gradient_checkpointing_changes_nothing() {
    let (plain, checkpointing) =
        (Device::flex(), Device::flex().autodiff().gradient_checkpointing());
    for case in some_cases() {
        // Kernels compute in `f32` only.
        for dtype in [DType::F32, DType::F64] {
            let expected = subject::run(&case, &plain, dtype).expect("a case that fits its loss");
            let got = subject::run(&case, &checkpointing, dtype).expect("the same case");
            assert_eq!(got.loss, expected.loss, "{}, {dtype:?}", case.id);
            assert_eq!(got.gradients, expected.gradients, "{}, {dtype:?}", case.id);
        }
    }
}

#[test]
fn a_loss_without_a_graph_has_the_same_value() {
    for case in some_cases() {
        let with_graph =
            subject::run(&case, &Device::flex(), DType::F64).expect("a case that fits");
        let inputs = Inputs::constants(&case, &Device::flex(), DType::F64).expect("the same case");
        let loss = inputs.loss().expect("the same case");
        assert!(!loss.is_autodiff(), "{}", case.id);
        assert_eq!(numbers(loss), [with_graph.loss], "{}", case.id);
    }
}

#[test]
fn a_block_fits_the_caches_of_a_cpu_and_a_buffer_of_any_other_device() {
    for (name, device) in named_device::compiled_in() {
        let budget = match name {
            "flex" | "ndarray" | "libtorch" => DEFAULT_BUDGET,
            _ => DEFAULT_GPU_BUDGET,
        };
        for device in [device.clone(), device.autodiff()] {
            assert_eq!(default_budget(&device, [64, 8]), budget, "{name}");
            assert_eq!(default_budget(&device, [1 << 20, 256]), 1 << 30, "{name}");
        }
    }
}

#[test]
fn everything_stays_on_the_device_of_its_input() {
    let places = named_device::compiled_in();
    assert!(
        places.iter().any(|(_, device)| *device != Device::default()),
        "a backend beside the default one is compiled in"
    );
    for (name, device) in places {
        let device = device.autodiff();
        for case in some_cases() {
            let inputs = Inputs::new(&case, &device, DType::F32).expect("a case that fits");
            let terms = inputs.terms().expect("the same case");
            let loss = inputs.loss().expect("the same case");
            for output in terms.into_iter().chain([loss]) {
                assert_eq!(output.device(), device, "{name}: {}", case.id);
                let gradients = output.sum().backward();
                for gradient in inputs.columns().iter().filter_map(|x| x.grad(&gradients)) {
                    assert_eq!(gradient.device(), device.clone().inner(), "{name}: {}", case.id);
                }
            }
        }
        // Nothing is read above, and a driver must not be at work when the process ends.
        device.sync().expect("a device that works");
    }
}

#[test]
fn a_batch_moves_with_all_that_belongs_to_it() {
    let flex = Device::flex();
    let rows = || Tensor::<2>::ones([2, 3], &flex);
    let ids = || Tensor::<1, Int>::from_data([1, 2], &flex);
    for (name, device) in named_device::compiled_in() {
        let batch = RetrievalBatch::new(rows(), rows(), vec![rows()])
            .with_ids(ids())
            .with_negative_ids(vec![ids()])
            .with_negative_mask(Tensor::<2>::ones([2, 1], &flex).bool())
            .with_weights(Tensor::ones([2], &flex))
            .with_own_rows(1..2);
        let moved = batch.to_device(&device);
        let embeddings = [moved.anchor(), moved.positive(), &moved.negatives()[0]];
        assert!(embeddings.iter().all(|rows| rows.device() == device), "{name}");
        let ids = moved.ids().expect("ids");
        for ids in [ids.rows(), &ids.negatives()[0]] {
            assert_eq!(ids.device(), device, "{name}");
        }
        assert_eq!(moved.negative_mask().expect("a mask").device(), device, "{name}");
        assert_eq!(moved.weights().expect("weights").device(), device, "{name}");
        assert_eq!(moved.own_rows(), 1..2, "{name}");
    }
}
