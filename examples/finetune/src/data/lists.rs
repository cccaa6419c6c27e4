//! Queries with documents and how relevant each is: as files have them, and as rankings imply them.

use std::borrow::Cow;

use super::texts::Text;
use super::{Dataset, Place, Ranking};

/// A query with documents, and how relevant each is to it.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Where the row comes from.
    pub place: Place,
    /// The query.
    pub query: Text,
    /// The documents.
    pub documents: Vec<Text>,
    /// A label for each: the higher, the more relevant.
    pub labels: Vec<f32>,
}

impl List {
    /// The labels of a ranking: a teacher's scores, or 1 for the positive and 0 for the negatives.
    fn of(ranking: &Ranking) -> Self {
        let negatives = ranking.negatives.iter();
        let labels = match ranking.scores.is_empty() {
            false => ranking.scores.clone(),
            true => std::iter::once(1.0).chain(negatives.clone().map(|_| 0.0)).collect(),
        };
        Self {
            place: ranking.place.clone(),
            query: ranking.anchor,
            documents: std::iter::once(ranking.positive).chain(negatives.copied()).collect(),
            labels,
        }
    }

    /// Each document with its label.
    pub fn rows(&self) -> impl Iterator<Item = (Text, f32)> {
        self.documents.iter().copied().zip(self.labels.iter().copied())
    }

    /// Whether each document is relevant: has a label above 0, if the labels are whole numbers such as 0 and 1;
    /// of other labels, such as a teacher's scores, the highest one.
    pub fn relevant(&self) -> Vec<bool> {
        let grades = self.labels.iter().all(|label| *label >= 0.0 && label.fract() == 0.0);
        let highest = self.labels.iter().copied().fold(f32::MIN, f32::max);
        let relevant = |label: &f32| if grades { *label > 0.0 } else { *label == highest };
        self.labels.iter().map(relevant).collect()
    }

    /// A ranking for each relevant document, with all others as its negatives.
    fn rankings(&self) -> Vec<Ranking> {
        let rows = || self.documents.iter().copied().zip(self.relevant());
        let chosen = |wanted: bool| {
            rows().filter(move |(_, relevant)| *relevant == wanted).map(|(text, _)| text)
        };
        let negatives: Vec<_> = chosen(false).collect();
        let ranking = |positive| Ranking {
            negatives: negatives.clone(),
            ..Ranking::of(self.place.clone(), self.query, positive)
        };
        chosen(true).map(ranking).collect()
    }
}

impl Dataset {
    /// The lists of the data, and those of rankings with negatives; positives in one row are of one list.
    pub fn all_lists(&self) -> Vec<List> {
        let mut lists: Vec<List> = Vec::new();
        for ranking in self.rankings.iter().filter(|ranking| !ranking.negatives.is_empty()) {
            let list = List::of(ranking);
            match lists.last_mut() {
                Some(last) if last.place == list.place && last.query == list.query => {
                    // The negatives are those of the first, and come after all positives.
                    let place = last.documents.len() - ranking.negatives.len();
                    last.documents.insert(place, list.documents[0]);
                    last.labels.insert(place, list.labels[0]);
                }
                _ => lists.push(list),
            }
        }
        lists.extend(self.lists.iter().cloned());
        lists
    }

    /// The rankings of the data, and those that lists imply.
    pub fn all_rankings(&self) -> impl Iterator<Item = Cow<'_, Ranking>> {
        let implied = self.lists.iter().flat_map(List::rankings).map(Cow::Owned);
        self.rankings.iter().map(Cow::Borrowed).chain(implied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read_bytes;

    fn read(text: &str) -> Dataset {
        read_bytes("a.jsonl", text.as_bytes()).unwrap()
    }

    fn labels(data: &Dataset) -> Vec<Vec<f32>> {
        data.all_lists().into_iter().map(|list| list.labels).collect()
    }

    #[test]
    fn lists_are_given_or_implied_by_rankings() {
        let given = read(
            "{\"query\":\"q\",\"docs\":[\"a\",\"b\",\"c\"],\"labels\":[0,2,1]}\n\
             {\"query\":\"r\",\"docs\":[\"d\"],\"labels\":[1]}\n",
        );
        assert_eq!(labels(&given), [vec![0.0, 2.0, 1.0], vec![1.0]]);
        let rankings: Vec<_> = given.all_rankings().map(Cow::into_owned).collect();
        let sizes: Vec<_> = rankings.iter().map(|ranking| ranking.negatives.len()).collect();
        assert_eq!(sizes, [1, 1, 0]);
        // Two positives of a row are of one list.
        let implied = read("{\"query\":\"q\",\"pos\":[\"a\",\"b\"],\"neg\":[\"c\"]}\n");
        assert_eq!(labels(&implied), [[1.0, 1.0, 0.0]]);
        let documents = implied.all_lists().remove(0).documents;
        let texts: Vec<_> = documents.iter().map(|text| implied.text(*text).unwrap()).collect();
        assert_eq!(texts, ["a", "b", "c"]);
        let scored = read(
            "{\"query\":\"q\",\"pos\":[\"a\"],\"neg\":[\"b\",\"c\"],\"pos_scores\":[2.5],\"neg_scores\":[0.5,-1]}\n",
        );
        assert_eq!(labels(&scored), [[2.5, 0.5, -1.0]]);
        assert_eq!(scored.all_lists()[0].relevant(), [true, false, false]);
    }
}
