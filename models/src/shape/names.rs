//! The names of parameters in a file of `transformers`, and in this crate.

use burn_store::KeyRemapper;

/// Where a list of layers stands and what a layer's parts are called: here, there.
#[derive(Debug, Clone, Copy)]
pub struct Layers {
    /// The list's name: here, there. In a list of lists, `#` stands for the outer index.
    pub list: (&'static str, &'static str),
    /// The parts of each layer: here, there.
    pub parts: &'static [(&'static str, &'static str)],
}

/// The names of a network's parameters: here, there. A name is that of a module, without the
/// `weight` or `bias` at its end.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// What a file that was saved with a head for another task has before each name.
    pub prefix: &'static str,
    /// Modules outside the layers.
    pub outside: &'static [(&'static str, &'static str)],
    /// The layers.
    pub layers: Layers,
}

impl Names {
    /// From the names in a file to those of this crate.
    pub fn reading(self) -> KeyRemapper {
        let start = (format!(r"^{}\.", self.prefix), String::new());
        let outside = self.outside.iter().map(|(here, there)| rule(there, here));
        let Layers { list: (list, file_list), parts } = self.layers;
        let parts = parts.iter().map(|(here, there)| part_rule(file_list, there, list, here));
        remapper(std::iter::once(start).chain(outside).chain(parts))
    }

    /// From the names of this crate to those of a file.
    pub fn writing(self) -> KeyRemapper {
        let outside = self.outside.iter().map(|(here, there)| rule(here, there));
        let Layers { list: (list, file_list), parts } = self.layers;
        let parts = parts.iter().map(|(here, there)| part_rule(list, here, file_list, there));
        remapper(outside.chain(parts))
    }
}

fn rule(from: &str, to: &str) -> (String, String) {
    (format!(r"^{}\.([a-z]+)$", from.replace('.', r"\.")), format!("{to}.$1"))
}

fn part_rule(list: &str, from: &str, to_list: &str, to: &str) -> (String, String) {
    let (list, from) = (format!("{list}.#").replace('.', r"\."), from.replace('.', r"\."));
    let list = list.replace('#', "([0-9]+)");
    let to_list = format!("{to_list}.#");
    let indices = to_list.matches('#').count();
    let to_list =
        (1..=indices).fold(to_list, |name, index| name.replacen('#', &format!("${index}"), 1));
    let kind = indices + 1;
    (format!(r"^{list}\.{from}\.([a-z]+)$"), format!("{to_list}.{to}.${kind}"))
}

fn remapper(rules: impl Iterator<Item = (String, String)>) -> KeyRemapper {
    rules.fold(KeyRemapper::new(), |remapper, (from, to)| {
        remapper.add_pattern(from, to).expect("the names of modules are valid patterns")
    })
}
