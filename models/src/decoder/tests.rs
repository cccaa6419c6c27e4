//! Which token sees which, and sizes that do not fit.

use burn::module::{ModuleVisitor, Param};
use burn::tensor::Gradients;
use burn_embedding_losses::DenoisingAutoEncoderLossConfig;

use super::*;
use crate::transformer::Activation;

/// A small network whose weights are large enough to make a difference.
fn config() -> TransformerConfig {
    TransformerConfig {
        hidden_size: 4,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 6,
        max_position_embeddings: 5,
        initializer_range: 0.7,
        ..TransformerConfig::bert(9)
    }
}

fn decoder() -> TransformerDecoder {
    config().init_decoder(&Device::flex())
}

fn tokens(ids: [i64; 4]) -> Tensor<2, Int> {
    Tensor::from_ints([ids], &Device::flex())
}

fn padding(flags: [bool; 4]) -> Tensor<2, Bool> {
    Tensor::from_data([flags], &Device::flex())
}

fn memory() -> Tensor<2> {
    Tensor::from_floats([[0.5, -1.0, 0.25, 2.0]], &Device::flex())
}

const NONE: [bool; 4] = [false; 4];

/// The states of the decoder at each position.
fn states(decoder: &TransformerDecoder, ids: [i64; 4], flags: [bool; 4]) -> Vec<Vec<f32>> {
    positions(decoder.hidden_states(tokens(ids), padding(flags), memory()))
}

/// The states of the encoder at each position.
fn encoded(encoder: &Transformer, ids: [i64; 4], flags: [bool; 4]) -> Vec<Vec<f32>> {
    positions(encoder.forward(encoder.token_vectors(tokens(ids)), padding(flags)))
}

fn positions(states: Tensor<3>) -> Vec<Vec<f32>> {
    let states: Vec<f32> = states.try_into_vec_as().unwrap();
    states.chunks(4).map(<[f32]>::to_vec).collect()
}

#[test]
fn a_decoder_does_not_see_what_comes_later() {
    let decoder = decoder();
    let (one, other) = (states(&decoder, [1, 2, 3, 4], NONE), states(&decoder, [1, 2, 5, 4], NONE));
    assert_eq!(one[..2], other[..2]);
    assert!(one[2] != other[2] && one[3] != other[3]);
}

#[test]
fn an_encoder_sees_the_whole_sentence() {
    let encoder = config().init(&Device::flex());
    let (one, other) =
        (encoded(&encoder, [1, 2, 3, 4], NONE), encoded(&encoder, [1, 2, 5, 4], NONE));
    assert!((0..4).all(|i| one[i] != other[i]));
}

#[test]
fn padding_is_not_looked_at_before_or_after_a_sentence() {
    let decoder = decoder();
    let encoder = &decoder.transformer;
    let before = [true, false, false, false];
    let (one, other) =
        (states(&decoder, [0, 2, 3, 4], before), states(&decoder, [7, 2, 3, 4], before));
    assert_eq!(one[1..], other[1..]);
    let after = [false, false, true, true];
    let (one, other) =
        (encoded(encoder, [1, 2, 0, 0], after), encoded(encoder, [1, 2, 7, 8], after));
    assert_eq!(one[..2], other[..2]);
    assert!(one.concat().iter().all(|x| x.is_finite()));
}

#[test]
fn every_position_sees_the_memory() {
    let decoder = decoder();
    let with = |memory: Tensor<2>| {
        positions(decoder.hidden_states(tokens([1, 2, 3, 4]), padding(NONE), memory))
    };
    let (one, other) = (with(memory()), with(memory() * 2.0));
    assert!((0..4).all(|i| one[i] != other[i]));
}

#[test]
fn the_same_token_at_another_place_is_another_state() {
    let states = encoded(&decoder().transformer, [3, 3, 3, 3], NONE);
    assert!(states[0] != states[1]);
}

#[test]
fn new_weights_are_those_of_bert() {
    let small = TransformerConfig {
        hidden_size: 64,
        num_hidden_layers: 1,
        num_attention_heads: 4,
        intermediate_size: 64,
        ..TransformerConfig::bert(100)
    };
    let words = small.init(&Device::flex()).word_embeddings();
    let head = small.init_extension(&Device::flex()).head;
    let deviation = |weight: Tensor<2>| weight.square().mean().into_scalar::<f32>().sqrt();
    assert!((deviation(words) - 0.02).abs() < 2e-3);
    assert!((deviation(head.dense.weight.val()) - 0.02).abs() < 2e-3);
    let bias = head.dense.bias.as_ref().unwrap().val();
    assert_eq!(bias.abs().max().into_scalar::<f32>(), 0.0);
}

#[test]
fn a_tied_decoder_computes_what_an_untied_one_with_its_weights_does() {
    let device = Device::flex().autodiff();
    let TransformerDecoder { transformer, extension } =
        TransformerConfig { hidden_act: Activation::Relu, ..config() }
            .with_dropout(0.0)
            .init_decoder(&device);
    let untied =
        TransformerDecoder { transformer: transformer.clone(), extension: extension.clone() };
    let config = DenoisingAutoEncoderLossConfig::new(0);
    let (untied, tied) = (config.init(untied), config.init(extension));
    let tokens = || Tensor::<2, Int>::from_ints([[1, 2, 3, 4]], &device);
    let memory = || Tensor::<2>::from_floats([[0.5, -1.0, 0.25, 2.0]], &device);
    let loss = tied.forward_with(&tied.decoder.tied_to(&transformer), (memory(), tokens()));
    let expected = untied.forward((memory(), tokens()));
    assert_eq!(loss.to_data(), expected.to_data());

    // The encoder owns the weights, so it gets the gradients.
    transformer.visit(&mut HasGradients(&loss.backward()));
}

struct HasGradients<'a>(&'a Gradients);

impl ModuleVisitor for HasGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        assert!(param.val().grad(self.0).is_some());
    }
}

#[test]
#[should_panic(expected = "Transformer: `ids` must have at most 5 columns, got 6")]
fn a_sentence_may_be_too_long() {
    let tokens = Tensor::<2, Int>::zeros([1, 6], &Device::flex());
    decoder().transformer.token_vectors(tokens);
}

#[test]
#[should_panic(expected = "TiedDecoder: `memory` must have shape [1, 4], got [1, 3]")]
fn the_memory_is_as_wide_as_the_hidden_states() {
    let memory = Tensor::<2>::zeros([1, 3], &Device::flex());
    decoder().hidden_states(tokens([1, 2, 3, 4]), padding(NONE), memory);
}

#[test]
#[should_panic(expected = "Transformer: `padding` must have shape [1, 4], got [1, 2]")]
fn padding_has_a_flag_for_each_token() {
    let padding = Tensor::<2, Int>::zeros([1, 2], &Device::flex()).equal_elem(1);
    decoder().hidden_states(tokens([1, 2, 3, 4]), padding, memory());
}

#[test]
#[should_panic(expected = "DecoderExtension: `transformer` must have 2 layers, got 1")]
fn tied_models_are_equally_deep() {
    let shallow = TransformerConfig { num_hidden_layers: 1, ..config() }.init(&Device::flex());
    decoder().extension.tied_to(&shallow);
}

#[test]
#[should_panic(expected = "must have word embeddings of shape [9, 4], got [8, 4]")]
fn tied_models_know_the_same_words() {
    let other = TransformerConfig { vocab_size: 8, ..config() }.init(&Device::flex());
    decoder().extension.tied_to(&other);
}

#[test]
#[should_panic(expected = "TransformerConfig: `vocab_size` is 0, expected 1 to 4194304")]
fn a_wrong_configuration_makes_no_decoder() {
    TransformerConfig::bert(0).init_extension(&Device::flex());
}
