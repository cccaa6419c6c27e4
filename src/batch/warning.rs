//! What a debug build says of values that a loss computes with, but that are probably a mistake.

use std::sync::Mutex;

use crate::error::BatchError;

/// In a debug build, prints what `check` finds to standard error, once for each loss.
///
/// `check` reads from the device; it is not called in a release build, nor after the first warning.
pub(super) fn warn_once(loss: &'static str, check: impl FnOnce() -> Result<(), BatchError>) {
    static WARNED: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    if !cfg!(debug_assertions) {
        return;
    }
    let mut warned = WARNED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if warned.contains(&loss) {
        return;
    }
    if let Err(error) = check() {
        warned.push(loss);
        eprintln!("warning: {loss}: {error}");
    }
}
