//! Every model in training by workers: with dropout, each text has the same mask in any number of parts.

mod common;

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use burn_embedding_losses::Workers;
use burn_embedding_models::dropout::by_text;
use burn_embedding_models::encoder::ByLength;
use burn_embedding_models::{
    Network, OpenOptions, SentenceEncoder, SentenceTransformer, TextEncoder,
};
use common::{FAMILIES, golden, texts};

/// Gradients by the id of the parameter, added up.
struct Sums<'a> {
    part: &'a Gradients,
    sums: &'a mut BTreeMap<u64, Vec<f32>>,
}

impl ModuleVisitor for Sums<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.val().grad(self.part) else {
            return;
        };
        let gradient: Vec<f32> = gradient.into_data().iter().collect();
        let sum = self.sums.entry(param.id.val()).or_insert_with(|| vec![0.0; gradient.len()]);
        sum.iter_mut().zip(gradient).for_each(|(sum, part)| *sum += part);
    }
}

/// The loss of a step by `count` workers, and the gradients of all parameters.
fn step(model: &SentenceTransformer, count: usize, seed: u64) -> (f32, BTreeMap<u64, Vec<f32>>) {
    let texts = texts();
    let tokens = model.tokenize(&texts, None).expect("texts can be tokenized");
    let rows = tokens.slices();
    let sorted = ByLength::new(&rows);
    let device = Device::flex().autodiff();
    let embed = |encoder: &SentenceEncoder, rows: Range<usize>| {
        let numbers = sorted.order()[rows.clone()].iter().map(|&text| text as u64).collect();
        by_text(seed, numbers, || encoder.embed(&sorted.rows()[rows], &device))
    };
    let loss = |embeddings: Tensor<2>| {
        let embeddings = sorted.restore(embeddings);
        let [n, dimension] = embeddings.dims();
        let weights = Tensor::arange(0..(n * dimension) as i64, &Device::flex()).float().sin();
        (embeddings * Tensor::from_inner(weights.reshape([n, dimension]))).sum()
    };
    let workers = Workers::threads(count, &device);
    let step = workers.step(&model.encoder, &sorted.shares(count), embed, loss);
    assert_eq!(step.parts.len(), count);
    let mut sums = BTreeMap::new();
    for (copy, part) in &step.parts {
        copy.visit(&mut Sums { part, sums: &mut sums });
    }
    (step.loss.into_scalar(), sums)
}

#[test]
fn any_number_of_workers_gives_the_same_gradients() {
    for family in FAMILIES {
        let options = OpenOptions::new().dropout(0.3);
        let model = options.open(golden(family), &Device::flex().autodiff()).expect(family);
        let (loss, expected) = step(&model, 1, 7);
        let has_dropout = !matches!(model.encoder.network, Network::Static(_));
        assert_eq!(step(&model, 1, 8).0 != loss, has_dropout, "{family}");
        let largest = expected.values().flatten().fold(0.0_f32, |most, x| most.max(x.abs()));
        for count in [2, 3] {
            let (found, sums) = step(&model, count, 7);
            assert!(
                (found - loss).abs() < 1e-5 * loss.abs().max(1.0),
                "{family}: {found}, not {loss}"
            );
            assert_eq!(sums.len(), expected.len());
            for (sum, expected) in sums.iter().zip(&expected) {
                for (found, expected) in sum.1.iter().zip(expected.1) {
                    let near = (found - expected).abs() < 1e-5 * largest;
                    assert!(near, "{family}, {count} workers: {found}, not {expected}");
                }
            }
        }
    }
}
