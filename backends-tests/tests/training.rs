//! A small encoder learns the same on every backend, step by step.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use burn_embedding_losses::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const STEPS: usize = 40;
const BATCH: usize = 16;
const WIDTHS: [usize; 3] = [12, 24, 8];

/// How far the loss of a step may be from Flex's, relative to 1 or its size. The gradients differ
/// by rounding only, but AdamW divides by their size: early steps make much of little.
const TOLERANCE: f64 = 2e-4;

/// Two layers and a tanh.
#[derive(Module, Debug)]
struct Encoder {
    hidden: Linear,
    output: Linear,
}

impl Encoder {
    fn new(device: &Device) -> Self {
        let mut rng = StdRng::seed_from_u64(5);
        let mut layer = |inputs: usize, outputs: usize| Linear {
            weight: Param::from_tensor(random([inputs, outputs], &mut rng, device)),
            bias: Some(Param::from_tensor(Tensor::zeros([outputs], device))),
        };
        let [input, hidden, output] = WIDTHS;
        Self { hidden: layer(input, hidden), output: layer(hidden, output) }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(self.hidden.forward(x).tanh())
    }
}

fn random(shape: [usize; 2], rng: &mut StdRng, device: &Device) -> Tensor<2> {
    let data: Vec<f32> = (0..shape[0] * shape[1]).map(|_| rng.random_range(-0.5..0.5)).collect();
    Tensor::from_data(TensorData::new(data, shape), device)
}

/// Two noisy views of rows, and the class of each row.
struct Batch {
    views: [Tensor<2>; 2],
    classes: Tensor<1, Int>,
}

impl Batch {
    fn new(rng: &mut StdRng, device: &Device) -> Self {
        let shape = [BATCH, WIDTHS[0]];
        let rows = random(shape, rng, device);
        let mut view = || rows.clone() + random(shape, rng, device) * 0.5;
        let classes: Vec<i64> = (0..BATCH as i64).map(|row| row % 4).collect();
        let classes = Tensor::<1, Int>::from_data(classes.as_slice(), device);
        // A class is a shift of one coordinate.
        let shift = classes.clone().one_hot::<2>(WIDTHS[0]).float();
        Self { views: [view() + shift.clone(), view() + shift], classes }
    }
}

/// A loss of the embeddings of a batch's views.
type Objective = fn(&Encoder, Batch) -> Tensor<1>;

const OBJECTIVES: [(&str, Objective); 3] = [
    ("MultipleNegativesRankingLoss", |encoder, Batch { views, .. }| {
        let [anchor, positive] = views.map(|view| encoder.forward(view));
        MultipleNegativesRankingLossConfig::new().init().forward((anchor, positive))
    }),
    ("BatchAllTripletLoss", |encoder, Batch { views: [view, _], classes }| {
        let embeddings = encoder.forward(view);
        BatchAllTripletLossConfig::new().with_margin(1.0).init().forward((embeddings, classes))
    }),
    ("CosineSimilarityLoss", |encoder, Batch { views, classes }| {
        let [left, right] = views.map(|view| encoder.forward(view));
        // Rows of class 0 and 1 belong together, the others do not.
        let scores = classes.lower_elem(2).float();
        CosineSimilarityLossConfig::new().init().forward((left, right.flip([0]), scores))
    }),
];

/// The loss of every step.
fn curve(objective: Objective, device: Device) -> Vec<f64> {
    let device = device.autodiff();
    let mut rng = StdRng::seed_from_u64(17);
    let mut encoder = Encoder::new(&device);
    let mut optimizer = AdamWConfig::new().init();
    (0..STEPS)
        .map(|_| {
            let loss = objective(&encoder, Batch::new(&mut rng, &device));
            let gradients = GradientsParams::from_grads(loss.backward(), &encoder);
            encoder = optimizer.step(0.005, encoder.clone(), gradients);
            loss.into_scalar::<f64>()
        })
        .collect()
}

#[test]
fn every_backend_learns_as_flex_does() {
    for (loss, objective) in OBJECTIVES {
        let expected = curve(objective, Device::flex());
        let (first, last) = (expected[..5].iter().sum::<f64>(), expected[STEPS - 5..].iter().sum());
        assert!(0.9 * first > last, "{loss} falls from {first} to {last} in five steps' sums");
        for (name, device) in named_device::compiled_in() {
            for (step, (got, expected)) in
                curve(objective, device).iter().zip(&expected).enumerate()
            {
                let off = (got - expected).abs() / expected.abs().max(1.0);
                assert!(off <= TOLERANCE, "{name}: {loss}, step {step}: {got}, Flex {expected}");
            }
        }
    }
}
