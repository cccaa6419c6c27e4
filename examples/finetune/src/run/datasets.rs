//! The rows that a run trains and evaluates on.

use burn_embedding_losses::catalog::BatchKind;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::cli::Args;
use crate::data::task::kind_of;
use crate::data::{self, Dataset, Format, corpus};
use crate::error::Error;

/// The share of the rows of `--data` that is held out where there is no `--eval`.
const HELD_OUT: f64 = 0.1;

/// The training and the evaluation rows.
pub(super) fn read(args: &Args) -> Result<(Dataset, Dataset), Error> {
    let mut rng = StdRng::seed_from_u64(args.seed);
    let (training, evaluation) = match (&args.data, &args.eval) {
        (None, _) => (corpus::training()?, corpus::evaluation()?),
        (Some(data), Some(eval)) => (
            data::read(data, format(args), args.score_range)?,
            data::read(eval, args.eval_format, args.score_range)?,
        ),
        (Some(data), None) => {
            let data = data::read(data, format(args), args.score_range)?;
            if data.tells_something() {
                data.hold_out(HELD_OUT, &mut rng)
            } else {
                (data, corpus::evaluation()?)
            }
        }
    };
    let training = match args.max_rows {
        Some(rows) => training.sample(rows, &mut rng),
        None => training,
    };
    Ok((training, evaluation))
}

/// The format of `--data`. A loss that learns from bare texts reads a text file as lines.
fn format(args: &Args) -> Option<Format> {
    args.format.or_else(|| {
        let bare = kind_of(&args.loss).is_ok_and(|kind| kind == BatchKind::DamagedTexts);
        let format = args.data.as_deref().and_then(Format::of);
        if bare && format == Some(Format::Trec) { Some(Format::Lines) } else { format }
    })
}
