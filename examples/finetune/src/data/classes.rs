//! The classes of pairs, in the order of a model's scores.

use std::collections::BTreeSet;

use super::derive::MOST_CLASSES;
use super::{Dataset, Pair};
use crate::error::Error;

/// The classes of pairs, in the order of a model's scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    names: Vec<String>,
    /// Whether the names are those that a model has which was given none.
    unnamed: bool,
}

impl Classes {
    /// The classes of a model, by the names that it has for its scores.
    pub fn of_model(names: &[String]) -> Self {
        let mut usual = names.iter().enumerate();
        let unnamed = usual.all(|(index, name)| *name == format!("LABEL_{index}"));
        Self { names: names.to_vec(), unnamed }
    }

    /// The classes of the pairs in `data`, for a new model: whole numbers are places in the order, others are
    /// sorted by their names.
    ///
    /// # Errors
    ///
    /// Names a row whose class is a number where others are names, or a number that is too high.
    pub fn of_data(data: [&Dataset; 2]) -> Result<Self, Error> {
        let rows = || data.into_iter().flat_map(classified);
        let names: BTreeSet<&str> = rows().map(|(_, class)| class).collect();
        let Some(name) = names.iter().find(|name| number(name).is_none()) else {
            return Self::numbered(rows());
        };
        match rows().find(|(_, class)| number(class).is_some()) {
            None => {
                Ok(Self { names: names.into_iter().map(String::from).collect(), unnamed: false })
            }
            Some((pair, class)) => {
                let reason = format!(
                    "label {class} is a number, while others are names, such as {name:?}: give all classes \
                     by their names, or all by their numbers"
                );
                Err(pair.place.error(reason))
            }
        }
    }

    fn numbered<'a>(rows: impl Iterator<Item = (&'a Pair, &'a str)>) -> Result<Self, Error> {
        let mut count = 0;
        for (pair, class) in rows {
            let place = number(class).filter(|place| *place < MOST_CLASSES).ok_or_else(|| {
                let reason = format!(
                    "label {class} is too high: classes that are numbers count from 0 to at most {}",
                    MOST_CLASSES - 1
                );
                pair.place.error(reason)
            })?;
            count = count.max(place + 1);
        }
        Ok(Self::of_model(&(0..count).map(|index| format!("LABEL_{index}")).collect::<Vec<_>>()))
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a class: its number, or that of its name, in upper or lower case.
    pub fn place(&self, class: &str) -> Option<usize> {
        let names = || self.names.iter();
        match number(class) {
            Some(place) => Some(place).filter(|place| *place < self.names.len()),
            None => names()
                .position(|name| name == class)
                .or_else(|| names().position(|name| name.eq_ignore_ascii_case(class))),
        }
    }

    /// Each classified pair of `data` with the place of its class.
    ///
    /// # Errors
    ///
    /// Names the first row whose class is not among them.
    pub fn places<'a>(&self, data: &'a Dataset) -> Result<Vec<(&'a Pair, usize)>, Error> {
        let place = |(pair, class): (&'a Pair, &str)| match self.place(class) {
            Some(place) => Ok((pair, place)),
            None => Err(pair.place.error(self.unknown(class))),
        };
        classified(data).map(place).collect()
    }

    fn unknown(&self, class: &str) -> String {
        let (count, last) = (self.names.len(), self.names.len().saturating_sub(1));
        match self.unnamed {
            true => format!(
                "label {class:?} is none of the model's {count} classes, which have no names: give the \
                 numbers 0 to {last}, or name the classes in `id2label` of the model's config.json"
            ),
            false => format!(
                "label {class:?} is none of the model's classes, {}: give one of these, or the numbers 0 \
                 to {last}",
                self.names.join(", ")
            ),
        }
    }
}

fn classified(data: &Dataset) -> impl Iterator<Item = (&Pair, &str)> {
    data.pairs.iter().filter_map(|pair| Some((pair, pair.class.as_deref()?)))
}

fn number(class: &str) -> Option<usize> {
    class.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read_bytes;

    fn data(classes: &[&str]) -> Dataset {
        let rows: String = classes.iter().map(|class| format!("a,b,{class}\n")).collect();
        read_bytes("a.csv", format!("sentence1,sentence2,label\n{rows}").as_bytes()).unwrap()
    }

    fn new(training: &[&str], evaluation: &[&str]) -> Result<Vec<String>, String> {
        let classes = Classes::of_data([&data(training), &data(evaluation)]);
        classes.map(|classes| classes.names).map_err(|error| error.to_string())
    }

    #[test]
    fn a_new_model_has_the_classes_of_training_and_evaluation() {
        assert_eq!(new(&["no", "yes"], &["maybe"]).unwrap(), ["maybe", "no", "yes"]);
        // Not their ranks: 3 is the fourth.
        assert_eq!(new(&["0", "2"], &["3"]).unwrap().len(), 4);
        let mixed = new(&["no", "2"], &["no"]).unwrap_err();
        assert!(mixed.contains("a.csv:3") && mixed.contains("label 2 is a number"), "{mixed}");
        assert!(new(&["1000", "2"], &["2"]).unwrap_err().contains("label 1000 is too high"));
    }

    #[test]
    fn a_model_gives_its_classes_their_places() {
        let model = ["entailment", "neutral", "contradiction"].map(String::from);
        let classes = Classes::of_model(&model);
        let places = |names: &[&str]| {
            let data = data(names);
            let found = classes.places(&data).map_err(|error| error.to_string())?;
            Ok::<Vec<usize>, String>(found.into_iter().map(|(_, place)| place).collect())
        };
        assert_eq!(places(&["CONTRADICTION", "entailment", "1"]).unwrap(), [2, 0, 1]);
        let unknown = places(&["neutral", "maybe"]).unwrap_err();
        assert!(
            unknown.contains("a.csv:3") && unknown.contains("entailment, neutral"),
            "{unknown}"
        );
        let unnamed = Classes::of_model(&["LABEL_0", "LABEL_1"].map(String::from));
        let unknown = unnamed.places(&data(&["2"])).unwrap_err().to_string();
        assert!(unknown.contains("the numbers 0 to 1"), "{unknown}");
    }
}
