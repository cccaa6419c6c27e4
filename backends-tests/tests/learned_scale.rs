//! A scale that is trained: the same loss as with a fixed one, and kept within its bounds, on every
//! backend.

use backends_tests::fault::Faults;
use backends_tests::subject::numbers;
use burn::module::Param;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::{
    Direction, Hardness, MultipleNegativesRankingLoss, MultipleNegativesRankingLossConfig,
    Similarity,
};

fn config() -> MultipleNegativesRankingLossConfig {
    MultipleNegativesRankingLossConfig::new().with_scale(4.0)
}

fn on_all(test: impl Fn(&Device, [Tensor<2>; 3], &str)) {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        let device = device.autodiff();
        let leaves = [
            [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]],
            [[0.8, 0.6], [0.6, 0.8], [0.0, 1.0]],
            [[0.0, -1.0], [-1.0, 0.0], [0.8, -0.6]],
        ]
        .map(|rows| Tensor::<2>::from_floats(rows, &device).require_grad());
        test(&device, leaves, name);
    }
}

/// Value and gradients of a loss.
fn run(loss: &MultipleNegativesRankingLoss, leaves: &[Tensor<2>; 3], device: &Device) -> Vec<f64> {
    let [anchor, positive, negative] = leaves.clone();
    let weights = Tensor::<1>::from_floats([1.0, 0.5, 2.0], device);
    let batch = RetrievalBatch::new(anchor, positive, vec![negative]).with_weights(weights);
    let value = loss.forward(batch);
    let gradients = value.backward();
    let mut all = numbers(value);
    for leaf in leaves {
        all.extend(numbers(leaf.grad(&gradients).expect("tracked")));
    }
    all
}

#[test]
fn a_learned_scale_gives_what_a_fixed_one_gives() {
    let all = [
        Direction::QueryToDocument,
        Direction::QueryToQuery,
        Direction::DocumentToQuery,
        Direction::DocumentToDocument,
    ];
    let of_four = config().with_directions(all.to_vec());
    let hardened =
        config().with_hardness_mode(Some(Hardness::AllNegatives)).with_hardness_strength(1.5);
    for similarity in [Similarity::Cosine, Similarity::Dot, Similarity::Euclidean] {
        for config in [&of_four, &hardened] {
            let config = config.clone().with_similarity(similarity);
            on_all(|device, leaves, name| {
                let fixed = run(&config.init(), &leaves, device);
                let learned = config.clone().with_learn_scale(true).init_on(device);
                let learned = run(&learned, &leaves, device);
                let close = fixed.iter().zip(&learned).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(close, "{name}, {similarity:?}: {learned:?}, not {fixed:?}");
            });
        }
    }
}

/// The loss with its parameter at the logarithm of `scale`.
fn at(scale: f64, device: &Device) -> MultipleNegativesRankingLoss {
    let loss = config().with_learn_scale(true).init_on(device);
    let log_scale = Tensor::from_floats([scale.ln()], device);
    MultipleNegativesRankingLoss { log_scale: Some(Param::from_tensor(log_scale)), ..loss }
}

#[test]
fn a_scale_outside_of_its_bounds_is_a_bound_and_can_come_back() {
    on_all(|device, [anchor, positive, _], name| {
        for (scale, bound) in [(0.2, 1.0), (500.0, 100.0)] {
            let loss = at(scale, device);
            let got = numbers(loss.learned_scale().expect("it is learned"))[0];
            assert!((got / bound - 1.0).abs() < 1e-5, "{name}: {got}");
            let batch = (anchor.clone(), positive.clone());
            let fixed = numbers(config().with_scale(bound).init().forward(batch.clone()))[0];
            let value = loss.forward(batch);
            let gradients = value.backward();
            let value = numbers(value)[0];
            assert!((value - fixed).abs() < 1e-4, "{name}: {value}, not {fixed}");
            let log_scale = loss.log_scale.expect("it is learned").val();
            let slope = numbers(log_scale.grad(&gradients).expect("tracked"))[0];
            assert!(slope.abs() > 1e-3, "{name}: {slope} at {scale}");
        }
    });
}

#[test]
fn an_optimizer_finds_the_scale_that_fits_noisy_pairs() {
    on_all(|_, [anchor, positive, _], name| {
        let mut loss = config().with_learn_scale(true).init_on(&anchor.device());
        let mut sgd = SgdConfig::new().init();
        let values: Vec<f64> = (0..20)
            .map(|_| {
                let value = loss.forward((anchor.clone().detach(), positive.clone().detach()));
                let gradients = GradientsParams::from_grads(value.backward(), &loss);
                loss = sgd.step(0.3, loss.clone(), gradients);
                numbers(value)[0]
            })
            .collect();
        assert!(values.windows(2).all(|pair| pair[1] < pair[0] + 1e-6), "{name}: {values:?}");
        assert!(values[19] < values[0] - 1e-3, "{name}: {values:?}");
    });
}
