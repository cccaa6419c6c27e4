//! What a device computes wrongly, found by asking it, and the cases that cannot run there.

use burn::prelude::*;
use burn::tensor::DType;
use serde_json::Value;

use crate::case::Case;
use crate::subject::numbers;

/// How many roundings of its type a function may be off before it counts as broken.
const ROUNDINGS: f64 = 64.0;

/// A function, its argument, and the true value.
type Probe = (&'static str, f64, fn(Tensor<1>) -> Tensor<1>, f64);

const PROBES: [Probe; 3] = [
    ("exp", 1.0, Tensor::exp, std::f64::consts::E),
    ("log", 2.0, Tensor::log, std::f64::consts::LN_2),
    ("tanh", 1.0, Tensor::tanh, 0.761_594_155_955_764_9),
];

/// What is wrong with a device in one precision.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Whether the device does not compute in this precision at all.
    missing: Option<String>,
    /// The first function that gives a wrong number.
    exponentials: Option<String>,
}

impl Faults {
    /// Asks the device.
    pub fn of(device: &Device, dtype: DType) -> Self {
        if !device.supports_dtype(dtype) {
            let missing = Some(format!("the device does not compute in {}", dtype.name()));
            return Self { missing, exponentials: None };
        }
        let allowed = ROUNDINGS * dtype.finfo().map_or(f64::EPSILON, |info| info.epsilon);
        let wrong = |&(name, at, function, truth): &Probe| {
            let x = Tensor::<1>::from_data([at], (device, dtype));
            let got = numbers(function(x))[0];
            let right = (got - truth).abs() <= allowed * truth;
            (!right)
                .then(|| format!("{name}({at}) in {} is {got:.3e} on this device", dtype.name()))
        };
        Self { missing: None, exponentials: PROBES.iter().find_map(wrong) }
    }

    /// Every backend that is compiled in and computes in this precision, with what is wrong with it
    /// there. The others are named with the reason.
    pub fn by_backend(dtype: DType) -> Vec<(&'static str, Device, Self)> {
        let mut able = Vec::new();
        for (name, device) in named_device::compiled_in() {
            let faults = Self::of(&device, dtype);
            match faults.missing() {
                Some(reason) => println!("{name} skipped: {reason}"),
                None => able.push((name, device, faults)),
            }
        }
        able
    }

    /// Whether every case can run.
    pub fn none(&self) -> bool {
        self.missing.is_none() && self.exponentials.is_none()
    }

    /// Why no case can run, if that is so.
    pub fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Why cases cannot run, if there are such.
    pub fn reason(&self) -> Option<&str> {
        self.missing().or(self.exponentials.as_deref())
    }

    /// Why the case cannot run, if that is so.
    pub fn that_stop(&self, case: &Case) -> Option<&str> {
        let exponentials = self.exponentials.as_deref().filter(|_| takes_exponentials(case));
        self.missing().or(exponentials)
    }
}

/// Whether the loss computes `exp`, `log` or `tanh`, as every loss may that is not known to do
/// without.
fn takes_exponentials(case: &Case) -> bool {
    match case.loss.as_str() {
        "BatchAllTripletLoss"
        | "BatchHardTripletLoss"
        | "BatchSemiHardTripletLoss"
        | "ContrastiveLoss"
        | "EmbedDistillLoss"
        | "GlobalOrthogonalRegularizationLoss"
        | "MSELoss"
        | "MarginMSELoss"
        | "MegaBatchMarginLoss"
        | "OnlineContrastiveLoss"
        | "TripletLoss" => false,
        "CosineSimilarityLoss" => {
            let option = |name: &str| case.config.get(name).and_then(Value::as_str);
            option("loss_fct").is_some_and(|error| error.starts_with("BCE"))
                || matches!(option("cos_score_transformation"), Some("Sigmoid" | "Tanh"))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random_case;
    use serde_json::json;

    #[test]
    fn a_fault_stops_the_cases_that_meet_it_and_no_others() {
        let broken = Faults { missing: None, exponentials: Some("exp(1) is 0".into()) };
        let case = |loss, options| random_case(loss, options, 4, 2, 2, 0).unwrap();
        let stopped = |loss, options| broken.that_stop(&case(loss, options)).is_some();
        assert!(stopped("SoftmaxLoss", json!({})));
        assert!(stopped("CosineSimilarityLoss", json!({"loss_fct": "BCEWithLogitsLoss"})));
        assert!(stopped("CosineSimilarityLoss", json!({"cos_score_transformation": "Tanh"})));
        assert!(!stopped("CosineSimilarityLoss", json!({})));
        assert!(!stopped("BatchAllTripletLoss", json!({})));
        let sound = Faults::default();
        assert!(sound.none() && sound.that_stop(&case("SoftmaxLoss", json!({}))).is_none());
    }

    #[test]
    fn the_cpu_computes_every_function_in_both_precisions() {
        for dtype in [DType::F32, DType::F64] {
            assert!(Faults::of(&Device::flex(), dtype).none());
        }
    }
}
