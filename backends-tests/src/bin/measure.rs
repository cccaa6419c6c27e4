//! Times one loss, forward and backward, and what it adds to the peak of memory.

use std::process::ExitCode;
use std::time::Instant;

use backends_tests::memory::{peak_mib, reset_peak};
use backends_tests::random::random_case;
use backends_tests::subject::Inputs;
use burn::prelude::*;
use burn::tensor::DType;
use clap::Parser;
use serde::Serialize;

/// Time a loss on unit-norm random embeddings.
///
/// One warm-up, then the repeats, each synchronised. Prints one JSON line.
#[derive(Parser)]
struct Arguments {
    /// Python name of the loss, for instance MultipleNegativesRankingLoss.
    #[arg(long)]
    loss: String,
    /// Rows of the batch.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Dimension of the embeddings.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    dim: u32,
    /// Classes: row i has label i modulo this. A quarter of the batch if not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    classes: Option<u32>,
    /// Timed runs.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// Where to compute: flex, ndarray, wgpu, libtorch or cuda.
    #[arg(long, default_value = "flex")]
    backend: String,
}

#[derive(Serialize)]
struct Measured<'a> {
    loss: &'a str,
    batch: usize,
    dim: usize,
    classes: usize,
    backend: &'a str,
    value: f64,
    median_ms: f64,
    min_ms: f64,
    extra_peak_mib: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(measured) => {
            println!("{}", serde_json::to_string(&measured).expect("plain numbers"));
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("measure: {message}");
            ExitCode::from(2)
        }
    }
}

fn measure(arguments: &Arguments) -> Result<Measured<'_>, String> {
    let device = named_device::open(&arguments.backend).map_err(|error| error.to_string())?;
    let (batch, dim) = (arguments.batch as usize, arguments.dim as usize);
    let classes = arguments.classes.map_or((batch / 4).max(1), |classes| classes as usize);
    let options = serde_json::json!({});
    let case = random_case(&arguments.loss, options, batch, dim, classes, 0)?;
    let inputs = Inputs::new(&case, &device, DType::F32)?;
    sync(&device)?;

    reset_peak();
    let before = peak_mib();
    let run = || {
        let start = Instant::now();
        let value = inputs.step()?;
        sync(&device)?;
        Ok::<_, String>((start.elapsed().as_secs_f64() * 1e3, value))
    };
    let (_, value) = run()?;
    let mut times = (0..arguments.repeats)
        .map(|_| run().map(|(milliseconds, _)| milliseconds))
        .collect::<Result<Vec<_>, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(Measured {
        loss: &arguments.loss,
        batch,
        dim,
        classes,
        backend: &arguments.backend,
        value: value.into_scalar::<f32>().into(),
        median_ms: (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0,
        min_ms: times[0],
        extra_peak_mib: peak_mib() - before,
    })
}

fn sync(device: &Device) -> Result<(), String> {
    device.sync().map_err(|error| format!("the device failed: {error:?}"))
}
