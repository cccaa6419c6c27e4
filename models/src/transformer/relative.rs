//! Distances of tokens in buckets, for the attention bias of MPNet and T5.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Near tokens have a bucket for each distance, far ones share buckets on a logarithmic scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// The number of buckets, at least 4: half of them look back, half ahead.
    pub count: usize,
    /// Tokens this far apart, or farther, share the last bucket of their side; more than a quarter
    /// of `count`.
    pub farthest: usize,
}

/// The buckets of MPNet.
pub(crate) const MPNET: Buckets = Buckets { count: 32, farthest: 128 };

impl Buckets {
    /// The bucket of each pair of positions, `[length, length]`: the row looks at the column.
    pub(crate) fn of_text(self, length: usize, device: &Device) -> Tensor<2, Int> {
        let pairs = (0..length).flat_map(|from| (0..length).map(move |to| self.bucket(from, to)));
        let data = TensorData::new(pairs.collect::<Vec<i32>>(), [length, length]);
        Tensor::from_data(data, device)
    }

    fn bucket(self, from: usize, to: usize) -> i32 {
        let side = self.count / 2;
        let exact = side / 2;
        let distance = from.abs_diff(to);
        let ahead = if to > from { side } else { 0 };
        let within = if distance < exact {
            distance
        } else {
            // In single precision, as in Python: a step may fall on either side of a whole number.
            let scale = (self.farthest as f64 / exact as f64).ln() as f32;
            let step = (distance as f32 / exact as f32).ln() / scale * (side - exact) as f32;
            (exact + step as usize).min(side - 1)
        };
        (ahead + within) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISTANCES: [usize; 16] = [0, 1, 7, 8, 11, 12, 15, 16, 23, 31, 32, 64, 90, 91, 127, 500];

    #[test]
    fn near_tokens_have_their_own_bucket_and_far_ones_share() {
        let ahead = DISTANCES.map(|distance| MPNET.bucket(0, distance));
        let expected = [0, 17, 23, 24, 24, 25, 25, 26, 27, 27, 28, 30, 30, 31, 31, 31];
        assert_eq!(ahead, expected);
        assert_eq!(MPNET.bucket(7, 0), 7);
        assert_eq!(MPNET.bucket(500, 0), 15);
    }

    #[test]
    fn other_numbers_of_buckets_are_those_of_python() {
        // T5Attention._relative_position_bucket
        let buckets = Buckets { count: 12, farthest: 20 };
        let ahead = DISTANCES.map(|distance| buckets.bucket(0, distance));
        let expected = [0, 7, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11];
        assert_eq!(ahead, expected);
    }
}
