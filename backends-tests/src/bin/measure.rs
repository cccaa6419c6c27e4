//! Times one loss, forward and backward, and what it adds to the peak of memory.

use std::process::ExitCode;
use std::time::Instant;

use backends_tests::memory::{peak_mib, reset_peak};
use backends_tests::random::random_case;
use backends_tests::subject::Inputs;
use burn::prelude::*;
use burn::tensor::{DType, Distribution};
use clap::Parser;
use mimalloc::MiMalloc;
use serde::Serialize;

/// As in `finetune`: the memory of a step is kept for the next one. With the system's allocator some batches spend a
/// third of their time on getting memory back that they gave away a moment before.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
    /// Options of the loss, as JSON: {"memory_budget": 134217728}.
    #[arg(long, default_value = "{}", value_parser = json)]
    options: serde_json::Value,
    /// Timed runs.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// Where to compute: flex, ndarray, wgpu, libtorch or cuda.
    #[arg(long, default_value = "flex")]
    backend: String,
    /// Also time the three matrix products of in-batch scores and their gradients alone.
    #[arg(long)]
    products: bool,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    products_ms: Option<f64>,
}

/// Otherwise any text would be a JSON string.
fn json(text: &str) -> Result<serde_json::Value, serde_json::Error> {
    text.parse()
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
    let case = random_case(&arguments.loss, arguments.options.clone(), batch, dim, classes, 0)?;
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
    let times = (0..arguments.repeats)
        .map(|_| run().map(|(milliseconds, _)| milliseconds))
        .collect::<Result<Vec<_>, _>>()?;
    let extra_peak_mib = peak_mib() - before;
    let products = || products(batch, dim, &device, arguments.repeats);
    Ok(Measured {
        loss: &arguments.loss,
        batch,
        dim,
        classes,
        backend: &arguments.backend,
        value: value.into_scalar::<f32>().into(),
        min_ms: times.iter().copied().fold(f64::INFINITY, f64::min),
        median_ms: median(times),
        extra_peak_mib,
        products_ms: arguments.products.then(products).transpose()?,
    })
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0
}

/// Milliseconds for `X Yᵀ`, `S Y` and `Sᵀ X` of rows `[batch, dim]` and scores `[batch, batch]`.
fn products(batch: usize, dim: usize, device: &Device, repeats: u32) -> Result<f64, String> {
    let random = || Tensor::<2>::random([batch, dim], Distribution::Default, device);
    let (x, y) = (random(), random());
    let run = || {
        let start = Instant::now();
        let scores = x.clone().matmul(y.clone().transpose());
        let by_x = scores.clone().matmul(y.clone());
        let by_y = scores.transpose().matmul(x.clone());
        sync(device)?;
        drop((by_x, by_y));
        Ok::<_, String>(start.elapsed().as_secs_f64() * 1e3)
    };
    run()?;
    (0..repeats).map(|_| run()).collect::<Result<Vec<_>, _>>().map(median)
}

fn sync(device: &Device) -> Result<(), String> {
    device.sync().map_err(|error| format!("the device failed: {error:?}"))
}
