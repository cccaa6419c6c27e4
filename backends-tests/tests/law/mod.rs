//! The laws, one function each: what must hold for a case, or why it does not.

pub mod budget;
pub mod degenerate;
pub mod derivative;
pub mod symmetry;

use backends_tests::case::Case;
use backends_tests::fault::Faults;
use backends_tests::subject;
use burn::prelude::*;
use burn::tensor::DType;

/// A value and its gradient for each column.
pub type Outcome = (f64, Vec<Vec<f64>>);

/// A backend on which a law is checked, in `f64` as far as that works there.
pub struct Place {
    name: &'static str,
    /// Its device.
    pub device: Device,
    in_f64: Faults,
}

impl Place {
    fn new((name, device): (&'static str, Device)) -> Self {
        let in_f64 = Faults::of(&device, DType::F64);
        Self { name, device, in_f64 }
    }

    /// Every backend that is compiled in.
    fn all() -> Vec<Self> {
        named_device::compiled_in().into_iter().map(Self::new).collect()
    }

    /// Flex, whose numbers are taken for the truth.
    pub fn reference() -> Self {
        Self::new(("flex", Device::flex()))
    }

    /// The finest precision in which the device computes the case.
    pub fn dtype(&self, case: &Case) -> DType {
        if self.in_f64.that_stop(case).is_none() { DType::F64 } else { DType::F32 }
    }

    /// By how much results may differ that are equal but for rounding.
    pub fn rounding(&self, case: &Case) -> f64 {
        if self.dtype(case) == DType::F64 { 1e-12 } else { 1e-5 }
    }

    /// Loss and gradients in the finest precision.
    pub fn run(&self, case: &Case) -> Outcome {
        self.run_in(case, self.dtype(case))
    }

    /// Loss and gradients in a precision.
    pub fn run_in(&self, case: &Case, dtype: DType) -> Outcome {
        let answer = subject::run(case, &self.device, dtype).expect("a case that fits its loss");
        (answer.loss, answer.gradients)
    }
}

/// A law: what must hold for a case on a device, or why it does not.
pub type Law = fn(&Place, &Case) -> Result<(), String>;

/// Applies a law to every case on every backend and reports all that break it.
pub fn check(cases: Vec<Case>, law: Law) {
    check_at(&Place::all(), &cases, law);
}

/// [`check`] for a law that needs `f64`; cases that a device cannot compute in it are left out
/// there, by name.
pub fn check_in_f64(cases: Vec<Case>, law: Law) {
    for place in Place::all() {
        let (left_out, able): (Vec<_>, Vec<_>) =
            cases.iter().cloned().partition(|case| place.in_f64.that_stop(case).is_some());
        for case in &left_out {
            let reason = place.in_f64.that_stop(case).unwrap_or_default();
            println!("{}: {} skipped: {reason}", place.name, case.id);
        }
        if place.in_f64.missing().is_none() {
            check_at(&[place], &able, law);
        }
    }
}

/// [`check`] on Flex alone.
pub fn check_at_reference(cases: Vec<Case>, law: Law) {
    check_at(&[Place::reference()], &cases, law);
}

/// [`check`] on every backend but Flex.
pub fn check_elsewhere(cases: Vec<Case>, law: Law) {
    let mut places = Place::all();
    places.retain(|place| place.name != "flex");
    check_at(&places, &cases, law);
}

fn check_at(places: &[Place], cases: &[Case], law: Law) {
    assert!(!places.is_empty() && !cases.is_empty(), "a law about nothing");
    let broken = |place: &Place, case: &Case| {
        law(place, case).err().map(|why| format!("{}: {}: {why}", place.name, case.id))
    };
    let all = places.iter().flat_map(|place| cases.iter().map(move |case| (place, case)));
    let broken: Vec<String> = all.filter_map(|(place, case)| broken(place, case)).collect();
    assert!(broken.is_empty(), "{} of {} cases:\n{}", broken.len(), cases.len(), broken.join("\n"));
}

/// `a ≈ b`, relative to the larger, as an error that says what is off.
pub fn close(what: &str, a: f64, b: f64, tolerance: f64) -> Result<(), String> {
    let within = (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0);
    within.then_some(()).ok_or_else(|| format!("{what}: {a:e} is not {b:e}"))
}

/// Values and gradients of two outcomes are equal up to `tolerance`.
pub fn same(a: &Outcome, b: &Outcome, tolerance: f64) -> Result<(), String> {
    close("loss", a.0, b.0, tolerance)?;
    let (a, b) = (a.1.concat(), b.1.concat());
    a.iter().zip(&b).try_for_each(|(&a, &b)| close("gradient", a, b, tolerance))
}
