//! DenoisingAutoEncoderLoss against sentence-transformers, on a tiny BERT with given weights.

mod bert_weights;

use std::collections::BTreeMap;
use std::path::Path;

use backends_tests::case::{Case, Expected};
use backends_tests::fault::Faults;
use backends_tests::nested::Nested;
use backends_tests::subject::{Answer, numbers};
use backends_tests::verdict::{Tolerance, Verdict};
use bert_weights::{gradients_of, with_weights};
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::prelude::*;
use burn_embedding_models::TransformerConfig;
use burn_embedding_models::decoder::TransformerDecoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    bert: TransformerConfig,
    weights: BTreeMap<String, Nested>,
    cases: Vec<Sentences>,
}

#[derive(Deserialize)]
struct Sentences {
    id: String,
    tied: bool,
    pad_token_id: u32,
    tokens: Nested,
    /// Token ids of the damaged sentences, of which the tied encoder makes the embeddings.
    damaged: Option<Nested>,
    embeddings: Option<Nested>,
    expected: Truth,
}

#[derive(Deserialize)]
struct Truth {
    loss: f64,
    embedding_gradient: Option<Nested>,
    gradients: BTreeMap<String, Nested>,
}

impl Fixture {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures-denoising");
        let text = std::fs::read_to_string(folder.join("denoising_auto_encoder.json"));
        let mut fixture: Self = serde_json::from_str(&text.expect("the fixture is committed"))
            .expect("a fixture of this form");
        let weights = fixture.weights.into_iter();
        fixture.weights = weights.map(|(name, w)| (name, w.rounded_to_f32())).collect();
        fixture
    }

    fn decoder(&self, device: &Device, dtype: DType) -> TransformerDecoder {
        let bert = self.bert.clone().with_dropout(0.0);
        with_weights(bert.init_decoder(device), &self.weights, device, dtype)
    }
}

/// How a case is run: what could be set wrong.
#[derive(Clone, Copy)]
struct Options {
    pad_token_id: u32,
    chunk_size: usize,
}

impl Sentences {
    fn options(&self) -> Options {
        Options { pad_token_id: self.pad_token_id, chunk_size: 3 }
    }

    fn answer(&self, decoder: TransformerDecoder, options: Options, place: &Place) -> Answer {
        let config = DenoisingAutoEncoderLossConfig::new(options.pad_token_id)
            .with_chunk_size(options.chunk_size);
        let embeddings = self.embeddings(&decoder, place);
        let batch = (embeddings.clone(), place.tokens(&self.tokens));
        let loss = if self.tied {
            let loss = config.init(decoder.extension.clone());
            loss.forward_with(&loss.decoder.tied_to(&decoder.transformer), batch)
        } else {
            config.init(decoder.clone()).forward(batch)
        };
        let gradients = loss.backward();
        Answer {
            loss: numbers(loss)[0],
            gradients: embeddings.grad(&gradients).map(numbers).into_iter().collect(),
            param_gradients: gradients_of(&decoder, &gradients),
            parts: BTreeMap::new(),
        }
    }

    /// Given, or those of the encoder: the state of the first token.
    fn embeddings(&self, decoder: &TransformerDecoder, place: &Place) -> Tensor<2> {
        if let Some(given) = &self.embeddings {
            let given = given.clone().rounded_to_f32();
            return given.tensor(&place.device, place.dtype).expect("a matrix").require_grad();
        }
        let damaged = place.tokens(self.damaged.as_ref().expect("one of the two is given"));
        let padding = damaged.clone().equal_elem(i64::from(self.pad_token_id));
        let TransformerDecoder { transformer, .. } = decoder;
        let states = transformer.forward(transformer.token_vectors(damaged), padding);
        let [n, _, _] = states.dims();
        states.slice([0..n, 0..1]).squeeze_dim(1)
    }

    fn case(&self) -> Case {
        let Truth { loss, embedding_gradient, gradients } = &self.expected;
        let mut case = Case::new(&self.id, "DenoisingAutoEncoderLoss", serde_json::Value::Null);
        let of_embeddings = embedding_gradient.iter().cloned().collect();
        case.expected = Expected::new(*loss, of_embeddings, gradients.clone());
        case
    }

    fn verdict(&self, answer: &Answer, dtype: DType) -> Verdict {
        Verdict::of(&self.case(), answer, Tolerance::of(dtype))
    }
}

struct Place {
    device: Device,
    dtype: DType,
}

impl Place {
    fn tokens(&self, nested: &Nested) -> Tensor<2, Int> {
        let ids: Vec<i64> = nested.data.iter().map(|&id| id as i64).collect();
        Tensor::from_data(TensorData::new(ids, nested.shape.clone()), &self.device)
    }
}

fn assert_all_hold(dtype: DType) {
    let fixture = Fixture::read();
    let mut failures = Vec::new();
    for (name, device, faults) in Faults::by_backend(dtype) {
        if !faults.none() {
            println!("{name} skipped: {faults:?}");
            continue;
        }
        let place = Place { device: device.autodiff(), dtype };
        for sentences in &fixture.cases {
            let decoder = fixture.decoder(&place.device, dtype);
            let answer = sentences.answer(decoder, sentences.options(), &place);
            let verdict = sentences.verdict(&answer, dtype);
            println!(
                "{name}: {}: loss {:.1e}, gradient {:.1e}",
                sentences.id, verdict.loss_error, verdict.gradient_error
            );
            failures.extend(verdict.failure.map(|why| format!("{name}: {}: {why}", sentences.id)));
        }
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn all_cases_hold_in_f32() {
    assert_all_hold(DType::F32);
}

#[test]
fn all_cases_hold_in_f64() {
    assert_all_hold(DType::F64);
}

#[test]
fn the_size_of_a_chunk_does_not_matter() {
    let fixture = Fixture::read();
    let place = Place { device: Device::flex().autodiff(), dtype: DType::F64 };
    for sentences in &fixture.cases {
        for chunk_size in [1, 7, 4096] {
            let options = Options { chunk_size, ..sentences.options() };
            let decoder = fixture.decoder(&place.device, place.dtype);
            let answer = sentences.answer(decoder, options, &place);
            let failure = sentences.verdict(&answer, place.dtype).failure;
            assert_eq!(failure, None, "{} in chunks of {chunk_size}", sentences.id);
        }
    }
}

#[test]
fn a_wrong_padding_token_is_found() {
    let fixture = Fixture::read();
    let place = Place { device: Device::flex().autodiff(), dtype: DType::F64 };
    for sentences in &fixture.cases {
        // The last token of every sentence, which is to be predicted.
        let options = Options { pad_token_id: 3, ..sentences.options() };
        let decoder = fixture.decoder(&place.device, place.dtype);
        let answer = sentences.answer(decoder, options, &place);
        assert!(sentences.verdict(&answer, place.dtype).failure.is_some(), "{}", sentences.id);
    }
}
