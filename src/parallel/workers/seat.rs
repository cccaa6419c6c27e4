//! Threads with a share of the cores.

use std::panic::resume_unwind;
use std::thread;

use burn::prelude::*;

use crate::kernels::Cores;

/// Where a worker computes.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub device: Device,
    cores: Cores,
}

impl Seat {
    /// Worker number `index` of `count` that share the cores of this machine.
    pub fn sharing(device: Device, index: usize, count: usize) -> Self {
        let cores = Cores::share(&device, index, count);
        Self { device, cores }
    }
}

/// Runs `work` on every job in parallel, on the first one in the calling thread, and returns the results in
/// the order of the jobs.
pub(super) fn all<J: Send, R: Send>(jobs: Vec<(&Seat, J)>, work: impl Fn(J) -> R + Sync) -> Vec<R> {
    let run = |(seat, job): (&Seat, J)| seat.cores.run(|| work(job));
    let mut jobs = jobs.into_iter();
    let first = jobs.next();
    thread::scope(|scope| {
        let others: Vec<_> = jobs.map(|job| scope.spawn(|| run(job))).collect();
        let first = first.map(run);
        let others = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        first.into_iter().chain(others).collect()
    })
}
