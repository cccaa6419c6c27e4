//! The route of each column of texts through a model that has several.

use std::str::FromStr;

use burn_embedding_models::Tokenizer;
use burn_embedding_models::cross_encoder::ScoreActivation;
use burn_embedding_models::sentence_transformer::RoutedPackage;

use crate::cli::above_zero;
use crate::data::Classes;
use crate::error::Error;

/// The routes of the first column and of all others, unless the user names some.
const USUAL: [&str; 2] = ["query", "document"];

/// The tokenizers of an encoder, one for each route, and the routes that the columns of a batch take.
#[derive(Debug, Clone)]
pub struct Routes {
    tokenizers: Vec<Tokenizer>,
    /// The route of each column; the last is also that of all further columns.
    columns: Vec<usize>,
    /// The learning rates of routes that have their own.
    rates: Vec<(usize, f64)>,
    pairs: Option<Pairs>,
}

/// How an encoder reads two texts together, and what it makes of them.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// The number of types that tokens may be of.
    pub token_types: usize,
    /// The classes that its logits stand for, or a single one.
    pub classes: Classes,
    /// From logits to scores.
    pub activation: ScoreActivation,
}

/// The learning rate of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteRate {
    route: String,
    rate: f64,
}

impl FromStr for RouteRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (route, rate) = text.split_once('=').ok_or("expected ROUTE=RATE, such as query=0.2")?;
        Ok(Self { route: route.to_string(), rate: above_zero(rate)? })
    }
}

impl RouteRate {
    /// The name of the route, and its rate.
    pub fn pair(&self) -> (String, f64) {
        (self.route.clone(), self.rate)
    }
}

impl From<Tokenizer> for Routes {
    /// One route for all columns.
    fn from(tokenizer: Tokenizer) -> Self {
        Self { tokenizers: vec![tokenizer], columns: vec![0], rates: Vec::new(), pairs: None }
    }
}

impl Routes {
    /// One way for all, of pairs of texts.
    pub fn of_pairs(tokenizer: Tokenizer, pairs: Pairs) -> Self {
        Self { pairs: Some(pairs), ..tokenizer.into() }
    }

    /// How pairs of texts are read, if the encoder reads two texts together.
    pub fn pairs(&self) -> Option<&Pairs> {
        self.pairs.as_ref()
    }

    /// The token ids of pairs of texts.
    ///
    /// # Errors
    ///
    /// If the tokenizer fails.
    pub fn encode_pairs(
        &self,
        pairs: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<Vec<Vec<u32>>, Error> {
        let types = self.pairs.as_ref().map_or(0, |pairs| pairs.token_types);
        let pairs = pairs.iter().map(|(one, other)| (one.as_ref(), other.as_ref())).collect();
        Ok(self.tokenizer().encode_pairs(pairs, types)?.rows)
    }

    /// The routes of a model, by the tasks of the columns in their order, such as `query` and `document`;
    /// of no tasks, these two.
    ///
    /// # Errors
    ///
    /// If the model has no route for one of them.
    pub fn named(
        tasks: &[String],
        package: &RoutedPackage,
        tokenizers: Vec<Tokenizer>,
    ) -> Result<Self, Error> {
        let column = |task: &str| package.route_of(task);
        let columns: Result<Vec<_>, _> = match tasks {
            [] => USUAL.into_iter().map(column).collect(),
            tasks => tasks.iter().map(|task| column(task)).collect(),
        };
        let columns = columns.map_err(|error| {
            let names = package.names().collect::<Vec<_>>().join(",");
            let reason = format!(
                "{error}; name those of the columns in their order, as in --routes {names}, or with \
                 --route a single one to be trained alone"
            );
            Error::option("--routes", reason)
        })?;
        Ok(Self { tokenizers, columns, rates: Vec::new(), pairs: None })
    }

    /// The same, with learning rates of their own for some routes.
    ///
    /// # Errors
    ///
    /// If the model has no such route, or no column takes it.
    pub fn with_rates(
        mut self,
        rates: &[RouteRate],
        package: &RoutedPackage,
    ) -> Result<Self, Error> {
        let failed = |reason: String| Error::option("--learning-rates", reason);
        for RouteRate { route: name, rate } in rates {
            let route = package.route_of(name).map_err(|error| failed(error.to_string()))?;
            if !self.columns.contains(&route) {
                return Err(failed(format!("no column takes the route {name:?}")));
            }
            self.rates.push((route, *rate));
        }
        Ok(self)
    }

    /// The number of routes through the model.
    pub fn count(&self) -> usize {
        self.tokenizers.len()
    }

    /// The learning rates of routes that have their own.
    pub fn rates(&self) -> &[(usize, f64)] {
        &self.rates
    }

    /// The number of the route of a column, counted from zero.
    pub fn of_column(&self, column: usize) -> usize {
        self.columns[column.min(self.columns.len() - 1)]
    }

    /// The tokenizer of the first column.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizers[self.of_column(0)]
    }

    /// The token ids of texts, each with the number of its route.
    ///
    /// # Errors
    ///
    /// If a tokenizer fails.
    pub fn encode(&self, texts: &[(usize, impl AsRef<str>)]) -> Result<Vec<Vec<u32>>, Error> {
        let mut ids = vec![Vec::new(); texts.len()];
        for (route, tokenizer) in self.tokenizers.iter().enumerate() {
            let places: Vec<_> = (0..texts.len()).filter(|&text| texts[text].0 == route).collect();
            if places.is_empty() {
                continue;
            }
            let of_route = places.iter().map(|&text| texts[text].1.as_ref()).collect();
            for (place, row) in places.into_iter().zip(tokenizer.encode(of_route)?.rows) {
                ids[place] = row;
            }
        }
        Ok(ids)
    }
}
