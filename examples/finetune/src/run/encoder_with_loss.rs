//! The encoder and the loss as one module.

use std::ops::Range;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Gradients, Tensor};
use burn_embedding_losses::{GradCache, Workers};
use burn_embedding_models::TextEncoder;
use burn_embedding_models::dropout::by_text;
use burn_embedding_models::encoder::ByLength;

use super::batches::Batch;
use super::objective::{Objective, SeenParts, Trainable};
use super::watch::{Seen, mean_cosine};

/// All trained parameters: those of the encoder, and those that the loss owns.
#[derive(Module, Debug)]
pub struct EncoderWithLoss<E: Module, L: Module> {
    /// Texts to embeddings.
    pub encoder: E,
    /// Embeddings to the loss.
    pub objective: Objective<L>,
}

impl<E: TextEncoder, L: Trainable> EncoderWithLoss<E, L> {
    /// The loss of a batch: all its texts go through the encoder together. `seen` receives its parts.
    pub(super) fn loss(&self, batch: Batch, device: &Device, seen: &mut SeenParts) -> Tensor<1> {
        let layers = self.objective.takes_layers();
        let embeddings = embed(&self.encoder, &batch.rows(), &batch.routes, device, layers);
        self.objective.forward(&self.encoder, batch.divide(embeddings), &batch, seen)
    }

    /// What the embeddings of a batch look like, without dropout, `mini_batch` texts at a time.
    pub(super) fn look_at(&self, batch: &Batch, device: Device, mini_batch: usize) -> Seen {
        let model = self.valid();
        let rows = batch.rows();
        let embeddings =
            model.encoder.embed_in_batches_by_route(&rows, &batch.routes, mini_batch, &[device]);
        let mean_cosine = mean_cosine(embeddings.clone());
        let diagnostics = model.objective.diagnose(batch.divide(embeddings), batch);
        Seen { diagnostics, mean_cosine: Some(mean_cosine) }
    }

    /// Gives the loss of a batch, times `share`, for the embeddings of its texts in the order of `sorted`.
    fn loss_of_sorted(
        &self,
        sorted: &ByLength,
        batch: &Batch,
        share: f64,
        seen: &mut SeenParts,
    ) -> impl FnOnce(Tensor<2>) -> Tensor<1> {
        move |embeddings| {
            let columns = batch.divide(sorted.restore(embeddings));
            self.objective.forward(&self.encoder, columns, batch, seen) * share
        }
    }

    /// The loss of a batch, times `share`, whose texts go through the encoder a few at a time, those
    /// of like length together; `gradients` receives its gradient in parts, `seen` the parts of the loss.
    pub(super) fn cached_loss(
        &self,
        batch: Batch,
        cache: GradCache,
        (device, seed): (&Device, u64),
        (share, seen): (f64, &mut SeenParts),
        gradients: impl FnMut(Gradients),
    ) -> Tensor<1> {
        let texts = batch.rows();
        let sorted = ByLength::new(&texts);
        let loss = self.loss_of_sorted(&sorted, &batch, share, seen);
        let layers = self.objective.takes_layers();
        let routes = routes_of(&sorted, &batch);
        let embed_rows = |encoder: &E, rows: Range<usize>| {
            embed(encoder, &sorted.rows()[rows.clone()], &routes[rows], device, layers)
        };
        let step = cache.seeded(seed).step(&self.encoder, texts.len(), embed_rows, loss);
        step.gradients.for_each(gradients);
        step.loss
    }

    /// The loss of a batch, times `share`, whose texts go through the encoder in parts at the same time,
    /// those of like length together, `mini_batch` of them for each worker at a time if this is given; `gradients`
    /// receives its gradient in parts, `seen` the parts of the loss. Dropout depends on `seed` and the text, not on the
    /// worker.
    pub(super) fn loss_by(
        &self,
        (workers, mini_batch): (&Workers, Option<usize>),
        batch: Batch,
        seed: u64,
        (share, seen): (f64, &mut SeenParts),
        mut gradients: impl FnMut(GradientsParams),
    ) -> Tensor<1> {
        let texts = batch.rows();
        let sorted = ByLength::new(&texts);
        let loss = self.loss_of_sorted(&sorted, &batch, share, seen);
        let layers = self.objective.takes_layers();
        let routes = routes_of(&sorted, &batch);
        let embed_rows = |encoder: &E, rows: Range<usize>| {
            let numbers = sorted.order()[rows.clone()].iter().map(|&text| text as u64).collect();
            let device = &encoder.devices()[0];
            let (texts, routes) = (&sorted.rows()[rows.clone()], &routes[rows]);
            by_text(seed, numbers, || embed(encoder, texts, routes, device, layers))
        };
        let device = &self.encoder.devices()[0];
        let of_copy = |(copy, part): (E, Gradients)| {
            GradientsParams::from_grads(part, &copy).to_device(device, &copy)
        };
        let add_of_loss = |of_loss: Option<Gradients>, add: &mut dyn FnMut(GradientsParams)| {
            of_loss.into_iter().for_each(|part| add(GradientsParams::from_grads(part, self)));
        };
        match mini_batch {
            None => {
                let shares = sorted.shares(workers.count());
                let step = workers.step(&self.encoder, &shares, embed_rows, loss);
                add_of_loss(step.of_loss, &mut gradients);
                step.parts.into_iter().map(of_copy).for_each(gradients);
                step.loss
            }
            Some(size) => {
                let step = workers.cached_step(size, &self.encoder, texts.len(), embed_rows, loss);
                add_of_loss(step.of_loss, &mut gradients);
                step.parts.map(of_copy).for_each(gradients);
                step.loss
            }
        }
    }
}

/// The routes of the texts of a batch, in the order of `sorted`.
fn routes_of(sorted: &ByLength, batch: &Batch) -> Vec<usize> {
    sorted.order().iter().map(|&text| batch.routes[text]).collect()
}

/// The embeddings of texts, after each of the encoder's layers if these are wanted.
fn embed<E: TextEncoder>(
    encoder: &E,
    rows: &[&[u32]],
    routes: &[usize],
    device: &Device,
    layers: bool,
) -> Tensor<2> {
    match layers {
        false => encoder.embed_by_route(rows, routes, device),
        // No encoder with routes shows its layers.
        true => encoder.embed_layers(rows, device).expect("an encoder that shows its layers"),
    }
}
