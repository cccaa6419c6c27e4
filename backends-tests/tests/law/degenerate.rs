//! Zero rows, duplicates, and lengths at the ends of the type.

use backends_tests::case::Case;
use burn::tensor::DType;

use super::{Outcome, Place};

/// What is done to the rows of a column: its number, the rows, the dimension.
type Damage = (&'static str, fn(usize, &mut [f64], usize));

const DAMAGE: [Damage; 13] = [
    ("as they are", |_, _, _| {}),
    ("one zero row", |_, rows, dim| rows[..dim].fill(0.0)),
    ("one zero row in the first column", |k, rows, dim| {
        if k == 0 {
            rows[..dim].fill(0.0);
        }
    }),
    ("all zero", |_, rows, _| rows.fill(0.0)),
    ("all equal", |_, rows, dim| repeat_first(rows, dim)),
    ("duplicates", |_, rows, dim| {
        let half = rows.len() / dim / 2 * dim;
        let (first, second) = rows.split_at_mut(half);
        second[..half].copy_from_slice(first);
    }),
    ("columns alike", |_, rows, _| {
        rows.iter_mut().enumerate().for_each(|(i, x)| *x = ((i * 7 + 3) % 11) as f64 - 5.0);
    }),
    ("norm 1e-20", |_, rows, _| scale(rows, 1e-20)),
    ("norm 1e-12", |_, rows, _| scale(rows, 1e-12)),
    ("norm 1e18", |_, rows, _| scale(rows, 1e18)),
    // Squares, and squares of squares, whose mean fits f32 and whose sum may not.
    ("norm 2e18", |_, rows, _| scale(rows, 2e18)),
    ("norm 3e9", |_, rows, _| scale(rows, 3e9)),
    ("norms from 1e-20 to 1e18", |_, rows, dim| {
        for (i, row) in rows.chunks_mut(dim).enumerate() {
            scale(row, [1e-20, 1.0, 1e18, 1e-9][i % 4]);
        }
    }),
];

fn scale(rows: &mut [f64], factor: f64) {
    rows.iter_mut().for_each(|x| *x *= factor);
}

fn repeat_first(rows: &mut [f64], dim: usize) {
    let (first, rest) = rows.split_at_mut(dim);
    rest.chunks_mut(dim).for_each(|row| row.copy_from_slice(first));
}

/// Never NaN, in either precision; in `f32` never infinite where `f64` says that the number fits.
pub fn stays_finite(place: &Place, case: &Case) -> Result<(), String> {
    for (name, damage) in DAMAGE {
        let mut case = case.clone();
        for (k, column) in case.columns.iter_mut().enumerate() {
            let dim = column.shape[1];
            damage(k, &mut column.data, dim);
            *column = column.clone().rounded_to_f32();
        }
        let truth = Place::reference().run(&case);
        let finest = place.dtype(&case);
        let others = (finest != DType::F32).then_some(DType::F32);
        for dtype in std::iter::once(finest).chain(others) {
            let largest = dtype.finfo().map_or(f64::MAX, |info| info.max);
            fits(&place.run_in(&case, dtype), &truth, largest)
                .map_err(|why| format!("{name}, {}: {why}", dtype.name()))?;
        }
    }
    Ok(())
}

fn fits(got: &Outcome, truth: &Outcome, largest: f64) -> Result<(), String> {
    let number = |what: &str, got: f64, truth: f64| match got {
        _ if got.is_nan() => Err(format!("{what} is NaN, not {truth:e}")),
        _ if got.is_infinite() && truth.abs() < largest => {
            Err(format!("{what} is infinite, not {truth:e}"))
        }
        _ => Ok(()),
    };
    number("loss", got.0, truth.0)?;
    let pairs = got.1.iter().flatten().zip(truth.1.iter().flatten());
    pairs.into_iter().try_for_each(|(&got, &truth)| number("gradient", got, truth))
}

/// The gradient of a zero row is zero in either precision, and the others still have one.
pub fn zero_row_gets_no_gradient(place: &Place, case: &Case) -> Result<(), String> {
    let mut case = case.clone();
    let dim = case.columns[0].shape[1];
    case.columns[0].data[..dim].fill(0.0);
    for dtype in [place.dtype(&case), DType::F32] {
        let (_, gradients) = place.run_in(&case, dtype);
        if gradients[0][..dim].iter().any(|&g| g != 0.0) {
            return Err(format!("the zero row has gradient {:?}", &gradients[0][..dim]));
        }
        if gradients[0][dim..].iter().all(|&g| g == 0.0) {
            return Err("no row has a gradient".into());
        }
    }
    Ok(())
}
