//! The hands of rows that each label has left, and which label is next.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// The hands that are still to be dealt.
#[derive(Debug)]
pub(super) struct Hands {
    counts: Vec<usize>,
    total: usize,
    /// The labels by their count; an entry whose count has changed since is stale.
    by_count: Vec<Vec<usize>>,
    /// Labels of which the present round has not seen any hand.
    round: VecDeque<usize>,
    /// The labels that may have hands left.
    alive: Vec<usize>,
}

impl Hands {
    pub(super) fn new(counts: Vec<usize>) -> Self {
        let mut by_count = vec![Vec::new(); counts.iter().max().map_or(1, |&count| count + 1)];
        for (label, &count) in counts.iter().enumerate() {
            by_count[count].push(label);
        }
        let alive = (0..counts.len()).collect();
        Self { total: counts.iter().sum(), counts, by_count, round: VecDeque::new(), alive }
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// A label of which no other has more hands, and the number of all hands of the others.
    pub(super) fn most(&mut self) -> Option<(usize, usize)> {
        while self.by_count.len() > 1 {
            let count = self.by_count.len() - 1;
            match self.by_count[count].last() {
                None => drop(self.by_count.pop()),
                Some(&label) if self.counts[label] == count => {
                    return Some((label, self.total - count));
                }
                Some(_) => drop(self.by_count[count].pop()),
            }
        }
        None
    }

    /// One hand less of a label.
    pub(super) fn take(&mut self, label: usize) {
        self.counts[label] -= 1;
        self.total -= 1;
        self.by_count[self.counts[label]].push(label);
    }

    /// Puts hands away until so many are left, always of the label with most.
    pub(super) fn trim(&mut self, total: usize) {
        while self.total > total
            && let Some((label, _)) = self.most()
        {
            self.take(label);
        }
    }

    /// The next label of the round, another one than `not`, of which there must be one. A round
    /// brings every label once, in random order.
    pub(super) fn next(&mut self, not: Option<usize>, rng: &mut StdRng) -> usize {
        let mut passed = None;
        loop {
            match self.round.pop_front() {
                None => {
                    passed = None;
                    self.new_round(rng);
                }
                Some(label) if Some(label) == not => passed = Some(label),
                Some(label) if self.counts[label] == 0 => {}
                Some(label) => {
                    // Its turn comes later.
                    self.round.extend(passed);
                    return label;
                }
            }
        }
    }

    fn new_round(&mut self, rng: &mut StdRng) {
        self.alive.retain(|&label| self.counts[label] > 0);
        assert!(!self.alive.is_empty(), "hands are left");
        let mut round = self.alive.clone();
        round.shuffle(rng);
        self.round = round.into();
    }
}
