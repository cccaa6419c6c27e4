//! Tries random and degenerate batches for every loss on a backend, for as long as asked.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use backends_tests::soak::{Found, Soak, batch};
use clap::Parser;

/// Try random and degenerate batches for every loss on a backend.
///
/// Value and gradient must be numbers where the true ones fit the type. In f64 the value must be that of
/// another backend, unless rows are so long that rounding decides. Prints each fault with the seed that repeats it (`--seed N --batches 1`).
/// A type in which the device does not compute is left out, with a note.
#[derive(Parser)]
struct Arguments {
    /// Where to compute: flex, ndarray, libtorch, wgpu …
    #[arg(long, default_value = "flex")]
    backend: String,
    /// Where the true values come from: a backend that computes in f64.
    #[arg(long, default_value = "ndarray")]
    reference: String,
    /// The number of the first batch.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only this loss, by its Python name.
    #[arg(long)]
    loss: Option<String>,
    /// Stop after this many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Stop after this many batches.
    #[arg(long, default_value_t = u64::MAX)]
    batches: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic is a fault that is printed with its batch.
    std::panic::set_hook(Box::new(|_| {}));
    match soak(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("soak: {message}");
            ExitCode::from(2)
        }
    }
}

/// The number of faults.
fn soak(arguments: &Arguments) -> Result<u64, String> {
    let open = |name: &str| named_device::open(name).map_err(|error| error.to_string());
    let soak = Soak::new(open(&arguments.backend)?, open(&arguments.reference)?);
    soak.notes().iter().for_each(|note| println!("{}: {note}", arguments.backend));
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let (mut tried, mut refused, mut faults) = (0, 0, 0);
    while tried < arguments.batches && Instant::now() < end {
        let seed = arguments.seed + tried;
        let case = batch(seed, arguments.loss.as_deref())?;
        match soak.try_batch(&case) {
            Found::Nothing => {}
            Found::Refused => refused += 1,
            Found::Fault(fault) => {
                faults += 1;
                let shape = &case.columns[0].shape;
                println!("--seed {seed}: {} {shape:?}: {fault}", case.id);
            }
        }
        tried += 1;
    }
    println!("{}: {tried} batches, {refused} refused, {faults} faults", arguments.backend);
    Ok(faults)
}
