//! A step by several workers has the gradients of a step with one graph, on every backend and across
//! backends.

mod two_layers;

use std::ops::Range;

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn_embedding_losses::{
    MegaBatchMarginLossConfig, MultipleNegativesRankingLossConfig, Workers,
};
use two_layers::{Encoder, Loss, Outcome, ROWS, assert_equal, of_halves, sum};

/// The batch in `count` parts, the last the smallest.
fn parts(count: usize) -> Vec<Range<usize>> {
    let size = ROWS.div_ceil(count);
    (0..ROWS).step_by(size).map(|start| start..ROWS.min(start + size)).collect()
}

fn step(workers: &Workers, encoder: &Encoder, loss: Loss) -> Outcome {
    let embed = |encoder: &Encoder, rows| encoder.embed(rows);
    let step = workers.step(encoder, &parts(workers.count()), embed, loss);
    assert!(step.of_loss.is_none_or(|rest| encoder.gradients(&rest).concat().is_empty()));
    let gradients = step.parts.iter().map(|(copy, gradients)| copy.gradients(gradients));
    (step.loss.into_scalar(), sum(gradients))
}

fn cached_step(workers: &Workers, size: usize, encoder: &Encoder, loss: Loss) -> Outcome {
    let embed = |encoder: &Encoder, rows| encoder.embed(rows);
    let step = workers.cached_step(size, encoder, ROWS, embed, loss);
    assert!(step.of_loss.is_none_or(|rest| encoder.gradients(&rest).concat().is_empty()));
    let parts: Vec<_> = step.parts.collect();
    assert_eq!(parts.len(), ROWS.div_ceil(size));
    let gradients = parts.iter().map(|(copy, gradients)| copy.gradients(gradients));
    (step.loss.into_scalar(), sum(gradients))
}

/// On every backend and for each loss, what `steps` give, by name, is what one graph gives.
fn assert_as_in_one_graph(steps: impl Fn(&Device, &Encoder, Loss) -> Vec<(String, Outcome)>) {
    let ranking = of_halves(MultipleNegativesRankingLossConfig::new().init());
    let margin = of_halves(MegaBatchMarginLossConfig::new().init());
    for (name, device) in named_device::compiled_in() {
        let device = device.autodiff();
        let encoder = Encoder::new(&device, 0.0);
        for loss in [&ranking as Loss, &margin] {
            let expected = encoder.plain(&parts(1), |_| {}, loss);
            for (what, got) in steps(&device, &encoder, loss) {
                assert_equal(got, expected.clone(), &format!("{name}, {what}"));
            }
        }
        device.sync().expect("the device works");
    }
}

#[test]
fn workers_with_mini_batches_give_the_gradients_of_one_graph() {
    assert_as_in_one_graph(|device, encoder, loss| {
        let sizes = [(1, 1), (2, 1), (2, 3), (3, 2), (5, ROWS)].into_iter();
        let steps = sizes.map(|(count, size)| {
            let got = cached_step(&Workers::threads(count, device), size, encoder, loss);
            (format!("{count} workers, {size} rows at a time"), got)
        });
        steps.collect()
    });
}

#[test]
fn any_number_of_workers_gives_the_gradients_of_one_graph() {
    assert_as_in_one_graph(|device, encoder, loss| {
        let counts = [1, 2, 3, 5, ROWS].into_iter();
        let steps = counts.map(|count| {
            (format!("{count} workers"), step(&Workers::threads(count, device), encoder, loss))
        });
        steps.collect()
    });
}

#[test]
fn workers_on_different_devices_give_the_gradients_of_one() {
    let loss = of_halves(MultipleNegativesRankingLossConfig::new().init());
    let devices: Vec<Device> =
        named_device::compiled_in().into_iter().map(|(_, device)| device.autodiff()).collect();
    assert!(devices.len() > 1, "backends-tests has two backends by default");
    let encoder = Encoder::new(&devices[0], 0.0);
    let expected = encoder.plain(&parts(1), |_| {}, &loss);
    let workers = Workers::devices(devices);
    assert_equal(step(&workers, &encoder, &loss), expected.clone(), "all backends together");
    assert_equal(cached_step(&workers, 1, &encoder, &loss), expected, "in mini-batches");
}

#[test]
fn the_sum_of_the_gradients_is_the_same_in_every_run() {
    let loss = of_halves(MultipleNegativesRankingLossConfig::new().init());
    let device = Device::flex().autodiff();
    let (encoder, workers) = (Encoder::new(&device, 0.0), Workers::threads(3, &device));
    let first = step(&workers, &encoder, &loss);
    let first_cached = cached_step(&workers, 2, &encoder, &loss);
    for _ in 0..20 {
        assert_eq!(step(&workers, &encoder, &loss), first);
        assert_eq!(cached_step(&workers, 2, &encoder, &loss), first_cached);
    }
}

#[test]
fn jobs_come_back_in_their_order() {
    for (name, device) in named_device::compiled_in() {
        let encoder = LinearConfig::new(2, 2).init(&device);
        let embed = |encoder: &Linear, job: usize| {
            let rows = Tensor::<2>::full([1, 2], job as f64, &encoder.devices()[0]);
            encoder.forward(rows).into_data().iter::<f64>().collect::<Vec<_>>()
        };
        let expected: Vec<_> = (0..7).map(|job| embed(&encoder, job)).collect();
        for workers in [Workers::threads(3, &device), Workers::on_all_cores(&device)] {
            assert_eq!(workers.map(&encoder, (0..7).collect(), embed), expected, "{name}");
            assert!(workers.map(&encoder, Vec::new(), embed).is_empty(), "{name}");
        }
    }
}
