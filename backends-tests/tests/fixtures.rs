//! Every committed case, in both precisions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backends_tests::case::{Case, read};
use backends_tests::fault::Faults;
use backends_tests::subject;
use backends_tests::verdict::{Tolerance, Verdict};
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::catalog::LossConfig;

fn fixture_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = std::fs::read_dir(folder).expect("the fixtures are committed");
    files.map(|file| file.expect("a readable folder").path()).collect()
}

fn all_cases() -> Vec<Case> {
    fixture_files().iter().flat_map(|path| read(path).expect("a case file")).collect()
}

/// On every backend that is compiled in; how many cases were skipped, by backend.
fn assert_all_hold(dtype: DType) -> BTreeMap<&'static str, usize> {
    let cases = all_cases();
    let (mut failures, mut skipped) = (Vec::new(), BTreeMap::new());
    for (name, device) in named_device::compiled_in() {
        let faults = Faults::of(&device, dtype);
        for case in &cases {
            if let Some(reason) = faults.that_stop(case) {
                println!("{name}: {} skipped: {reason}", case.id);
                *skipped.entry(name).or_default() += 1;
            } else if let Some(why) = failure(case, &device, dtype) {
                failures.push(format!("{name}: {why}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
    skipped
}

fn failure(case: &Case, device: &Device, dtype: DType) -> Option<String> {
    let answer = subject::run(case, device, dtype).expect("a case that fits its loss");
    let why = Verdict::of(case, &answer, Tolerance::of(dtype)).failure?;
    Some(format!("{}: {why}", case.id))
}

#[test]
fn all_cases_hold_in_f32() {
    assert_eq!(assert_all_hold(DType::F32), BTreeMap::new(), "nothing is skipped in f32");
}

#[test]
fn all_cases_hold_in_f64() {
    let skipped = assert_all_hold(DType::F64);
    let on_cpu = ["flex", "ndarray", "libtorch"].map(|name| skipped.get(name));
    assert_eq!(on_cpu, [None; 3], "nothing is skipped on the CPU");
}

#[test]
fn every_loss_has_twenty_cases_with_a_gradient() {
    let mut useful: BTreeMap<String, usize> = BTreeMap::new();
    for case in all_cases() {
        let moves = case.expected.gradients.iter().any(|g| g.data.iter().any(|&x| x != 0.0));
        *useful.entry(case.loss).or_default() += usize::from(moves);
    }
    // Losses with a decoder have fixtures of another form: see the test `denoising`.
    for entry in LossConfig::ENTRIES.into_iter().filter(|entry| !entry.needs_decoder()) {
        let cases = useful.get(entry.name).copied().unwrap_or(0);
        assert!(cases >= 20, "{} has only {cases} cases with a gradient", entry.name);
    }
}

#[test]
fn a_wrong_answer_is_found() {
    let device = Device::flex();
    for case in all_cases().iter().filter(|case| case.expected.loss != 0.0).take(20) {
        let mut answer =
            subject::run(case, &device, DType::F64).expect("a case that fits its loss");
        answer.loss += 1e-8 * case.expected.loss.abs().max(1.0);
        let verdict = Verdict::of(case, &answer, Tolerance::of(DType::F64));
        assert!(verdict.failure.is_some(), "{} accepts a wrong loss", case.id);
    }
}
