//! The commands: training, encoding and scoring with a model as it is, and looking at a data file.

pub mod adam;
pub mod batches;
mod cached;
pub mod checkpoint;
mod datasets;
pub mod encode;
pub mod encoder;
pub mod encoder_with_loss;
pub mod evaluation;
mod finite;
pub mod guide;
pub mod inspect;
mod job;
pub mod lora;
pub mod mine;
pub mod objective;
pub mod optimizer;
mod outcome;
mod pace;
pub mod places;
pub mod routes;
pub mod sampler;
pub mod save;
pub mod schedule;
pub mod score;
pub mod session;
pub mod start;
pub mod train;
mod watch;

use std::num::NonZeroUsize;

use burn::tensor::Device;
use checkpoint::Checkpoints;
use guide::Guide;
use job::Job;
use objective::Choice;
use places::Places;
use session::Session;

use crate::cli::Args;
use crate::data::{Dataset, task};
use crate::error::Error;
use crate::report::Report;
use crate::report::console::Console;
use crate::report::log::Log;

/// Trains, evaluates and saves.
pub fn train(args: &Args, console: &Console) -> Result<(), Error> {
    let console = &console.with_dashboard(args.dashboard)?;
    let (device, more_devices) = devices(args)?;
    lora::check(args)?;
    let name = task::name_for(&args.loss, job::reranks(args))?;
    let loss = Choice::new(&name, &args.loss_config)?;
    let loss = Choice { weights: args.loss_weights.clone(), ..loss };
    let (title, takes) = (loss.title(), task::kind_of(&loss.name)?);
    guide::check(args, &loss.name, takes)?;
    let schedule = cached::schedule(args, &loss.all_options())?;
    let places = Places::check(args)?;
    let (training, evaluation) = datasets::read(args, takes)?;
    // Data that does not fit is refused before anything is said, and before a large file is read.
    task::examples(&loss.name, takes, &training)?;
    datasets::check_held_out(&training, &evaluation)?;

    console.say(format_args!("training on    {}: {}", training.name(), training.contents()));
    console.say(format_args!("evaluating on  {}: {}", evaluation.name(), evaluation.contents()));
    for data in [&training, &evaluation] {
        for note in &data.notes {
            console.note(format_args!("{}: {note}", data.name()));
        }
    }
    let given = (!args.data.is_empty()).then_some(&training);
    if let Some(note) = given.and_then(|data| task::left_out(takes, data)) {
        console.note(format_args!("{}: {note}", training.name()));
    }
    let report = Report {
        loss: &title,
        options: loss.all_options(),
        lora: args.lora.clone(),
        schedule: schedule.clone(),
        data: training.name(),
        on: evaluation.name(),
        pictures: !args.no_report,
    };
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        schedule,
        checkpoints: checkpoints(args, &report, &training)?,
        guide: args.guide.as_deref().map(|path| Guide::open(path, &device)).transpose()?,
        device,
        more_devices,
        resume: args.resume,
        log: args.log.as_deref().map(|path| Log::new(path, args.resume)).transpose()?,
    };
    Job { session, loss: &loss, args, report: &report, places: &places, console }.run()?;
    console.say(format_args!("saved to {}", args.out.display()));
    if let Some(path) = &args.adapter_out {
        console.say(format_args!("its adapters alone to {}", path.display()));
    }
    Ok(())
}

/// The first device, and the others.
fn devices(args: &Args) -> Result<(Device, Vec<Device>), Error> {
    let open = |name: &String| {
        named_device::open(name).map_err(|error| Error::option("--device", error.to_string()))
    };
    let mut devices = args.devices.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let others = devices.split_off(1);
    Ok((devices.remove(0), others))
}

/// Where the run keeps checkpoints, if it writes some or goes on from one.
fn checkpoints(
    args: &Args,
    report: &Report,
    training: &Dataset,
) -> Result<Option<Checkpoints>, Error> {
    if args.checkpoint_steps.is_none() && !args.resume {
        return Ok(None);
    }
    let mut settings = report.settings();
    let model = args.model.as_ref().map(|path| path.display().to_string());
    settings.insert("model".to_string(), model.into());
    settings.insert("loss".to_string(), report.loss.into());
    let weights = args.loss_weights.as_ref().map(|path| path.display().to_string());
    settings.insert("loss_weights".to_string(), weights.into());
    let guide = args.guide.as_ref().map(|path| path.display().to_string());
    settings.insert("guide".to_string(), guide.into());
    settings.insert("dropout".to_string(), args.dropout.into());
    settings.insert("static".to_string(), args.static_dim.map(NonZeroUsize::get).into());
    let pooling = args.pooling.map(|mode| format!("{mode:?}"));
    settings.insert("pooling".to_string(), pooling.into());
    settings.insert("route".to_string(), args.route.clone().into());
    if args.task.is_some() {
        settings.insert("reranks".to_string(), job::reranks(args).into());
    }
    if !args.routes.is_empty() {
        settings.insert("routes".to_string(), args.routes.clone().into());
    }
    settings.insert("contents of the data".to_string(), training.fingerprint().into());
    let checkpoints = Checkpoints::beside(&args.out, settings)?;
    if args.resume {
        checkpoints.check()?;
    } else {
        checkpoints.start(args.force)?;
    }
    Ok(Some(checkpoints))
}
