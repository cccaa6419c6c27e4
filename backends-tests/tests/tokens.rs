//! Token embeddings: padding never changes a number, whatever it holds, neither do texts without a token, and the first
//! of equal tokens wins, on every backend.

use backends_tests::case::Case;
use backends_tests::fault::Faults;
use backends_tests::nested::Nested;
use backends_tests::random::random_case;
use backends_tests::subject;
use burn::tensor::DType;
use burn_embedding_losses::catalog::LossConfig;
use serde_json::json;

const TEXTS: usize = 6;
const DIM: usize = 4;
const PADDING: usize = 2;

/// Every loss of token embeddings, with each similarity.
fn cases() -> Vec<Case> {
    let entries = LossConfig::ENTRIES.into_iter().filter(|entry| entry.takes.takes_tokens());
    let similarities =
        [json!("MaxSim"), json!("MeanMaxSim"), json!({"name": "XTRScores", "top_k": 7})];
    let case = |name, similarity: &serde_json::Value| {
        let options = json!({"similarity_fct": similarity});
        random_case(name, options, TEXTS, DIM, 3, 11).expect("options that exist")
    };
    entries.flat_map(|entry| similarities.each_ref().map(|s| case(entry.name, s))).collect()
}

/// The loss, and the gradient of each column.
type Outcome = (f64, Vec<Vec<f64>>);

/// Calls `check` with every case on every backend that computes it, and the answer there.
fn on_every_backend(check: impl Fn(&Case, &dyn Fn(&Case) -> Outcome, f64)) {
    for dtype in [DType::F32, DType::F64] {
        for (_, device, faults) in Faults::by_backend(dtype) {
            for case in cases().iter().filter(|case| faults.that_stop(case).is_none()) {
                let run = |case: &Case| {
                    let answer = subject::run(case, &device, dtype).expect("a case that fits");
                    (answer.loss, answer.gradients)
                };
                check(case, &run, if dtype == DType::F64 { 1e-12 } else { 1e-5 });
            }
        }
    }
}

#[track_caller]
fn assert_same(
    id: &str,
    (loss, gradients): Outcome,
    (expected, of_expected): Outcome,
    tolerance: f64,
) {
    let pairs = gradients.iter().flatten().zip(of_expected.iter().flatten());
    for (&got, &expected) in std::iter::once((&loss, &expected)).chain(pairs) {
        let close = (got - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(close, "{id}: {got} is not {expected}");
    }
    assert_eq!(gradients.concat().len(), of_expected.concat().len(), "{id}");
}

/// The mask of a column.
fn mask(case: &Case, column: usize) -> &Nested {
    &case.masks.as_ref().expect("tokens have masks")[column]
}

fn masks(case: &mut Case) -> &mut Vec<Nested> {
    case.masks.as_mut().expect("tokens have masks")
}

/// Numbers of tokens, `size` for each, with `more` places at the end of each text that hold `value`.
fn padded(numbers: &Nested, tokens: usize, size: usize, value: f64) -> Nested {
    let texts = numbers.data.chunks(tokens * size).flat_map(|text| {
        text.iter().copied().chain(std::iter::repeat_n(value, PADDING * size)).collect::<Vec<_>>()
    });
    Nested { shape: vec![numbers.shape[0], (tokens + PADDING) * size], data: texts.collect() }
}

#[test]
fn padding_changes_nothing() {
    on_every_backend(|case, run, tolerance| {
        let plain = run(case);
        for value in [0.0, 1e30, f64::NAN] {
            let mut longer = case.clone();
            for column in 0..case.columns.len() {
                let tokens = mask(case, column).shape[1];
                // What the mask leaves out holds anything as well.
                let left_out = mask(case, column).data.iter().map(|&real| real == 0.0);
                let mut numbers = case.columns[column].clone();
                for (token, _) in numbers.data.chunks_mut(DIM).zip(left_out).filter(|(_, out)| *out)
                {
                    token.fill(value);
                }
                longer.columns[column] = padded(&numbers, tokens, DIM, value);
                masks(&mut longer)[column] = padded(mask(case, column), tokens, 1, 0.0);
            }
            let (loss, gradients) = run(&longer);
            let mut kept = Vec::new();
            for (column, gradient) in gradients.iter().enumerate() {
                let tokens = mask(case, column).shape[1];
                let texts = gradient.chunks((tokens + PADDING) * DIM);
                kept.push(texts.clone().flat_map(|text| text[..tokens * DIM].to_vec()).collect());
                let beyond = texts.flat_map(|text| &text[tokens * DIM..]);
                assert!(beyond.into_iter().all(|&slope| slope == 0.0), "{}", case.id);
            }
            assert_same(&case.id, (loss, kept), plain.clone(), tolerance);
        }
    });
}

/// The tokens of each text in another order.
fn reversed(numbers: &Nested, size: usize) -> Nested {
    let (rows, width) = (numbers.shape[0], numbers.data.len() / numbers.shape[0]);
    let text = |row: usize| {
        let tokens = numbers.data[row * width..(row + 1) * width].chunks(size).rev();
        tokens.flatten().copied().collect::<Vec<_>>()
    };
    Nested { shape: numbers.shape.clone(), data: (0..rows).flat_map(text).collect() }
}

#[test]
fn the_order_of_tokens_does_not_matter() {
    on_every_backend(|case, run, tolerance| {
        let mut other = case.clone();
        other.columns.iter_mut().for_each(|column| *column = reversed(column, DIM));
        masks(&mut other).iter_mut().for_each(|mask| *mask = reversed(mask, 1));
        let (loss, gradients) = run(&other);
        let back = |(data, column): (Vec<f64>, &Nested)| {
            reversed(&Nested { shape: column.shape.clone(), data }, DIM).data
        };
        let gradients = gradients.into_iter().zip(&case.columns).map(back).collect();
        assert_same(&case.id, (loss, gradients), run(case), tolerance);
    });
}

#[test]
fn texts_without_a_token_get_no_gradient_and_blow_nothing_up() {
    on_every_backend(|case, run, _| {
        for column in 0..case.columns.len() {
            let (mut one, mut all) = (case.clone(), case.clone());
            let tokens = mask(case, column).shape[1];
            masks(&mut one)[column].data[..tokens].fill(0.0);
            masks(&mut all).iter_mut().for_each(|mask| mask.data.fill(0.0));
            let (loss, gradients) = run(&one);
            let finite = gradients.iter().flatten().all(|slope| slope.is_finite());
            assert!(loss.is_finite() && finite, "{}: {loss}", case.id);
            assert_eq!(gradients[column][..tokens * DIM], vec![0.0; tokens * DIM], "{}", case.id);
            let (loss, gradients) = run(&all);
            assert!(loss.is_finite(), "{}: {loss}", case.id);
            assert!(gradients.iter().flatten().all(|&slope| slope == 0.0), "{}", case.id);
        }
    });
}

#[test]
fn the_first_of_equal_tokens_gets_the_gradient() {
    on_every_backend(|case, run, _| {
        let mut twice = case.clone();
        masks(&mut twice).iter_mut().for_each(|mask| mask.data.fill(1.0));
        for column in &mut twice.columns {
            let width = column.shape[1];
            // Products of these are exact, in any order of summation.
            column.data.iter_mut().for_each(|x| *x = (*x * 4.0).round() / 4.0);
            for text in column.data.chunks_mut(width) {
                let (first, rest) = text.split_at_mut(DIM);
                rest.chunks_mut(DIM).for_each(|token| token.copy_from_slice(first));
            }
        }
        let (_, gradients) = run(&twice);
        for (gradient, column) in gradients[1..].iter().zip(&twice.columns[1..]) {
            let mut texts = gradient.chunks(column.shape[1]);
            assert!(texts.clone().any(|text| text[..DIM].iter().any(|&slope| slope != 0.0)));
            assert!(texts.all(|text| text[DIM..].iter().all(|&slope| slope == 0.0)), "{}", case.id);
        }
    });
}
