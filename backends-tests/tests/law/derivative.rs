//! Gradients against finite differences.

use std::collections::BTreeMap;

use backends_tests::case::Case;
use backends_tests::subject;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Place, close};

const STEP: f64 = 1e-6;

/// Central differences along random directions, for all columns at once, for each alone, and for each
/// weight that the loss owns.
pub fn agrees_with_differences(place: &Place, case: &Case) -> Result<(), String> {
    let (_, gradients) = place.run(case);
    if gradients.concat().iter().all(|&g| g == 0.0) {
        return Err("no gradient: nothing would be compared".into());
    }
    let mut rng = StdRng::seed_from_u64(11);
    let columns = case.columns.len();
    let together = std::iter::once(0..columns);
    for moved in (0..columns).map(|k| k..k + 1).chain(together) {
        let direction: Vec<Vec<f64>> = (0..columns)
            .map(|k| {
                let size = if moved.contains(&k) { 1.0 } else { 0.0 };
                gradients[k].iter().map(|_| size * rng.random_range(-1.0..1.0)).collect()
            })
            .collect();
        let difference = difference(place, |step| shifted(case, &direction, step));
        let slope = dot(&gradients.concat(), &direction.concat());
        close(&format!("derivative along columns {moved:?}"), slope, difference, 1e-7)?;
    }
    for (weight, gradient) in gradients_of_weights(place, case) {
        let direction: Vec<f64> = gradient.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
        let difference = difference(place, |step| with_weight(case, &weight, &direction, step));
        let slope = dot(&gradient, &direction);
        close(&format!("derivative along `{weight}`"), slope, difference, 1e-7)?;
    }
    Ok(())
}

/// The derivative of the loss with respect to the step.
fn difference(place: &Place, at: impl Fn(f64) -> Case) -> f64 {
    let along = |step: f64| place.run(&at(step)).0;
    (along(STEP) - along(-STEP)) / (2.0 * STEP)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn gradients_of_weights(place: &Place, case: &Case) -> BTreeMap<String, Vec<f64>> {
    let answer = subject::run(case, &place.device, place.dtype(case));
    let gradients = answer.expect("a case that fits its loss").param_gradients;
    let owned = case.params.as_ref().map_or(0, BTreeMap::len);
    assert_eq!(gradients.len(), owned, "{}: a gradient for each weight", case.id);
    gradients
}

fn with_weight(case: &Case, weight: &str, direction: &[f64], step: f64) -> Case {
    let mut case = case.clone();
    let params = case.params.as_mut().expect("the loss owns weights");
    let weight = params.get_mut(weight).expect("a weight of the loss");
    weight.data.iter_mut().zip(direction).for_each(|(x, d)| *x += step * d);
    case
}

fn shifted(case: &Case, direction: &[Vec<f64>], step: f64) -> Case {
    let mut case = case.clone();
    for (column, direction) in case.columns.iter_mut().zip(direction) {
        column.data.iter_mut().zip(direction).for_each(|(x, d)| *x += step * d);
    }
    case
}
