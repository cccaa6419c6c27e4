//! Who sees whom, and what does not fit.

use burn::prelude::*;
use burn::tensor::DType;

use super::fixed_weights::with_fixed_weights;
use super::layer::gelu;
use super::{Bert, BertConfig, BertDecoder};
use crate::decoder::Decoder;

fn config() -> BertConfig {
    BertConfig::new(9)
        .with_hidden_size(4)
        .with_num_hidden_layers(2)
        .with_num_attention_heads(2)
        .with_intermediate_size(6)
        .with_max_position_embeddings(5)
}

fn decoder() -> BertDecoder {
    with_fixed_weights(config().init_decoder(&Device::flex()))
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
fn states(decoder: &BertDecoder, ids: [i64; 4], flags: [bool; 4]) -> Vec<Vec<f32>> {
    positions(decoder.hidden_states(tokens(ids), padding(flags), memory()))
}

/// The states of the encoder at each position.
fn encoded(bert: &Bert, ids: [i64; 4], flags: [bool; 4]) -> Vec<Vec<f32>> {
    positions(bert.forward(tokens(ids), padding(flags)))
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
    let bert = decoder().bert;
    let (one, other) = (encoded(&bert, [1, 2, 3, 4], NONE), encoded(&bert, [1, 2, 5, 4], NONE));
    assert!((0..4).all(|i| one[i] != other[i]));
}

#[test]
fn padding_is_not_looked_at_before_or_after_a_sentence() {
    let BertDecoder { bert, .. } = decoder();
    let decoder = decoder();
    let before = [true, false, false, false];
    let (one, other) =
        (states(&decoder, [0, 2, 3, 4], before), states(&decoder, [7, 2, 3, 4], before));
    assert_eq!(one[1..], other[1..]);
    let after = [false, false, true, true];
    let (one, other) = (encoded(&bert, [1, 2, 0, 0], after), encoded(&bert, [1, 2, 7, 8], after));
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
    let states = encoded(&decoder().bert, [3, 3, 3, 3], NONE);
    assert!(states[0] != states[1]);
}

#[test]
fn gelu_has_the_derivative_of_its_own_curve() {
    let device = Device::flex();
    let points = [-9.0, -3.0, -0.75, 0.0, 0.1, 1.0, 4.0, 9.0];
    let x = Tensor::<1>::from_data(points, (&device, DType::F64));
    let leaf = x.clone().autodiff().require_grad();
    let value = gelu(leaf.clone());
    let slope = leaf.grad(&value.clone().sum().backward()).unwrap();
    let step = 1e-5;
    let ahead = gelu(x.clone().add_scalar(step)) - gelu(x.clone().sub_scalar(step));
    let off = (ahead.div_scalar(2.0 * step) - slope).abs().max();
    assert!(off.into_scalar::<f64>() < 1e-9);
    let values: Vec<f64> = value.try_into_vec_as().unwrap();
    // Φ(1) = 0.841344746
    assert!((values[5] - 0.841344746).abs() < 1e-9 && values[3] == 0.0);
}

#[test]
fn new_weights_are_those_of_bert() {
    let config = BertConfig::new(100);
    let sizes = [config.hidden_size, config.num_hidden_layers, config.num_attention_heads];
    assert_eq!(sizes, [768, 12, 12]);
    let small = config.with_hidden_size(64).with_num_hidden_layers(1);
    let Bert { embeddings, layers } =
        small.with_num_attention_heads(4).with_intermediate_size(64).init(&Device::flex());
    let deviation = |weight: Tensor<2>| weight.square().mean().into_scalar::<f32>().sqrt();
    assert!((deviation(embeddings.word_embeddings.weight.val()) - 0.02).abs() < 2e-3);
    assert!((deviation(layers[0].intermediate.weight.val()) - 0.02).abs() < 2e-3);
    let bias = layers[0].intermediate.bias.as_ref().unwrap().val();
    assert_eq!(bias.abs().max().into_scalar::<f32>(), 0.0);
}

#[test]
fn a_wrong_configuration_names_field_rule_and_value() {
    for (config, message) in [
        (config().with_num_hidden_layers(0), "`num_hidden_layers` must be at least 1, got 0"),
        (
            config().with_hidden_size(5),
            "`hidden_size` must be a multiple of 2, the number of heads",
        ),
        (config().with_layer_norm_eps(0.0), "`layer_norm_eps` must be positive, got 0"),
        (config().with_initializer_range(-1.0), "`initializer_range` must be 0 or more, got -1"),
    ] {
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with("BertConfig: ") && error.contains(message), "{error}");
    }
}

#[test]
#[should_panic(expected = "Bert: `tokens` must have at most 5 columns, got 6")]
fn a_sentence_may_be_too_long() {
    let tokens = Tensor::<2, Int>::zeros([1, 6], &Device::flex());
    decoder().bert.forward(tokens.clone(), tokens.equal_elem(1));
}

#[test]
#[should_panic(expected = "BertDecoder: `memory` must have shape [1, 4], got [1, 3]")]
fn the_memory_is_as_wide_as_the_hidden_states() {
    let memory = Tensor::<2>::zeros([1, 3], &Device::flex());
    decoder().hidden_states(tokens([1, 2, 3, 4]), padding(NONE), memory);
}

#[test]
#[should_panic(expected = "Bert: `padding` must have shape [1, 4], got [1, 2]")]
fn padding_has_a_flag_for_each_token() {
    let padding = Tensor::<2, Int>::zeros([1, 2], &Device::flex()).equal_elem(1);
    decoder().hidden_states(tokens([1, 2, 3, 4]), padding, memory());
}

#[test]
#[should_panic(expected = "BertDecoderExtension: `bert` must have 2 layers, got 1")]
fn tied_models_are_equally_deep() {
    let shallow = config().with_num_hidden_layers(1).init(&Device::flex());
    decoder().extension.tied_to(&shallow);
}

#[test]
#[should_panic(expected = "must have word embeddings of shape [9, 4], got [8, 4]")]
fn tied_models_know_the_same_words() {
    let other = BertConfig { vocab_size: 8, ..config() }.init(&Device::flex());
    decoder().extension.tied_to(&other);
}
