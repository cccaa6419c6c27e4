//! Runs case files and says which cases hold.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use backends_tests::case::{Case, read};
use backends_tests::fault::Faults;
use backends_tests::subject;
use backends_tests::verdict::{Tolerance, Verdict};
use burn::prelude::*;
use burn::tensor::DType;
use clap::{Parser, ValueEnum};

/// Compare losses with the answers of sentence-transformers.
///
/// Prints a line a case (relative errors of loss and gradient), a line a loss, and a total. A case
/// that the device cannot compute is skipped, with the reason in its line. Exits with 0 if every
/// case holds, 1 if one fails, 2 if the files or the device cannot be used.
#[derive(Parser)]
struct Arguments {
    /// Where to compute: flex, ndarray, libtorch, wgpu, vulkan, metal, webgpu, cuda or rocm; those
    /// on a GPU also with an index, as in cuda:1.
    #[arg(long, default_value = "flex")]
    backend: String,
    /// In which precision to compute.
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    dtype: Precision,
    /// Case files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Precision {
    F32,
    F64,
}

impl From<Precision> for DType {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F64 => Self::F64,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("parity: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let dtype = arguments.dtype.into();
    let device = named_device::open(&arguments.backend).map_err(|error| error.to_string())?;
    let faults = Faults::of(&device, dtype);
    if let Some(reason) = faults.missing() {
        return Err(format!("`{}`: {reason}", arguments.backend));
    }
    // Everything is read and understood before anything is run.
    let mut cases = Vec::new();
    for path in &arguments.files {
        for case in read(path).map_err(|error| error.to_string())? {
            let place = || format!("{}: case {}", path.display(), case.id);
            subject::configure(&case).map_err(|error| format!("{}: {error}", place()))?;
            cases.push(case);
        }
    }
    let mut losses: BTreeMap<String, Tally> = BTreeMap::new();
    for case in &cases {
        let tally = losses.entry(case.loss.clone()).or_default();
        if let Some(reason) = faults.that_stop(case) {
            println!("{} skipped: {reason}", case.id);
            tally.skipped += 1;
            continue;
        }
        let verdict = judge(case, &device, dtype);
        print_case(case, &verdict);
        tally.add(&verdict);
    }
    println!();
    let mut total = Tally::default();
    for (loss, tally) in &losses {
        tally.print(loss);
        total.join(tally);
    }
    total.print("total");
    Ok(total.failures == 0)
}

fn judge(case: &Case, device: &Device, dtype: DType) -> Verdict {
    match subject::run(case, device, dtype) {
        Ok(answer) => Verdict::of(case, &answer, Tolerance::of(dtype)),
        Err(why) => Verdict::failed(why),
    }
}

fn print_case(case: &Case, verdict: &Verdict) {
    let outcome = match &verdict.failure {
        None => "ok".to_string(),
        Some(why) => format!("FAIL {why}"),
    };
    println!("{} {:.3e} {:.3e} {outcome}", case.id, verdict.loss_error, verdict.gradient_error);
}

/// Counts over many cases.
#[derive(Default)]
struct Tally {
    cases: usize,
    skipped: usize,
    failures: usize,
    as_good: usize,
    worst_loss: f64,
    worst_gradient: f64,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        self.join(&Self {
            cases: 1,
            skipped: 0,
            failures: usize::from(verdict.failure.is_some()),
            as_good: usize::from(verdict.as_good_as_reference),
            worst_loss: verdict.loss_error,
            worst_gradient: verdict.gradient_error,
        });
    }

    fn join(&mut self, other: &Self) {
        self.cases += other.cases;
        self.skipped += other.skipped;
        self.failures += other.failures;
        self.as_good += other.as_good;
        self.worst_loss = worst(self.worst_loss, other.worst_loss);
        self.worst_gradient = worst(self.worst_gradient, other.worst_gradient);
    }

    fn print(&self, name: &str) {
        println!(
            "{name}: {} cases, {} failures, {} skipped, worst loss error {:.3e}, worst gradient error {:.3e}, \
             {:.1} % as close as Python in float32",
            self.cases,
            self.failures,
            self.skipped,
            self.worst_loss,
            self.worst_gradient,
            100.0 * self.as_good as f64 / (self.cases as f64).max(1.0),
        );
    }
}

/// The larger error; a NaN is the worst.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
