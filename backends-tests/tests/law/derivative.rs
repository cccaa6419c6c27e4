//! Gradients against finite differences.

use backends_tests::case::Case;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Place, close};

const STEP: f64 = 1e-6;

/// Central differences along random directions, for all columns at once and for each alone.
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
        let along = |step: f64| place.run(&shifted(case, &direction, step)).0;
        let difference = (along(STEP) - along(-STEP)) / (2.0 * STEP);
        let slope: f64 =
            gradients.concat().iter().zip(direction.concat()).map(|(g, d)| g * d).sum();
        close(&format!("derivative along columns {moved:?}"), slope, difference, 1e-7)?;
    }
    Ok(())
}

fn shifted(case: &Case, direction: &[Vec<f64>], step: f64) -> Case {
    let mut case = case.clone();
    for (column, direction) in case.columns.iter_mut().zip(direction) {
        column.data.iter_mut().zip(direction).for_each(|(x, d)| *x += step * d);
    }
    case
}
