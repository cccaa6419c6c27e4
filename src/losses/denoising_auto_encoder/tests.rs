//! On the smallest decoder that has everything a decoder can have.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::DType;

use super::fixed_weights::with_fixed_weights;
use super::*;

const PAD: i64 = 0;

/// Predicts a word from the one before and the embedding: `tanh(W x + e)`.
#[derive(Module, Debug)]
struct LastWord {
    words: Embedding,
    mix: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Decoder for LastWord {
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        _padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3> {
        let dtype = memory.dtype();
        let words = self.words.forward(tokens).cast(dtype);
        let mixed = words.matmul(self.mix.val().cast(dtype).unsqueeze());
        (mixed + memory.unsqueeze_dim(1)).tanh()
    }

    fn projection(&self) -> OutputProjection {
        OutputProjection::new(self.words.weight.val(), Some(self.bias.val()))
    }
}

fn decoder(device: &Device) -> LastWord {
    with_fixed_weights(LastWord {
        words: EmbeddingConfig::new(11, 4).init(device),
        mix: Initializer::Zeros.init([4, 4], device),
        bias: Initializer::Zeros.init([11], device),
    })
}

fn loss(device: &Device) -> DenoisingAutoEncoderLoss<LastWord> {
    DenoisingAutoEncoderLossConfig::new(PAD as u32).init(decoder(device))
}

fn chunked(
    loss: &DenoisingAutoEncoderLoss<LastWord>,
    size: usize,
) -> DenoisingAutoEncoderLoss<LastWord> {
    loss.config.clone().with_chunk_size(size).init(loss.decoder.clone())
}

fn embeddings(device: &Device) -> Tensor<2> {
    Tensor::from_floats(
        [[0.3, -1.0, 0.5, 0.9], [1.2, 0.1, -0.7, 0.4], [-0.2, 0.8, 1.1, -1.3]],
        device,
    )
}

/// Nine tokens to predict.
fn tokens(device: &Device) -> Tensor<2, Int> {
    Tensor::from_ints([[1, 5, 7, 9, 2], [1, 6, 2, 0, 0], [1, 10, 4, 2, 0]], device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn assert_close(got: &[f64], expected: &[f64], allowed: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= allowed, "{got} is not {expected}");
    }
}

/// The loss, and its gradients with respect to embeddings, words and the last bias.
fn answer(loss: &DenoisingAutoEncoderLoss<LastWord>, device: &Device) -> [Vec<f64>; 4] {
    let embeddings = embeddings(device).require_grad();
    let value = loss.forward((embeddings.clone(), tokens(device)));
    let gradients = value.backward();
    let LastWord { words, bias, .. } = &loss.decoder;
    [
        values(value),
        values(embeddings.grad(&gradients).unwrap()),
        values(words.weight.val().grad(&gradients).unwrap()),
        values(bias.val().grad(&gradients).unwrap()),
    ]
}

#[test]
fn the_size_of_a_chunk_changes_neither_value_nor_gradients() {
    let device = Device::flex().autodiff();
    let loss = loss(&device);
    let whole = answer(&loss, &device);
    for size in [1, 5, 12] {
        for (got, expected) in answer(&chunked(&loss, size), &device).iter().zip(&whole) {
            assert_close(got, expected, 1e-5);
        }
    }
}

#[test]
fn gradients_in_chunks_are_those_of_the_terms() {
    let device = Device::flex().autodiff();
    for reduction in [Reduction::Mean, Reduction::Sum] {
        let loss = loss(&device);
        let loss = loss.config.clone().with_reduction(reduction).init(loss.decoder);
        let in_chunks = answer(&chunked(&loss, 5), &device);

        let embeddings = embeddings(&device).require_grad();
        let terms = loss.forward_no_reduction((embeddings.clone(), tokens(&device)));
        assert_eq!(terms.dims(), [12]);
        let share = if reduction == Reduction::Mean { 1.0 / 9.0 } else { 1.0 };
        let value = terms.sum() * share;
        let gradients = value.backward();
        let (words, bias) = (loss.decoder.words.weight.val(), loss.decoder.bias.val());
        assert_close(&in_chunks[0], &values(value), 1e-5);
        assert_close(&in_chunks[1], &values(embeddings.grad(&gradients).unwrap()), 1e-5);
        assert_close(&in_chunks[2], &values(words.grad(&gradients).unwrap()), 1e-4);
        assert_close(&in_chunks[3], &values(bias.grad(&gradients).unwrap()), 1e-5);
    }
}

#[test]
fn a_gradient_that_comes_in_scales_the_one_that_goes_out() {
    let device = Device::flex().autodiff();
    let loss = loss(&device);
    let gradient = |scale: f64| {
        let embeddings = embeddings(&device).require_grad();
        let value = loss.forward((embeddings.clone(), tokens(&device))) * scale;
        values(embeddings.grad(&value.backward()).unwrap())
    };
    let thrice: Vec<f64> = gradient(1.0).iter().map(|g| 3.0 * g).collect();
    assert_close(&gradient(3.0), &thrice, 1e-5);
}

#[test]
fn the_gradient_of_the_embedding_is_the_derivative() {
    let device = Device::flex();
    let loss = loss(&device.clone().autodiff());
    let at = |x: Tensor<2>| loss.forward((x, tokens(&device)));
    let x = embeddings(&device).cast(DType::F64);
    let leaf = x.clone().autodiff().require_grad();
    let gradient = values(leaf.grad(&at(leaf.clone()).backward()).unwrap());
    let step = 1e-5;
    for (i, expected) in gradient.iter().enumerate() {
        let mut nudge = [0.0; 12];
        nudge[i] = step;
        let nudge = Tensor::<1>::from_data(nudge, (&device, DType::F64)).reshape([3, 4]);
        let [up, down] = [x.clone() + nudge.clone(), x.clone() - nudge].map(|x| values(at(x))[0]);
        assert!(((up - down) / (2.0 * step) - expected).abs() < 1e-8, "coordinate {i}");
    }
}

#[test]
fn without_gradients_the_value_is_the_same() {
    let device = Device::flex();
    let tracked = loss(&device.clone().autodiff());
    let plain = DenoisingAutoEncoderLossConfig::new(0).init(tracked.decoder.valid());
    let value = |loss: &DenoisingAutoEncoderLoss<LastWord>, size, device: &Device| {
        values(chunked(loss, size).forward((embeddings(device), tokens(device))))
    };
    let expected = value(&tracked, 512, &device.clone().autodiff());
    assert_close(&value(&plain, 512, &device), &expected, 1e-6);
    assert_close(&value(&plain, 2, &device), &expected, 1e-6);
}

#[test]
fn frozen_parts_get_no_gradient_and_the_others_do() {
    let device = Device::flex().autodiff();
    let frozen = DenoisingAutoEncoderLossConfig::new(0).init(decoder(&device).no_grad());
    let leaf = embeddings(&device).require_grad();
    let gradients = frozen.forward((leaf.clone(), tokens(&device))).backward();
    assert!(leaf.grad(&gradients).is_some());
    let gradients = loss(&device).forward((embeddings(&device), tokens(&device))).backward();
    assert!(leaf.grad(&gradients).is_none());
}

#[test]
fn the_token_after_each_is_predicted_and_padding_is_not() {
    let device = Device::flex();
    let loss = loss(&device);
    // A bias that makes token 2 certain and everything else hopeless.
    let mut sure = [0.0_f32; 11];
    sure[2] = 1e4;
    let mut decoder = loss.decoder.clone();
    decoder.bias = decoder.bias.map(|_| Tensor::from_floats(sure, &device));
    let loss = loss.config.init(decoder);
    let terms = values(loss.forward_no_reduction((embeddings(&device), tokens(&device))));
    let predicted: Vec<bool> = terms.iter().map(|&term| term > 1e3).collect();
    #[rustfmt::skip]
    assert_eq!(predicted, [
        true, true, true, false, // 5 7 9 2
        true, false, false, false, // 6 2 pad pad
        true, true, false, false, // 10 4 2 pad
    ]);
}

#[test]
fn another_padding_token_is_another_loss() {
    let device = Device::flex();
    let loss = loss(&device);
    let value = |pad| {
        let config = DenoisingAutoEncoderLossConfig::new(pad);
        let loss = config.init(loss.decoder.clone());
        values(loss.forward((embeddings(&device), tokens(&device))))[0]
    };
    assert!((value(0) - value(10)).abs() > 1e-3);
}

#[test]
fn a_batch_of_padding_costs_nothing() {
    let device = Device::flex().autodiff();
    let loss = loss(&device);
    let leaf = embeddings(&device).require_grad();
    let padding = Tensor::<2, Int>::zeros([3, 4], &device);
    let value = loss.forward((leaf.clone(), padding));
    let gradient = values(leaf.grad(&value.backward()).unwrap());
    assert_eq!(values(value), [0.0]);
    assert_eq!(gradient, [0.0; 12]);
}

#[test]
fn sentences_do_not_see_each_other() {
    let device = Device::flex();
    let loss = loss(&device);
    let terms = |rows: std::ops::Range<usize>| {
        let rows = [rows];
        let batch = (embeddings(&device).slice(rows.clone()), tokens(&device).slice(rows));
        values(loss.forward_no_reduction(batch))
    };
    assert_close(&terms(1..2), &terms(0..3)[4..8], 1e-5);
}

#[test]
fn weights_in_half_precision_are_widened() {
    let device = Device::flex();
    let loss = loss(&device);
    struct Halve;
    impl burn::module::ModuleMapper for Halve {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<Tensor<D>>,
        ) -> burn::module::Param<Tensor<D>> {
            param.map(|weight| weight.cast(DType::F16))
        }
    }
    let half = loss.config.init(loss.decoder.clone().map(&mut Halve));
    let value = half.forward((embeddings(&device).cast(DType::F16), tokens(&device)));
    assert_eq!(value.dtype(), DType::F32);
    let expected = values(loss.forward((embeddings(&device), tokens(&device))));
    assert_close(&values(value), &expected, 1e-2);
}

#[test]
#[should_panic(expected = "DenoisingAutoEncoderLoss: `chunk_size` must be at least 1, got 0")]
fn a_chunk_has_a_row() {
    DenoisingAutoEncoderLossConfig::new(0).with_chunk_size(0).init(decoder(&Device::flex()));
}

#[test]
#[should_panic(
    expected = "DenoisingAutoEncoderLoss: `pad_token_id` must be below the vocabulary's 11, got 11"
)]
fn padding_is_a_token() {
    let device = Device::flex();
    let loss = DenoisingAutoEncoderLossConfig::new(11).init(decoder(&device));
    loss.forward((embeddings(&device), tokens(&device)));
}

#[test]
fn the_configuration_comes_back_from_json() {
    let config = DenoisingAutoEncoderLossConfig::new(3).with_chunk_size(7);
    let text = burn::config::config_to_json(&config);
    assert_eq!(DenoisingAutoEncoderLossConfig::load_binary(text.as_bytes()).unwrap(), config);
}
