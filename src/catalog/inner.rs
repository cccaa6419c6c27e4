use burn::module::{
    Content, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::prelude::*;

use super::{AnyBatch, AnyLoss};
use crate::diagnostics::Diagnostics;
use crate::losses::Criterion;
use crate::reduction::Parts;

/// Any loss of the catalog inside a wrapper.
///
/// A module without a name of its own: the weights of the loss have the paths that they would have without it.
#[derive(Debug, Clone)]
pub struct InnerLoss(Box<AnyLoss>);

impl InnerLoss {
    /// The loss.
    pub fn get(&self) -> &AnyLoss {
        &self.0
    }
}

impl From<AnyLoss> for InnerLoss {
    fn from(loss: AnyLoss) -> Self {
        Self(Box::new(loss))
    }
}

impl<B: Into<AnyBatch>> Criterion<B> for InnerLoss {
    #[track_caller]
    fn loss(&self, batch: B) -> Tensor<1> {
        self.0.loss(batch)
    }

    #[track_caller]
    fn unreduced(&self, batch: B) -> Option<Tensor<1>> {
        self.0.unreduced(batch)
    }

    #[track_caller]
    fn parts(&self, batch: B) -> Option<Parts> {
        Criterion::parts(&*self.0, batch)
    }

    #[track_caller]
    fn diagnose(&self, batch: B) -> Option<Diagnostics> {
        Criterion::diagnose(&*self.0, batch)
    }
}

impl Module for InnerLoss {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.0.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self::from(self.0.map(mapper))
    }

    fn to_device(self, device: &Device) -> Self {
        Self::from(self.0.to_device(device))
    }

    fn fork(self, device: &Device) -> Self {
        Self::from(self.0.fork(device))
    }

    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        self.0.collect_devices(devices)
    }

    fn valid(&self) -> Self {
        Self::from(self.0.valid())
    }

    fn train(self) -> Self {
        Self::from(self.0.train())
    }

    fn materialize(self) -> Self {
        Self::from(self.0.materialize())
    }
}

impl ModuleDisplayDefault for InnerLoss {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_single(&*self.0).optional()
    }
}

impl ModuleDisplay for InnerLoss {}
