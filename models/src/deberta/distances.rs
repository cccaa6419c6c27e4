//! Distances of tokens as rows of a table.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// How far apart two tokens may be, and which distances share a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Distances {
    /// Rows for each direction.
    pub span: usize,
    /// Distances up to half of this have rows of their own; 0 if all have.
    pub buckets: usize,
    /// The distance that has the last row.
    pub farthest: usize,
}

impl Distances {
    /// The rows of the table that a text of `tokens` tokens needs, and for each pair of tokens its
    /// place among them, `[tokens, tokens]`: the row looks at the column.
    pub(super) fn of_text(self, tokens: usize, device: &Device) -> (Range<usize>, Tensor<2, Int>) {
        let last = tokens.saturating_sub(1);
        let rows = self.row(0, last)..self.row(last, 0) + 1;
        let place = |from, to| (self.row(from, to) - rows.start) as i32;
        let pairs = (0..tokens).flat_map(|from| (0..tokens).map(move |to| (from, to)));
        let places: Vec<i32> = pairs.map(|(from, to)| place(from, to)).collect();
        let places = Tensor::from_data(TensorData::new(places, [tokens, tokens]), device);
        (rows, places)
    }

    /// The row for what a token at `from` sees at `to`; earlier tokens have later rows.
    fn row(self, from: usize, to: usize) -> usize {
        let bucket = self.bucket(from.abs_diff(to));
        match from >= to {
            true => (self.span + bucket).min(2 * self.span - 1),
            false => self.span.saturating_sub(bucket),
        }
    }

    fn bucket(self, distance: usize) -> usize {
        let middle = self.buckets / 2;
        if self.buckets == 0 || distance <= middle {
            return distance;
        }
        // In single precision, as in Python: a step may fall on either side of a whole number.
        let middle = middle as f32;
        let scale = ((self.farthest - 1) as f64 / f64::from(middle)) as f32;
        let step = (distance as f32 / middle).ln() / scale.ln() * (middle - 1.0);
        (step.ceil() + middle) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_tokens_share_rows() {
        let distances = Distances { span: 8, buckets: 8, farthest: 20 };
        // transformers.models.deberta_v2.modeling_deberta_v2.make_log_bucket_position
        let rows: Vec<usize> = [0, 1, 4, 5, 6, 7, 11, 12, 19, 20, 25]
            .into_iter()
            .flat_map(|distance| [distances.row(distance, 0), distances.row(0, distance)])
            .collect();
        let expected = [8, 8, 9, 7, 12, 4, 13, 3, 13, 3, 14, 2, 14, 2, 15, 1, 15, 1, 15, 0, 15, 0];
        assert_eq!(rows, expected);
    }

    #[test]
    fn without_buckets_every_distance_up_to_the_span_has_a_row() {
        let distances = Distances { span: 3, buckets: 0, farthest: 3 };
        assert_eq!([4, 3, 2, 1, 0].map(|from| distances.row(from, 0)), [5, 5, 5, 4, 3]);
        assert_eq!([1, 2, 3, 4].map(|to| distances.row(0, to)), [2, 1, 0, 0]);
    }

    #[test]
    fn a_text_needs_only_the_rows_of_its_distances() {
        let distances = Distances { span: 512, buckets: 256, farthest: 512 };
        let (rows, places) = distances.of_text(3, &Device::flex());
        assert_eq!(rows, 510..515);
        let places: Vec<i32> = places.into_data().iter().collect();
        assert_eq!(places, [2, 1, 0, 3, 2, 1, 4, 3, 2]);
    }
}
