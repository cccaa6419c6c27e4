//! The two directions in which embeddings differ most.

use burn::tensor::Tensor;

/// Rounds after which the directions are taken as they are.
const ROUNDS: usize = 300;
/// A direction that turns by less in a round, as a squared length, stays.
const STILL: f64 = 1e-14;

/// Principal components.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// The coordinates of each row.
    pub coordinates: Vec<[f64; 2]>,
    /// The shares of the variance that the two axes show.
    pub shares: [f64; 2],
}

impl Axes {
    /// The two principal components of rows `[n, dim]`, by orthogonal iteration on their covariance.
    pub fn of(rows: Tensor<2>) -> Self {
        let [_, dim] = rows.dims();
        let centred = rows.clone() - rows.mean_dim(0);
        let covariance = centred.clone().transpose().matmul(centred.clone());
        let covariance: Vec<f64> = covariance.into_data().iter().collect();
        let rows: Vec<f64> = centred.into_data().iter().collect();
        let directions = directions(&covariance, dim);
        let total: f64 = (0..dim).map(|i| covariance[i * dim + i]).sum();
        let seen = directions.each_ref().map(|axis| dot(axis, &times(&covariance, axis)));
        let share = |seen: f64| if total > 0.0 { (seen / total).clamp(0.0, 1.0) } else { 0.0 };
        let place = |row: &[f64]| directions.each_ref().map(|axis| dot(axis, row));
        Self { coordinates: rows.chunks(dim).map(place).collect(), shares: seen.map(share) }
    }
}

fn directions(covariance: &[f64], dim: usize) -> [Vec<f64>; 2] {
    // Any start will do that is no principal component itself.
    let start = |phase: f64| (0..dim).map(|i| (phase * (i as f64 + 1.0)).sin()).collect();
    let mut axes = orthonormal([start(1.0), start(2.3)]);
    for _ in 0..ROUNDS {
        let turned = axes.each_ref().map(|axis| times(covariance, axis));
        let next = orthonormal(turned);
        let turn = |(old, new): (&Vec<f64>, &Vec<f64>)| 1.0 - dot(old, new).powi(2);
        let still = axes.iter().zip(&next).map(turn).all(|turn| turn < STILL);
        axes = next;
        if still {
            break;
        }
    }
    axes.map(facing)
}

/// Orthonormalises the directions; a direction that depends on the others becomes zero.
fn orthonormal([first, second]: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let first = unit(first);
    let along = dot(&first, &second);
    let second = second.iter().zip(&first).map(|(y, x)| y - along * x).collect();
    [first, unit(second)]
}

fn unit(axis: Vec<f64>) -> Vec<f64> {
    let length = dot(&axis, &axis).sqrt();
    if length > 1e-150 {
        axis.iter().map(|value| value / length).collect()
    } else {
        axis.iter().map(|_| 0.0).collect()
    }
}

/// Picks the sign of an axis so that its largest component is positive.
fn facing(axis: Vec<f64>) -> Vec<f64> {
    let largest = axis.iter().fold(0.0_f64, |a, b| if b.abs() > a.abs() { *b } else { a });
    axis.iter().map(|value| if largest < 0.0 { -value } else { *value }).collect()
}

fn times(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks(x.len()).map(|row| dot(row, x)).collect()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_cross_is_seen_along_its_arms() {
        // Arms of length 2 along (3, 4) / 5 and of length 1 across, moved away from the origin.
        let rows = [[0.6, 0.8], [-0.6, -0.8], [-0.4, 0.3], [0.4, -0.3]];
        let rows = rows.map(|[x, y]: [f32; 2]| [2.0 * x + 7.0, 2.0 * y - 3.0, 1.0]);
        let axes = Axes::of(Tensor::from_floats(rows, &Device::flex()));
        let expected = [[2.0, 0.0], [-2.0, 0.0], [0.0, -1.0], [0.0, 1.0]];
        for (found, expected) in axes.coordinates.iter().zip(expected) {
            let close = found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-5);
            assert!(close, "{:?}", axes.coordinates);
        }
        assert!((axes.shares[0] - 0.8).abs() < 1e-5 && (axes.shares[1] - 0.2).abs() < 1e-5);
    }

    #[test]
    fn rows_that_do_not_differ_lie_on_one_point() {
        for dim in [1, 3] {
            let axes = Axes::of(Tensor::ones([4, dim], &Device::flex()));
            assert_eq!(axes.coordinates, [[0.0; 2]; 4]);
            assert_eq!(axes.shares, [0.0; 2]);
        }
    }
}
