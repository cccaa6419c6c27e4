//! Measures of a ranked list in which each document is relevant or not.

/// A ranked list, best first, as long as it was searched.
pub(super) struct Ranking<'a> {
    /// Whether each place holds a relevant document.
    pub places: &'a [bool],
    /// Relevant documents, found or not; at least one.
    pub relevant: usize,
}

impl Ranking<'_> {
    /// Relevant places among the first `k`, from zero.
    fn hits(&self, k: usize) -> impl Iterator<Item = usize> {
        self.places.iter().take(k).enumerate().filter(|(_, hit)| **hit).map(|(place, _)| place)
    }

    /// 1 if one of the first `k` is relevant.
    pub fn accuracy(&self, k: usize) -> f64 {
        if self.hits(k).next().is_some() { 1.0 } else { 0.0 }
    }

    /// The share of relevant documents in `k` places, filled or not.
    pub fn precision(&self, k: usize) -> f64 {
        self.hits(k).count() as f64 / k as f64
    }

    /// The share of relevant documents that are among the first `k`.
    pub fn recall(&self, k: usize) -> f64 {
        self.hits(k).count() as f64 / self.relevant as f64
    }

    /// One over the first relevant place among the first `k`, counted from one; 0 without one.
    pub fn reciprocal_rank(&self, k: usize) -> f64 {
        self.hits(k).next().map_or(0.0, |place| 1.0 / (place + 1) as f64)
    }

    /// The discounted gain of the first `k` over that of the best order.
    pub fn ndcg(&self, k: usize) -> f64 {
        let best = (0..self.relevant.min(k)).map(discount).sum::<f64>();
        self.hits(k).map(discount).sum::<f64>() / best
    }

    /// The sum of the precisions at the relevant places among the first `k`, over as many as there
    /// could be.
    pub fn average_precision(&self, k: usize) -> f64 {
        let precisions = self.hits(k).zip(1..).map(|(place, found)| {
            let found: u32 = found;
            f64::from(found) / (place + 1) as f64
        });
        precisions.sum::<f64>() / self.relevant.min(k) as f64
    }
}

/// The weight of a place, counted from zero.
pub(super) fn discount(place: usize) -> f64 {
    ((place + 2) as f64).log2().recip()
}
