//! A share of the cores of this machine.

use burn::prelude::*;

use super::flex;

/// The cores of one of several threads that compute at the same time.
///
/// Flex runs in the thread pool of the thread that calls it. Threads that shared one pool would wait for
/// each other inside every matrix product, so each gets one of its own. Other devices compute elsewhere,
/// or manage threads themselves.
#[derive(Debug, Clone)]
pub(crate) struct Cores(Option<flex::Pool>);

impl Cores {
    /// The share number `index` of `count`, for work on `device`.
    pub fn share(device: &Device, index: usize, count: usize) -> Self {
        Self(flex::pool(device, index, count))
    }

    /// The number of threads that should compute on `device` at the same time.
    pub fn count(device: &Device) -> usize {
        flex::cores(device)
    }

    /// Does `work` on these cores.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.run(work),
            None => work(),
        }
    }
}
