//! Lists of documents: padding never changes a number, whatever it holds, and neither do empty lists or
//! the memory budget, on every backend.

use backends_tests::case::Case;
use backends_tests::fault::Faults;
use backends_tests::nested::Nested;
use backends_tests::random::random_case;
use backends_tests::subject;
use burn::tensor::DType;
use burn_embedding_losses::catalog::{BatchKind, LossConfig};
use serde_json::{Value, json};

const LISTS: usize = 7;
const LONGEST: usize = 6;
const PADDING: usize = 3;

/// Every loss of lists, with the options that change which documents are compared.
fn cases() -> Vec<Case> {
    let entries = LossConfig::ENTRIES.into_iter().filter(|entry| entry.takes == BatchKind::Lists);
    let options = [json!({}), json!({"k": 2}), json!({"respect_input_order": false})];
    let mut cases = Vec::new();
    for entry in entries {
        for options in &options {
            if LossConfig::from_python(entry.name, options.clone()).is_ok() {
                let case = random_case(entry.name, options.clone(), LISTS, LONGEST, 3, 5);
                cases.push(case.expect("options that exist"));
            }
        }
    }
    assert!(cases.len() > 6, "the catalog has losses of lists");
    cases
}

/// The lists `[n, longest]` with more places, of which the first few hold `value`.
fn padded(lists: &Nested, value: f64) -> Nested {
    let rows = lists.data.chunks(LONGEST).flat_map(|list| {
        list.iter().copied().chain(std::iter::repeat_n(value, PADDING)).collect::<Vec<_>>()
    });
    Nested { shape: vec![lists.shape[0], LONGEST + PADDING], data: rows.collect() }
}

/// Calls `check` with every case on every backend that computes it, and the answer there.
fn on_every_backend(check: impl Fn(&Case, &dyn Fn(&Case) -> (f64, Vec<f64>), f64)) {
    for dtype in [DType::F32, DType::F64] {
        for (_, device, faults) in Faults::by_backend(dtype) {
            for case in cases().iter().filter(|case| faults.that_stop(case).is_none()) {
                let run = |case: &Case| {
                    let answer = subject::run(case, &device, dtype).expect("a case that fits");
                    (answer.loss, answer.gradients.concat())
                };
                check(case, &run, if dtype == DType::F64 { 1e-12 } else { 1e-5 });
            }
        }
    }
}

fn assert_close(id: &str, got: f64, expected: f64, tolerance: f64) {
    let close = (got - expected).abs() <= tolerance * expected.abs().max(1.0);
    assert!(close, "{id}: {got} is not {expected}");
}

#[test]
fn padding_changes_nothing() {
    on_every_backend(|case, run, tolerance| {
        let (loss, gradient) = run(case);
        for value in [0.0, 1e30, f64::NAN] {
            let mut longer = case.clone();
            longer.columns[0] = padded(&case.columns[0], value);
            let labels = longer.labels.as_mut().expect("lists have labels");
            labels.data = padded(&labels.data, value);
            let (padded_loss, padded_gradient) = run(&longer);
            assert_close(&case.id, padded_loss, loss, tolerance);
            for (list, expected) in
                padded_gradient.chunks(LONGEST + PADDING).zip(gradient.chunks(LONGEST))
            {
                for (got, expected) in list.iter().zip(expected) {
                    assert_close(&case.id, *got, *expected, tolerance);
                }
                assert_eq!(list[LONGEST..], [0.0; PADDING], "{}", case.id);
            }
        }
    });
}

#[test]
fn an_empty_list_has_no_gradient_and_spoils_no_other() {
    on_every_backend(|case, run, tolerance| {
        let mut with_empty = case.clone();
        let lengths = with_empty.lengths.as_mut().expect("lists have lengths");
        lengths[2] = 0;
        let (loss, gradient) = run(&with_empty);
        assert!(loss.is_finite(), "{}: {loss}", case.id);
        assert_eq!(gradient[2 * LONGEST..3 * LONGEST], [0.0; LONGEST], "{}", case.id);
        assert!(gradient.iter().all(|slope| slope.is_finite()), "{}", case.id);
        // All lists empty.
        with_empty.lengths = Some(vec![0; LISTS]);
        let (loss, gradient) = run(&with_empty);
        assert_close(&case.id, loss, 0.0, tolerance);
        assert!(gradient.iter().all(|&slope| slope == 0.0), "{}", case.id);
    });
}

#[test]
fn blocks_of_any_size_give_the_same_numbers() {
    on_every_backend(|case, run, tolerance| {
        let mut in_blocks = case.clone();
        // 40 numbers for each pair of one document, and a little more.
        in_blocks.config["memory_budget"] = Value::from(LONGEST * 40 * 8 * 4 + 100);
        if LossConfig::from_python(&case.loss, in_blocks.config.clone()).is_err() {
            return;
        }
        let ((loss, gradient), (blocked, in_parts)) = (run(case), run(&in_blocks));
        assert_close(&case.id, blocked, loss, tolerance);
        for (got, expected) in in_parts.iter().zip(&gradient) {
            assert_close(&case.id, *got, *expected, tolerance);
        }
    });
}
