//! The rows that a run trains and evaluates on.

use std::path::Path;

use burn_embedding_losses::catalog::BatchKind;
use burn_embedding_models::directory::Place;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::cli::Args;
use crate::data::{self, Dataset, Format, Formats, Hints, Spill, corpus};
use crate::error::Error;

/// The share of the rows of `--data` that is held out where there is no `--eval`.
const HELD_OUT: f64 = 0.1;

/// The training and the evaluation rows.
pub(super) fn read(args: &Args, takes: BatchKind) -> Result<(Dataset, Dataset), Error> {
    let mut rng = StdRng::seed_from_u64(args.seed);
    let directory = existing(&args.out);
    let hints = Hints { spill: Some(Spill::to(directory)), ..args.how.hints() };
    // A loss that learns from bare texts reads a text file as lines.
    let bare = matches!(takes, BatchKind::DamagedTexts | BatchKind::AnyTexts);
    let text = if bare { Format::Lines } else { Format::Trec };
    let (mut training, mut evaluation) = if args.data.is_empty() {
        (corpus::training()?, corpus::evaluation()?)
    } else {
        let data = data::read(&args.data, Formats { given: args.format, text }, hints)?;
        if !args.eval.is_empty() {
            let hints = Hints { training: Some(&data), ..hints };
            let evaluation = data::read(&args.eval, args.eval_format, hints)?;
            (data, evaluation)
        } else if data.tells_something() {
            data.hold_out(HELD_OUT, &mut rng)
        } else {
            (data, corpus::evaluation()?)
        }
    };
    // A file that happens to hold only two of the classes does not change what they mean.
    let binary = training.has_binary_classes() && evaluation.has_binary_classes();
    (training.binary, evaluation.binary) = (Some(binary), Some(binary));
    let training = match args.max_rows {
        Some(rows) => training.sample(rows, &mut rng),
        None => training,
    };
    Ok((training, evaluation))
}

/// The place itself if it is written inside, the directory in which it is, or the nearest one that exists.
fn existing(place: &Path) -> &Path {
    if Place::new(place).is_ok_and(|place| place.is_written_inside()) {
        return place;
    }
    let above = place.ancestors().skip(1).find(|path| path.is_dir());
    above.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file may be too small to hold a row out, which is said before a model is loaded.
pub(super) fn check_held_out(training: &Dataset, evaluation: &Dataset) -> Result<(), Error> {
    if evaluation.rows() > 0 {
        return Ok(());
    }
    let reason = format!(
        "it is too small to hold a tenth of its rows out (rows: {}): name evaluation data with \
         --eval",
        training.rows()
    );
    Err(Error::read(&training.path, reason))
}
