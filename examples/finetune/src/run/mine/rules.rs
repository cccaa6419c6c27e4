//! Which of the documents that are similar to a query become its negatives: the rules of sentence-transformers'
//! `mine_hard_negatives`.

use rand::rngs::StdRng;
use rand::seq::index;

use crate::cli::{RuleArgs, Sampling};
use crate::error::Error;

/// A document with its score for a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its place in the corpus.
    pub document: usize,
    /// How similar it is to the query, or what a reranker says of the two.
    pub score: f64,
}

/// How many candidates each rule has left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// By the absolute and the relative margin.
    pub margins: usize,
    /// By the lowest and the highest score.
    pub bounds: usize,
}

/// The rules with their defaults filled in.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    args: RuleArgs,
    /// The number of candidates that count, those included that are skipped.
    pub range_max: usize,
    most_positives: usize,
}

impl Rules {
    /// For queries of which one has `most_positives` texts that belong to it; `rescored` is whether a reranker
    /// scores the candidates again.
    ///
    /// # Errors
    ///
    /// If there is no room for so many negatives.
    pub fn new(args: RuleArgs, most_positives: usize, rescored: bool) -> Result<Self, Error> {
        let RuleArgs { num_negatives, range_min, .. } = args;
        let bounded = args.absolute_margin.or(args.relative_margin).or(args.max_score).is_some();
        // Similar documents may be left out; dissimilar ones come last anyway, unless a reranker disagrees.
        let may_lose = bounded || (rescored && args.min_score.is_some());
        let wanted = if may_lose { num_negatives.saturating_mul(10) } else { num_negatives };
        let usual = range_min.saturating_add(wanted).saturating_add(most_positives);
        let range_max = args.range_max.unwrap_or(usual);
        if range_max.saturating_sub(range_min) < num_negatives {
            let reason = format!(
                "the range from --range-min {range_min} to {range_max} has no room for --num-negatives \
                 {num_negatives}"
            );
            return Err(Error::option("--range-max", reason));
        }
        Ok(Self { args, range_max, most_positives })
    }

    /// The number of documents to find for each query, in which its positives have room.
    pub fn searched(&self) -> usize {
        self.range_max.saturating_add(self.most_positives)
    }

    /// The negatives among the candidates, which are sorted by their first score, best first; `positives` belong to
    /// the query, and the least of their scores is `least`.
    pub fn negatives(
        &self,
        candidates: &[Candidate],
        (positives, least): (&[usize], f64),
        left_out: &mut LeftOut,
        rng: &mut StdRng,
    ) -> Vec<Candidate> {
        let mut kept = candidates.to_vec();
        kept.retain(|candidate| !positives.contains(&candidate.document));
        let before = kept.len();
        kept.retain(|candidate| self.is_far_enough(candidate.score, least));
        left_out.margins += before - kept.len();
        let before = kept.len();
        kept.retain(|candidate| self.is_within_bounds(candidate.score));
        left_out.bounds += before - kept.len();
        // Stable: of equal scores, the more similar document goes first.
        kept.sort_by(|one, other| other.score.total_cmp(&one.score));
        kept.truncate(self.range_max);
        kept.drain(..self.args.range_min.min(kept.len()));
        let count = self.args.num_negatives.min(kept.len());
        match self.args.sampling_strategy {
            Sampling::Top => kept.truncate(count),
            Sampling::Random => {
                let mut places = index::sample(rng, kept.len(), count).into_vec();
                places.sort_unstable();
                kept = places.into_iter().map(|place| kept[place]).collect();
            }
        }
        kept
    }

    fn is_far_enough(&self, score: f64, positive: f64) -> bool {
        let RuleArgs { absolute_margin, relative_margin, .. } = self.args;
        absolute_margin.is_none_or(|margin| score + margin <= positive)
            && relative_margin.is_none_or(|share| score <= positive - positive.abs() * share)
    }

    fn is_within_bounds(&self, score: f64) -> bool {
        self.args.max_score.is_none_or(|most| score <= most)
            && self.args.min_score.is_none_or(|least| score >= least)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rand::SeedableRng;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        rules: RuleArgs,
    }

    fn rules(args: &[&str]) -> Rules {
        let args = std::iter::once("mine").chain(args.iter().copied());
        Rules::new(Only::parse_from(args).rules, 1, false).unwrap()
    }

    /// The documents that are chosen of nine with scores 0.9, 0.8, … of which the second belongs to the query.
    fn chosen(args: &[&str]) -> Vec<usize> {
        let candidates =
            (0..9).map(|place| Candidate { document: place, score: 0.9 - 0.1 * place as f64 });
        let (mut left_out, mut rng) = (LeftOut::default(), StdRng::seed_from_u64(1));
        let positives = (&[1][..], 0.8);
        let candidates: Vec<_> = candidates.collect();
        let found = rules(args).negatives(&candidates, positives, &mut left_out, &mut rng);
        found.into_iter().map(|candidate| candidate.document).collect()
    }

    #[test]
    fn each_rule_leaves_out_what_it_says() {
        assert_eq!(chosen(&[]), [0, 2, 3]);
        assert_eq!(chosen(&["--range-min", "2", "--num-negatives", "2"]), [3, 4]);
        assert_eq!(chosen(&["--max-score", "0.65"]), [3, 4, 5]);
        assert_eq!(chosen(&["--min-score", "0.65"]), [0, 2]);
        assert_eq!(chosen(&["--absolute-margin", "0.15"]), [3, 4, 5]);
        assert_eq!(chosen(&["--relative-margin", "0.4"]), [5, 6, 7]);
        assert_eq!(chosen(&["--range-max", "4", "--range-min", "1"]), [2, 3, 4]);
        let random = ["--sampling-strategy", "random", "--range-max", "9"];
        let random = chosen(&random);
        assert!(random.len() == 3 && random.is_sorted() && !random.contains(&1), "{random:?}");
    }

    #[test]
    fn a_range_without_room_is_refused() {
        let args = Only::parse_from(["mine", "--range-min", "2", "--range-max", "4"]).rules;
        let error = Rules::new(args, 1, false).unwrap_err().to_string();
        assert!(error.contains("has no room for --num-negatives 3"), "{error}");
    }
}
