use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index::sample;

/// Random choices that follow from a seed and their number, or are given.
#[derive(Debug)]
pub(super) struct Draws {
    state: AtomicU64,
    given: Mutex<VecDeque<Vec<usize>>>,
}

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed), given: Mutex::default() }
    }

    /// Starts again, as if made with this seed.
    pub(super) fn restart(&self, seed: u64) {
        self.state.store(seed, Ordering::Relaxed);
    }

    /// Makes `places` a choice that comes before any that is drawn, after those given before.
    pub(super) fn give(&self, places: Vec<usize>) {
        self.given().push_back(places);
    }

    /// Some places of `0..count`, different each time: `limit` of them in ascending order, or all without a
    /// limit.
    pub(super) fn places(&self, count: usize, limit: Option<usize>) -> Vec<usize> {
        if let Some(given) = self.given().pop_front() {
            return given;
        }
        let Some(limit) = limit.filter(|&limit| limit < count) else {
            return (0..count).collect();
        };
        // Odd, so that all numbers come before one is repeated.
        let seed = self.state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mut places = sample(&mut StdRng::seed_from_u64(seed), count, limit).into_vec();
        places.sort_unstable();
        places
    }

    fn given(&self) -> std::sync::MutexGuard<'_, VecDeque<Vec<usize>>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for Draws {
    fn clone(&self) -> Self {
        let state = AtomicU64::new(self.state.load(Ordering::Relaxed));
        Self { state, given: Mutex::new(self.given().clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_from_the_seed() {
        let draw =
            |draws: &Draws| -> Vec<_> { (0..20).map(|_| draws.places(5, Some(2))).collect() };
        let draws = Draws::new(7);
        let first = draw(&draws);
        assert!(first.iter().any(|places| *places != first[0]), "{first:?}");
        assert!(first.iter().all(|places| places.len() == 2 && places[0] < places[1]));
        assert_ne!(draw(&draws), first);
        draws.restart(7);
        assert_eq!(draw(&draws.clone()), first);
        assert_ne!(draw(&Draws::new(8)), first);
    }

    #[test]
    fn given_choices_come_first_and_in_order() {
        let draws = Draws::new(0);
        draws.give(vec![2, 0]);
        draws.give(vec![1]);
        let copy = draws.clone();
        assert_eq!([draws.places(3, Some(2)), draws.places(3, None)], [vec![2, 0], vec![1]]);
        assert_eq!(draws.places(3, None), [0, 1, 2]);
        assert_eq!(copy.places(3, None), [2, 0]);
    }

    #[test]
    fn without_a_limit_all_places_are_taken() {
        let draws = Draws::new(0);
        assert_eq!(draws.places(3, None), [0, 1, 2]);
        assert_eq!(draws.places(3, Some(3)), [0, 1, 2]);
    }
}
