//! The decoder that shares a model's layers is the one that the library checks against Python.

mod common;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, Tolerance};
use burn_embedding_losses::decoder::{BertConfig, BertDecoderExtension, Decoder};
use common::golden;
use finetune::model::Pretrained;
use finetune::model::decoder::TiedDecoder;

/// The parameters of a module in their order.
#[derive(Default)]
struct Values(Vec<TensorData>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data());
    }
}

/// Other parameters of the same shapes, in the same order.
struct Assign(std::vec::IntoIter<TensorData>);

impl ModuleMapper for Assign {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = self.0.next().expect("a value for each parameter");
        param.map(|old| {
            assert_eq!(old.dims().as_slice(), value.shape().as_slice());
            Tensor::from_data(value, &old.device())
        })
    }
}

/// New weights are small: these make a difference.
struct Enlarge;

impl ModuleMapper for Enlarge {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| value.random_like(Distribution::Normal(0.0, 0.5)))
    }
}

#[test]
fn a_tied_decoder_is_that_of_the_library() {
    let device = Device::flex();
    let model = Pretrained::load(&golden("bert"), &device).unwrap();
    let config = &model.package.config;
    let bert = BertConfig::new(config.vocab_size)
        .with_hidden_size(config.hidden_size)
        .with_num_hidden_layers(config.num_hidden_layers)
        .with_num_attention_heads(config.num_attention_heads)
        .with_intermediate_size(config.intermediate_size)
        .with_max_position_embeddings(config.max_position_embeddings)
        .with_type_vocab_size(config.type_vocab_size)
        .with_layer_norm_eps(config.layer_norm_eps);
    let extension: BertDecoderExtension = bert.init_extension(&device).map(&mut Enlarge);
    let transformer = &model.encoder.transformer;
    let mut values = Values::default();
    transformer.visit(&mut values);
    let bert = bert.init(&device).map(&mut Assign(values.0.into_iter()));

    let tokens = Tensor::<2, Int>::from_ints([[2, 7, 9, 11, 3], [2, 8, 3, 1, 1]], &device);
    let padding = tokens.clone().equal_elem(1);
    let memory = Tensor::random([2, config.hidden_size], Distribution::Default, &device);
    let ours = TiedDecoder { transformer, extension: &extension };
    let theirs = extension.tied_to(&bert);
    let logits = |decoder: &dyn Decoder| {
        let states = decoder.hidden_states(tokens.clone(), padding.clone(), memory.clone());
        // The second text has two tokens of padding, whose states nothing depends on.
        let rows = Tensor::<1, Int>::from_ints([0, 1, 2, 3, 4, 5, 6, 7], &device);
        let states = states.flatten::<2>(0, 1).select(0, rows);
        decoder.projection().logits(states).into_data()
    };
    logits(&ours).assert_approx_eq(&logits(&theirs), Tolerance::<f32>::absolute(1e-4));
}
