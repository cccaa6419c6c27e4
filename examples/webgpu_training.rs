//! Trains a projection head on a GPU through wgpu (Vulkan, Metal, DirectX 12 or WebGPU).
//!
//! ```sh
//! cargo run --release --example webgpu_training --features wgpu
//! ```
//!
//! Queries and documents are views of the same topics, each with coordinates of its own and much
//! noise. The head learns to map both to one space: the document of a query's topic rises to the
//! top of its ranking.

use std::time::Instant;

use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::{DeviceKind, Distribution};
use burn_embedding_losses::prelude::*;

const TOPIC: usize = 16;
const FEATURES: usize = 64;
const BATCH: usize = 128;
const STEPS: usize = 200;

/// Where the topic lies among the features of a query and of a document.
const QUERY_AT: usize = 0;
const DOCUMENT_AT: usize = 32;

fn main() {
    let device = Device::wgpu(DeviceKind::DefaultDevice);
    let adapter = device.identity().map_or("unknown".into(), |identity| identity.name);
    println!("adapter: {adapter}");

    let training = device.clone().autodiff();
    training.seed(7);
    let loss = MultipleNegativesRankingLossConfig::new().init();
    let mut head: Linear = LinearConfig::new(FEATURES, TOPIC).with_bias(false).init(&training);
    let mut optimizer = AdamWConfig::new().init();

    println!("found first before: {:.3}", found_first(&head.clone().valid(), &device));
    let start = Instant::now();
    for step in 1..=STEPS {
        let (queries, documents) = pairs(&training);
        let value = loss.forward((head.forward(queries), head.forward(documents)));
        let gradients = GradientsParams::from_grads(value.backward(), &head);
        head = optimizer.step(0.01, head, gradients);
        // Reading a value waits for the device: not in every step.
        if step == 1 || step % 50 == 0 {
            println!("step {step:3}: loss {:.4}", value.into_scalar::<f32>());
        }
    }
    println!("{:.1} steps per second", STEPS as f64 / start.elapsed().as_secs_f64());
    println!("found first after:  {:.3}", found_first(&head.valid(), &device));
}

/// Row i of both speaks of topic i, `[BATCH, FEATURES]` each.
fn pairs(device: &Device) -> (Tensor<2>, Tensor<2>) {
    let normal = |width| Tensor::random([BATCH, width], Distribution::Normal(0.0, 1.0), device);
    let topics: Tensor<2> = normal(TOPIC);
    let view = |at: usize| {
        let noise: Tensor<2> = normal(FEATURES) * 0.5;
        let seen = noise.clone().slice([0..BATCH, at..at + TOPIC]) + topics.clone();
        noise.slice_assign([0..BATCH, at..at + TOPIC], seen)
    };
    (view(QUERY_AT), view(DOCUMENT_AT))
}

/// The share of unseen queries that are most similar to their own document.
fn found_first(head: &Linear, device: &Device) -> f32 {
    let (queries, documents) = pairs(device);
    let scores = Similarity::Cosine.pairwise(head.forward(queries), head.forward(documents));
    let best = scores.argmax(1).squeeze_dim::<1>(1);
    best.equal(Tensor::arange(0..BATCH as i64, device)).float().mean().into_scalar()
}
