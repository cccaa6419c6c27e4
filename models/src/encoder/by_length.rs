//! Texts of like length together, so that little of what is computed is padding.

use std::ops::Range;

use burn::tensor::Tensor;

/// The cost of starting a group: as much as this many tokens of padding.
const GROUP: usize = 64;

/// Token ids of texts in the order of their length, the shortest first.
///
/// ```
/// use burn_embedding_models::encoder::ByLength;
///
/// let sorted = ByLength::new(&[&[3, 4, 5], &[6], &[7, 8]]);
/// assert_eq!(sorted.rows(), [&[6][..], &[7, 8], &[3, 4, 5]]);
/// ```
#[derive(Debug, Clone)]
pub struct ByLength<'a> {
    rows: Vec<&'a [u32]>,
    /// For each sorted row, its index in the original order.
    order: Vec<usize>,
}

impl<'a> ByLength<'a> {
    /// Sorts `rows`; those of one length keep their order.
    pub fn new(rows: &[&'a [u32]]) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&index| rows[index].len());
        Self { rows: order.iter().map(|&index| rows[index]).collect(), order }
    }

    /// The sorted rows.
    pub fn rows(&self) -> &[&'a [u32]] {
        &self.rows
    }

    /// Puts embeddings of the sorted rows, `[n, dim]`, back into the original order.
    pub fn restore(&self, embeddings: Tensor<2>) -> Tensor<2> {
        let mut places = vec![0; self.order.len()];
        for (place, &index) in self.order.iter().enumerate() {
            places[index] = place as i32;
        }
        let device = embeddings.device();
        embeddings.select(0, Tensor::from_data(places.as_slice(), &device))
    }

    /// Groups of neighbours that are padded together, from the shortest to the longest. No other
    /// groups have fewer tokens, counting padding and 64 for the start of each group.
    pub fn groups(&self) -> Vec<Range<usize>> {
        // Texts of one length stay together.
        let ends: Vec<usize> = self
            .rows
            .chunk_by(|a, b| a.len() == b.len())
            .scan(0, |end, run| {
                *end += run.len();
                Some(*end)
            })
            .collect();
        let starts: Vec<usize> = std::iter::once(0).chain(ends.iter().copied()).collect();
        // For the rows before each start: the least cost, and the run that starts the last group.
        let mut best: Vec<(usize, usize)> = vec![(0, 0)];
        for &end in &ends {
            let longest = self.rows[end - 1].len();
            let cost = |first: usize| best[first].0 + (end - starts[first]) * longest + GROUP;
            let least = (0..best.len()).rev().map(|first| (cost(first), first)).min();
            best.push(least.unwrap_or_default());
        }
        let mut groups = Vec::new();
        let mut last = ends.len();
        while last > 0 {
            let first = best[last].1;
            groups.push(starts[first]..starts[last]);
            last = first;
        }
        groups.reverse();
        groups
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn texts(lengths: &[usize]) -> Vec<Vec<u32>> {
        lengths.iter().map(|&length| vec![1; length]).collect()
    }

    /// The lengths in each group.
    fn groups(lengths: &[usize]) -> Vec<Vec<usize>> {
        let texts = texts(lengths);
        let sorted = ByLength::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let lengths = |group: Range<usize>| sorted.rows()[group].iter().map(|row| row.len());
        sorted.groups().into_iter().map(|group| lengths(group).collect()).collect()
    }

    fn cost<'g>(groups: impl IntoIterator<Item = &'g Vec<usize>>) -> usize {
        let cost = |group: &Vec<usize>| group.iter().max().unwrap_or(&0) * group.len() + GROUP;
        groups.into_iter().map(cost).sum()
    }

    #[test]
    fn every_text_is_in_one_group() {
        let all = groups(&[3, 400, 5, 5, 90, 4, 380, 1]).concat();
        assert_eq!(all, [1, 3, 4, 5, 5, 90, 380, 400]);
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn texts_of_like_length_share_a_group() {
        assert_eq!(groups(&[10, 300, 12, 301, 11]), [vec![10, 11, 12], vec![300, 301]]);
        assert_eq!(groups(&[7; 50]).len(), 1);
    }

    #[test]
    fn no_other_cut_is_cheaper() {
        let lengths = [2, 30, 31, 60, 64, 64, 120, 121, 200];
        let found = cost(&groups(&lengths));
        for cuts in 0..1 << (lengths.len() - 1) {
            let mut all = vec![vec![lengths[0]]];
            for (cut, &length) in lengths[1..].iter().enumerate() {
                if cuts >> cut & 1 == 1 {
                    all.push(Vec::new());
                }
                all.last_mut().unwrap().push(length);
            }
            assert!(found <= cost(&all));
        }
    }

    #[test]
    fn embeddings_come_back_in_the_order_of_the_texts() {
        let texts = texts(&[3, 1, 2]);
        let sorted = ByLength::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let lengths = sorted.rows().iter().map(|row| row.len() as f32).collect::<Vec<_>>();
        let embeddings = Tensor::<1>::from_data(lengths.as_slice(), &Device::flex());
        let restored = sorted.restore(embeddings.reshape([3, 1])).into_data();
        assert_eq!(restored.iter::<f32>().collect::<Vec<_>>(), [3.0, 1.0, 2.0]);
    }
}
