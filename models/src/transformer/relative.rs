//! Distances of tokens in buckets, for the attention bias of MPNet.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// The number of buckets: half of them look back, half ahead.
pub const BUCKETS: usize = 32;
/// Tokens this far apart, or farther, share the last bucket of their side.
const FARTHEST: f32 = 128.0;

/// The bucket of each pair of positions, `[length, length]`: the row looks at the column.
pub fn buckets(length: usize, device: &Device) -> Tensor<2, Int> {
    let pairs = (0..length).flat_map(|from| (0..length).map(move |to| bucket(from, to)));
    let data = TensorData::new(pairs.collect::<Vec<i32>>(), [length, length]);
    Tensor::from_data(data, device)
}

/// Near tokens have a bucket for each distance, far ones share buckets on a logarithmic scale.
fn bucket(from: usize, to: usize) -> i32 {
    let side = BUCKETS / 2;
    let exact = side / 2;
    let distance = from.abs_diff(to);
    let ahead = if to > from { side } else { 0 };
    let within = if distance < exact {
        distance
    } else {
        let scale = (FARTHEST / exact as f32).ln();
        let step = (distance as f32 / exact as f32).ln() / scale * (side - exact) as f32;
        (exact + step as usize).min(side - 1)
    };
    (ahead + within) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_tokens_have_their_own_bucket_and_far_ones_share() {
        let ahead: Vec<_> = [0, 1, 7, 8, 11, 12, 15, 16, 23, 31, 32, 64, 90, 91, 127, 500]
            .map(|distance| bucket(0, distance))
            .into();
        let expected = [0, 17, 23, 24, 24, 25, 25, 26, 27, 27, 28, 30, 30, 31, 31, 31];
        assert_eq!(ahead, expected);
        assert_eq!(bucket(7, 0), 7);
        assert_eq!(bucket(500, 0), 15);
    }
}
