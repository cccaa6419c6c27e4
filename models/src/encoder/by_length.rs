//! Texts of like length together, so that little of what is computed is padding.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

/// The cost of starting a group on a CPU: as much as this many tokens of padding.
const GROUP: usize = 64;

/// The cost on a GPU, where a group starts a thousand kernels and a token costs next to nothing.
const GROUP_ON_GPU: usize = 4096;

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
        restored(embeddings, &self.order)
    }

    /// The places of the sorted rows in the original order.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// At most `count` shares of the sorted rows with about as many tokens each, without an empty one.
    pub fn shares(&self, count: usize) -> Vec<Range<usize>> {
        let all: usize = self.rows.iter().map(|row| row.len().max(1)).sum();
        let (mut shares, mut start, mut tokens) = (Vec::new(), 0, 0);
        for (index, row) in self.rows.iter().enumerate() {
            tokens += row.len().max(1);
            // The share ends where the tokens so far are nearest to its part of all.
            let next = self.rows.get(index + 1).map_or(0, |row| row.len().max(1));
            let end = all * (shares.len() + 1) / count;
            if index + 1 == self.rows.len() || 2 * tokens + next > 2 * end {
                shares.push(start..index + 1);
                start = index + 1;
            }
        }
        shares
    }

    /// Groups of neighbours that are padded together on `device`, from the shortest to the longest. No
    /// other groups have fewer tokens, counting padding and, for the start of each group, 64 on a CPU and
    /// 4096 elsewhere.
    pub fn groups(&self, device: &Device) -> Vec<Range<usize>> {
        let start = if is_cpu(device) { GROUP } else { GROUP_ON_GPU };
        self.cheapest(start)
    }

    fn cheapest(&self, start: usize) -> Vec<Range<usize>> {
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
            let longest = self.rows[end - 1].len().max(1);
            let cost = |first: usize| best[first].0 + (end - starts[first]) * longest + start;
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

/// Puts rows whose places are `order` into their places.
pub(super) fn restored(rows: Tensor<2>, order: &[usize]) -> Tensor<2> {
    if order.is_sorted() {
        return rows;
    }
    let mut places = vec![0; order.len()];
    for (place, &index) in order.iter().enumerate() {
        places[index] = place as i32;
    }
    let device = rows.device();
    rows.select(0, Tensor::from_data(places.as_slice(), &device))
}

/// Whether `device` is the CPU. Burn tells only by the name of the backend.
fn is_cpu(device: &Device) -> bool {
    let name = format!("{device:?}").to_lowercase();
    ["flex", "ndarray", "cpu"].iter().any(|cpu| name.contains(cpu))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lengths: &[usize]) -> Vec<Vec<u32>> {
        lengths.iter().map(|&length| vec![1; length]).collect()
    }

    /// The lengths in each group.
    fn groups(lengths: &[usize]) -> Vec<Vec<usize>> {
        let texts = texts(lengths);
        let sorted = ByLength::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let lengths = |group: Range<usize>| sorted.rows()[group].iter().map(|row| row.len());
        sorted.groups(&Device::flex()).into_iter().map(|group| lengths(group).collect()).collect()
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
    fn a_gpu_pads_rather_than_starts_again() {
        let texts = texts(&[10, 300, 12, 301, 11]);
        let sorted = ByLength::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(sorted.cheapest(GROUP_ON_GPU).len(), 1);
        assert!(is_cpu(&Device::flex().autodiff()));
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
    fn shares_have_about_as_many_tokens() {
        let shares = |lengths: &[usize], count| {
            let texts = texts(lengths);
            ByLength::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>()).shares(count)
        };
        assert_eq!(shares(&[10; 8], 2), [0..4, 4..8]);
        assert_eq!(shares(&[10, 10, 10, 10, 20, 20], 2), [0..4, 4..6]);
        assert_eq!(shares(&[1, 1, 1, 300], 2), [0..3, 3..4]);
        assert_eq!(shares(&[5, 6], 4), [0..1, 1..2]);
        assert_eq!(shares(&[0, 0, 0], 3), [0..1, 1..2, 2..3]);
        assert!(shares(&[], 3).is_empty());
        for count in 1..20 {
            let lengths: Vec<_> = (1..60).map(|n| n * n % 37).collect();
            let shares = shares(&lengths, count);
            assert!(shares.len() <= count && shares[0].start == 0);
            assert_eq!(shares.iter().map(ExactSizeIterator::len).sum::<usize>(), 59);
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
