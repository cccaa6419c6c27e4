//! Texts of like length together, so that little of what is computed is padding.

/// What it costs to start a group, in tokens: as much as so many tokens of padding.
const GROUP: usize = 64;

/// Texts by their lengths in tokens, in groups of like length: every index once. No other groups
/// have fewer tokens, counting padding and 64 for the start of each group.
pub fn groups(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| lengths[index]);
    // Texts of one length stay together.
    let runs: Vec<&[usize]> = order.chunk_by(|&a, &b| lengths[a] == lengths[b]).collect();
    // For the shortest texts up to each run: the least cost, and where the last group starts.
    let mut best: Vec<(usize, usize)> = vec![(0, 0)];
    for end in 1..=runs.len() {
        let longest = lengths[runs[end - 1][0]];
        let mut rows = 0;
        let cost = (0..end).rev().map(|start| {
            rows += runs[start].len();
            (best[start].0 + rows * longest + GROUP, start)
        });
        best.push(cost.min().unwrap_or_default());
    }
    let mut groups = Vec::new();
    let mut end = runs.len();
    while end > 0 {
        let start = best[end].1;
        groups.push(runs[start..end].concat());
        end = start;
    }
    groups
}

/// Where each index stands in an order of all of them.
pub fn places(order: &[usize]) -> Vec<i32> {
    let mut places = vec![0; order.len()];
    for (place, &index) in order.iter().enumerate() {
        places[index] = place as i32;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(lengths: &[usize], groups: &[Vec<usize>]) -> usize {
        let cost = |group: &Vec<usize>| {
            let longest = group.iter().map(|&index| lengths[index]).max().unwrap_or(0);
            longest * group.len() + GROUP
        };
        groups.iter().map(cost).sum()
    }

    #[test]
    fn every_text_is_in_one_group() {
        let lengths = [3, 400, 5, 5, 90, 4, 380, 1];
        let mut all = groups(&lengths).concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn texts_of_like_length_share_a_group() {
        let found = groups(&[10, 300, 12, 301, 11]);
        assert_eq!(found.len(), 2);
        assert!(found.iter().any(|group| group.len() == 2 && group.contains(&1)));
        assert_eq!(groups(&[7; 50]).len(), 1);
    }

    #[test]
    fn no_other_cut_is_cheaper() {
        let lengths = [2, 30, 31, 60, 64, 64, 120, 121, 200];
        let found = cost(&lengths, &groups(&lengths));
        for cuts in 0..1 << (lengths.len() - 1) {
            let mut all = vec![vec![0]];
            for index in 1..lengths.len() {
                if cuts >> (index - 1) & 1 == 1 {
                    all.push(Vec::new());
                }
                all.last_mut().unwrap().push(index);
            }
            assert!(found <= cost(&lengths, &all));
        }
    }
}
