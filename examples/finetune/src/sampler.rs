//! Which examples share a training step.

use std::collections::{BTreeMap, HashSet, VecDeque};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::repeats::Repeats;
use crate::task::{Example, Need, Target};

/// Texts of one class that come into a batch together.
const ROWS_OF_A_CLASS: usize = 4;

/// The batches of one epoch, as indices into `examples`, in a new random order each time.
///
/// Every example comes at most once. A batch of labelled texts holds several texts of each of
/// several classes. Where the other rows of a batch serve as negatives, no text comes twice in
/// it, unless `repeats` allows that. All rows of a batch have the same number of columns.
pub fn epoch(
    need: Need,
    repeats: Repeats,
    examples: &[Example],
    batch_size: usize,
    rng: &mut StdRng,
) -> Vec<Vec<usize>> {
    let mut batches = Vec::new();
    for mut group in by_columns(examples) {
        group.shuffle(rng);
        batches.extend(match need {
            Need::LabelledTexts => several_of_each_class(examples, group, batch_size, rng),
            Need::PositivePairs | Need::Rankings if repeats == Repeats::Separate => {
                without_repeats(examples, group, batch_size)
            }
            _ => group.chunks(batch_size).map(<[usize]>::to_vec).collect(),
        });
    }
    batches.shuffle(rng);
    batches
}

/// The examples in their order, batch after batch. All rows of a batch have the same number of
/// columns.
pub fn in_order(examples: &[Example], batch_size: usize) -> Vec<Vec<usize>> {
    let groups = by_columns(examples).into_iter();
    groups
        .flat_map(|group| group.chunks(batch_size).map(<[usize]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn by_columns(examples: &[Example]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, example) in examples.iter().enumerate() {
        groups.entry(example.texts.len()).or_default().push(index);
    }
    groups.into_values().collect()
}

/// Fills one batch after the other, setting aside the examples that would repeat a text. A batch
/// of one has no negatives and is dropped.
fn without_repeats(examples: &[Example], group: Vec<usize>, batch_size: usize) -> Vec<Vec<usize>> {
    let mut waiting: VecDeque<usize> = group.into();
    let mut batches = Vec::new();
    while !waiting.is_empty() {
        let mut batch = Vec::new();
        let mut texts: HashSet<&str> = HashSet::new();
        let mut set_aside = VecDeque::new();
        while batch.len() < batch_size
            && let Some(index) = waiting.pop_front()
        {
            let row = &examples[index].texts;
            if row.iter().any(|text| texts.contains(text)) {
                set_aside.push_back(index);
            } else {
                texts.extend(row);
                batch.push(index);
            }
        }
        set_aside.append(&mut waiting);
        waiting = set_aside;
        batches.push(batch);
    }
    batches.retain(|batch| batch.len() >= 2);
    batches
}

/// Deals a few texts of one class after the other, so that neighbours differ in class. What would
/// leave a class alone in a batch, or a text alone in its class, is dropped.
fn several_of_each_class(
    examples: &[Example],
    group: Vec<usize>,
    batch_size: usize,
    rng: &mut StdRng,
) -> Vec<Vec<usize>> {
    let rows = ROWS_OF_A_CLASS.min(batch_size / 2).max(2);
    let mut classes: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in group {
        if let Target::Class(class) = examples[index].target {
            members.entry(class).or_default().push(index);
        }
    }
    for (class, members) in members {
        let hands = members.chunks(rows).filter(|hand| hand.len() >= 2);
        classes.insert(class, hands.map(<[usize]>::to_vec).collect());
    }
    let mut hands = Vec::new();
    while classes.values().filter(|hands| !hands.is_empty()).count() >= 2 {
        let mut round: Vec<_> = classes.values_mut().filter_map(Vec::pop).collect();
        round.shuffle(rng);
        hands.extend(round);
    }
    let hands_in_a_batch = (batch_size / rows).max(2);
    let batches = hands.chunks(hands_in_a_batch).filter(|hands| hands.len() >= 2);
    batches.map(<[Vec<usize>]>::concat).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn labelled(sizes: &[usize]) -> Vec<Example<'static>> {
        let classes = sizes.iter().enumerate();
        let rows = classes.flat_map(|(class, &size)| std::iter::repeat_n(class, size));
        let example = |class| Example { texts: vec!["text"], target: Target::Class(class) };
        rows.map(example).collect()
    }

    fn ranked(texts: Vec<Vec<&'static str>>) -> Vec<Example<'static>> {
        let example = |texts| Example { texts, target: Target::None };
        texts.into_iter().map(example).collect()
    }

    fn sorted(batches: &[Vec<usize>]) -> Vec<usize> {
        let mut indices = batches.concat();
        indices.sort_unstable();
        indices
    }

    #[test]
    fn labelled_batches_hold_several_rows_of_several_classes() {
        let examples = labelled(&[13, 9, 20]);
        let mut rng = StdRng::seed_from_u64(1);
        let batches = epoch(Need::LabelledTexts, Repeats::Separate, &examples, 12, &mut rng);
        assert!(batches.len() >= 2);
        for batch in &batches {
            let mut sizes = BTreeMap::new();
            for &index in batch {
                *sizes.entry(format!("{:?}", examples[index].target)).or_insert(0) += 1;
            }
            assert!(sizes.len() >= 2 && sizes.values().all(|&size| size >= 2), "{sizes:?}");
        }
    }

    #[test]
    fn no_text_comes_twice_in_a_batch_of_rankings() {
        let rows = vec![vec!["a", "b"], vec!["c", "a"], vec!["d", "e"], vec!["e", "f"]];
        let examples = ranked(rows);
        let mut rng = StdRng::seed_from_u64(1);
        let batches = epoch(Need::Rankings, Repeats::Separate, &examples, 4, &mut rng);
        assert_eq!(sorted(&batches), [0, 1, 2, 3]);
        for batch in &batches {
            let texts: Vec<_> = batch.iter().flat_map(|&index| &examples[index].texts).collect();
            assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
        }
    }

    #[test]
    fn rows_with_and_without_negatives_do_not_mix() {
        let rows = vec![vec!["a", "b"], vec!["c", "d", "e"], vec!["f", "g"], vec!["h", "i", "j"]];
        let examples = ranked(rows);
        let batches =
            epoch(Need::Rankings, Repeats::Separate, &examples, 8, &mut StdRng::seed_from_u64(1));
        assert_eq!(batches.len(), 2);
        assert_eq!(sorted(&batches), [0, 1, 2, 3]);
    }

    #[test]
    fn the_seed_decides_the_order() {
        let examples = labelled(&[40, 40]);
        let batches = |seed| {
            epoch(
                Need::ScoredPairs,
                Repeats::Separate,
                &examples,
                8,
                &mut StdRng::seed_from_u64(seed),
            )
        };
        assert_eq!(batches(1), batches(1));
        assert_ne!(batches(1), batches(2));
        assert_eq!(sorted(&batches(1)), (0..80).collect::<Vec<_>>());
    }
}
