//! Random and degenerate batches for any loss, and what must hold for each of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::catalog::{Entry, LossConfig};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::case::Case;
use crate::fault::Faults;
use crate::random::random_case;
use crate::subject::{self, Answer};

/// What a batch showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Everything held.
    Nothing,
    /// The loss does not take such a batch, and says so.
    Refused,
    /// What did not hold.
    Fault(String),
}

/// Where batches run, and where their true values come from.
#[derive(Debug)]
pub struct Soak {
    /// The device that is tried.
    device: Device,
    /// A device that computes in `f64`.
    reference: Device,
    /// What is wrong with the tried device in each type.
    faults: [(DType, Faults); 2],
}

/// A number from 10^-20 to 10^18, by which rows are scaled.
fn factor(rng: &mut StdRng) -> f64 {
    10f64.powf(rng.random_range(-20.0..18.0))
}

/// Options that change how a loss compares rows of a size.
fn options(entry: &Entry, size: usize, rng: &mut StdRng) -> Value {
    if entry.is_wrapper() {
        let inner =
            ["CoSENTLoss", "BatchHardTripletLoss", "MSELoss", "MultipleNegativesRankingLoss"];
        let dims = [size, rng.random_range(1..=size)];
        let mut options = json!({"loss": inner[rng.random_range(0..inner.len())]});
        if entry.has_option("dims") {
            options["dims"] = json!(dims);
        }
        if entry.has_option("document_regularizer_weight") {
            options["document_regularizer_weight"] = json!(0.5);
            options["use_document_regularizer_only"] = json!(true);
        }
        return options;
    }
    let metrics = ["euclidean", "squared_euclidean", "cosine", "manhattan"];
    let similarities = ["cos_sim", "dot_score", "Euclidean", "Manhattan"];
    let config = json!({"distance_metric": metrics[rng.random_range(0..metrics.len())]});
    let other = json!({"similarity_fct": similarities[rng.random_range(0..similarities.len())]});
    let fits = |options: &Value| LossConfig::from_python(entry.name, options.clone()).is_ok();
    [config, other].into_iter().find(fits).unwrap_or_else(|| json!({}))
}

/// The batch with this number: a loss of the catalog on rows of which some are zero, equal, huge or tiny.
///
/// # Errors
///
/// If the loss does not exist, or a random case cannot be made for it.
pub fn batch(seed: u64, loss: Option<&str>) -> Result<Case, String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let asked = |entry: &Entry| loss.is_none_or(|name| name == entry.name);
    let entries = LossConfig::ENTRIES.into_iter();
    let entries: Vec<Entry> =
        entries.filter(|entry| !entry.needs_decoder() && asked(entry)).collect();
    let entry = entries.get(rng.random_range(0..entries.len().max(1)));
    let entry =
        entry.ok_or_else(|| format!("{loss:?} is no loss that embeddings alone can try"))?;
    // Small batches are tried most: they have the odd shapes.
    let rows = 300f64.powf(rng.random_range(0.0..1.0)).round() as usize;
    let size = 64f64.powf(rng.random_range(0.0..1.0)).round() as usize;
    let classes = rng.random_range(1..=rows.max(2));
    let options = options(entry, size, &mut rng);
    let mut case = random_case(entry.name, options, rows, size, classes, rng.random())?;
    let share = [0.0, 0.1, 0.5, 1.0][rng.random_range(0..4)];
    for column in &mut case.columns {
        damage(&mut column.data, size, share, &mut rng);
        *column = column.clone().rounded_to_f32();
    }
    Ok(case)
}

/// Damages a share of the rows.
fn damage(values: &mut [f64], size: usize, share: f64, rng: &mut StdRng) {
    let rows = values.len() / size;
    for row in 0..rows {
        if !rng.random_bool(share) {
            continue;
        }
        let other = rng.random_range(0..rows) * size;
        let here = row * size..(row + 1) * size;
        match rng.random_range(0..4) {
            0 => values[here].fill(0.0),
            1 => values.copy_within(other..other + size, here.start),
            2 => values[here].fill(0.25),
            _ => {
                let factor = factor(rng);
                values[here].iter_mut().for_each(|value| *value *= factor);
            }
        }
    }
}

impl Soak {
    /// Batches run on `device`; their true values come from `reference`, which computes in `f64`.
    pub fn new(device: Device, reference: Device) -> Self {
        let faults = [DType::F64, DType::F32].map(|dtype| (dtype, Faults::of(&device, dtype)));
        Self { device, reference, faults }
    }

    /// Which batches are left out in which type, and why: one line each.
    pub fn notes(&self) -> Vec<String> {
        let note = |(dtype, faults): &(DType, Faults)| {
            let reason = faults.reason()?;
            let which =
                if faults.missing().is_some() { "all batches" } else { "losses of exponentials" };
            Some(format!("{}: {which} skipped: {reason}", dtype.name()))
        };
        self.faults.iter().filter_map(note).collect()
    }

    /// Runs a batch on the device in every type that it has, and compares with the reference.
    pub fn try_batch(&self, case: &Case) -> Found {
        let truth = match quiet(|| subject::run(case, &self.reference, DType::F64)) {
            Ok(Ok(truth)) => truth,
            Ok(Err(_)) => return Found::Refused,
            Err(panic) if is_refusal(&panic) => return Found::Refused,
            Err(panic) => return Found::Fault(format!("reference: {panic}")),
        };
        for &(dtype, ref faults) in &self.faults {
            if faults.that_stop(case).is_some() {
                continue;
            }
            let fault = match quiet(|| subject::run(case, &self.device, dtype)) {
                Ok(Ok(answer)) => fault(case, &answer, &truth, dtype),
                Ok(Err(error)) => Some(error),
                Err(panic) => Some(panic),
            };
            if let Some(fault) = fault {
                return Found::Fault(format!("{}: {fault}", dtype.name()));
            }
        }
        Found::Nothing
    }
}

/// A panic that names the rule that the batch breaks, such as two rows at least.
fn is_refusal(panic: &str) -> bool {
    panic.contains("` must ")
}

fn quiet<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        format!("a panic: {}", text.unwrap_or_default())
    })
}

/// Beyond this, differences of distances are mostly rounding.
const LONG: f64 = 1e3;

/// Relative difference that rounding explains for an `f64` loss of rows of any length.
const CLOSE: f64 = 1e-6;

fn fault(case: &Case, answer: &Answer, truth: &Answer, dtype: DType) -> Option<String> {
    let largest = dtype.finfo().map_or(f64::MAX, |info| info.max);
    // A mean is a sum before it is divided.
    let rows = case.columns[0].shape[0] as f64;
    let number = |what: &str, got: f64, truth: f64| {
        let lost = got.is_infinite() && truth.abs() < largest / 2.0 / rows;
        (got.is_nan() || lost).then(|| format!("{what} is {got}, not {truth:e}"))
    };
    let gradients = answer.gradients.iter().flatten().zip(truth.gradients.iter().flatten());
    number("loss", answer.loss, truth.loss)
        .or_else(|| gradients.into_iter().find_map(|(got, truth)| number("gradient", *got, *truth)))
        .or_else(|| {
            let off = (answer.loss - truth.loss).abs();
            let all = case.columns.iter().flat_map(|column| &column.data);
            let long = all.fold(0f64, |most, value| most.max(value.abs())) > LONG;
            let wrong = dtype == DType::F64 && !long && off > CLOSE * truth.loss.abs().max(1.0);
            wrong.then(|| format!("loss is {:e}, not {:e}", answer.loss, truth.loss))
        })
}
