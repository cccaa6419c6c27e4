//! Threads that have a share of the cores to themselves.

use std::sync::Arc;

use burn::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A pool of threads.
#[derive(Debug, Clone)]
pub struct Pool(Arc<ThreadPool>);

impl Pool {
    /// Does `work` in the pool.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }
}

/// The number of cores for work on `device`, 1 if it does not compute on these.
pub(in crate::kernels) fn cores(device: &Device) -> usize {
    match device.clone().inner() == Device::flex() {
        true => rayon::current_num_threads(),
        false => 1,
    }
}

/// The share number `index` of `count` of the cores, at least one, for work on `device`; `None` if it
/// does not compute on these, or the system gives no more threads.
pub(in crate::kernels) fn pool(device: &Device, index: usize, count: usize) -> Option<Pool> {
    if device.clone().inner() != Device::flex() {
        return None;
    }
    let cores = rayon::current_num_threads();
    let share = (cores + count - 1 - index) / count;
    let pool = ThreadPoolBuilder::new().num_threads(share.max(1)).build();
    Some(Pool(Arc::new(pool.ok()?)))
}
