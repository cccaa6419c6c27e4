//! Python's cached losses: the loss inside, of a batch whose texts go through the encoder a few at a time.

use burn_embedding_losses::catalog::Alias;
use serde_json::{Map, Value};

use super::schedule::Schedule;
use crate::cli::Args;
use crate::data::task::short_name;
use crate::error::Error;

/// The option that says how many texts.
const OPTION: &str = "mini_batch_size";

/// How to train; the mini-batches of a cached loss are as large as its options say.
pub(super) fn schedule(args: &Args, options: &Map<String, Value>) -> Result<Schedule, Error> {
    let schedule = args.schedule();
    let several = args.devices.len() > 1;
    if several && args.workers.is_some() {
        let reason = "several devices have one worker each: leave it out";
        return Err(Error::option("--workers", reason));
    }
    of_alias(args, schedule, options)
}

fn of_alias(
    args: &Args,
    schedule: Schedule,
    options: &Map<String, Value>,
) -> Result<Schedule, Error> {
    let alias = Alias::of(short_name(&args.loss));
    let Some(usual) = alias.and_then(|alias| alias.mini_batch_size) else {
        // Some losses of rerankers have it, too, for the same purpose.
        let given = options.get(OPTION).filter(|given| !given.is_null());
        let given = given.filter(|_| args.mini_batch_size.is_none()).map(positive).transpose()?;
        return Ok(Schedule { mini_batch_size: given.or(schedule.mini_batch_size), ..schedule });
    };
    let size = match (args.mini_batch_size, options.get(OPTION)) {
        (Some(_), Some(_)) => {
            let reason = format!("`{OPTION}` is in --loss-config as well");
            return Err(Error::option("--mini-batch-size", reason));
        }
        (Some(size), None) => size,
        (None, Some(given)) => positive(given)?,
        (None, None) => usual,
    };
    Ok(Schedule { mini_batch_size: Some(size), ..schedule })
}

fn positive(given: &Value) -> Result<usize, Error> {
    let size = given.as_u64().filter(|&size| size > 0).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| {
        let reason = format!("`{OPTION}` must be a whole number above zero, got {given}");
        Error::option("--loss-config", reason)
    })
}
