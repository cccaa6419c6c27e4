//! `--lora`: adapters that are trained instead of the model's own parameters.

use std::str::FromStr;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn_embedding_models::LoraConfig;

use crate::cli::Args;
use crate::error::Error;

/// An example of the option's value.
const EXAMPLE: &str = "r=16,alpha=32,dropout=0.05,targets=query+value";

/// Reads `r=16,alpha=32[,dropout=0.05][,targets=query+value]`.
pub fn parse(text: &str) -> Result<LoraConfig, String> {
    let (mut r, mut alpha, mut dropout, mut targets) = (None, None, None, None);
    for part in text.split(',') {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!("`{part}` is no key with a value, as in {EXAMPLE}"));
        };
        let place = match key.trim() {
            "r" => &mut r,
            "alpha" => &mut alpha,
            "dropout" => &mut dropout,
            "targets" => &mut targets,
            _ => {
                return Err(format!("`{key}` is unknown; known are r, alpha, dropout and targets"));
            }
        };
        if place.replace(value.trim()).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    let missing = |key: &str| format!("`{key}` is missing, as in {EXAMPLE}");
    let r = number("r", r.ok_or_else(|| missing("r"))?, "a whole number above 0")?;
    let alpha = number("alpha", alpha.ok_or_else(|| missing("alpha"))?, "a number above 0")?;
    let dropout = dropout.map_or(Ok(0.0), |it| number("dropout", it, "a number from 0 to below 1"));
    let mut config = LoraConfig::new(r, alpha).with_dropout(dropout?);
    if let Some(targets) = targets {
        if targets.split('+').any(str::is_empty) {
            let expected = "names of layers with + between them, such as query+value";
            return Err(format!("`targets` is {targets:?}, expected {expected}"));
        }
        config = config.with_targets(targets.split('+'));
    }
    config.check()?;
    Ok(config)
}

fn number<T: FromStr>(key: &str, value: &str, expected: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{key}` is {value:?}, expected {expected}"))
}

/// The configuration as the option has it.
pub fn shown(config: &LoraConfig) -> String {
    let LoraConfig { r, alpha, dropout, targets } = config;
    let dropout = if *dropout > 0.0 { format!(",dropout={dropout}") } else { String::new() };
    let targets = match targets.is_empty() {
        true => String::new(),
        false => format!(",targets={}", targets.join("+")),
    };
    format!("r={r},alpha={alpha}{dropout}{targets}")
}

/// Refuses adapters of what has no layers to adapt, before any data is read.
pub fn check(args: &Args) -> Result<(), Error> {
    let failed = |reason: &str| Err(Error::option("--lora", reason));
    match (&args.lora, &args.model) {
        (None, _) => Ok(()),
        (Some(_), _) if args.static_dim.is_some() => failed(
            "a StaticEmbedding is a table without linear layers: leave --lora or --static out",
        ),
        (Some(_), None) => failed(
            "adapters are for a model that is trained already: name one with --model, or leave --lora \
             out",
        ),
        (Some(_), Some(_)) => Ok(()),
    }
}

/// The number of parameters that have a gradient.
pub fn trained_parameters<M: Module>(model: &M) -> usize {
    struct Trained(usize);
    impl ModuleVisitor for Trained {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0 += param.lazy_shape().num_elements();
            }
        }
    }
    let mut trained = Trained(0);
    model.visit(&mut trained);
    trained.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_read_and_shown_again() {
        for text in [
            "r=16,alpha=32",
            "r=8,alpha=0.5,dropout=0.05",
            "r=8,alpha=16,targets=query+value",
            "r=1,alpha=1,dropout=0.5,targets=all-linear",
        ] {
            assert_eq!(shown(&parse(text).unwrap()), text);
        }
        let config = parse("targets=q, alpha = 2, r=4").unwrap();
        assert_eq!(config, LoraConfig::new(4, 2.0).with_targets(["q"]));
    }

    #[test]
    fn a_fault_is_named_with_key_value_and_rule() {
        for (text, message) in [
            ("r=0,alpha=1", "`r` is 0, expected 1 to 4096"),
            ("r=1e9,alpha=1", "`r` is \"1e9\", expected a whole number above 0"),
            ("r=99999,alpha=1", "`r` is 99999, expected 1 to 4096"),
            ("r=16,alpha=-1", "`alpha` is -1, expected a number above 0"),
            ("r=16,alpha=NaN", "`alpha` is NaN, expected a number above 0"),
            ("r=16,alpha=1,dropout=1", "`dropout` is 1, expected 0 to below 1"),
            ("r=16", "`alpha` is missing, as in "),
            ("alpha=16", "`r` is missing, as in "),
            ("", "`` is no key with a value"),
            ("16", "`16` is no key with a value"),
            ("rank=16,alpha=1", "`rank` is unknown; known are r, alpha, dropout and targets"),
            ("r=1,r=2,alpha=1", "`r` is given twice"),
            ("r=1,alpha=1,targets=query+", "`targets` is \"query+\", expected names of layers"),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.starts_with(message), "{text}: {found}");
        }
    }
}
