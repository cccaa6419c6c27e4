//! The page itself.

use std::collections::HashMap;

use super::chart::KINDS;
use super::curves;
use super::history::History;
use super::html::{escaped, figure, legend};
use super::view::View;
use crate::run::evaluation::{Evaluation, Measure};

const STYLE: &str = include_str!("page.css");

/// Everything that a page shows.
#[derive(Debug)]
pub struct Page<'a> {
    /// The Python name of the loss.
    pub loss: &'a str,
    /// The settings of the run: names and values.
    pub settings: Vec<(String, String)>,
    /// The data that was trained on, and that which was evaluated on.
    pub data: [String; 2],
    /// The number of steps.
    pub steps: usize,
    /// The step that was kept.
    pub kept: usize,
    /// The losses and evaluations.
    pub history: &'a History,
    /// The evaluation before training.
    pub before: &'a Evaluation,
    /// The evaluation of the step that was kept.
    pub after: &'a Evaluation,
}

impl Page<'_> {
    /// One file that needs no other, in XML's way of writing HTML.
    pub fn html(&self) -> String {
        let title = format!("{} on {}", self.loss, self.data[0]);
        let title = escaped(&title);
        let body = [
            self.summary(),
            self.table(),
            self.loss_curve(),
            self.evaluation_curves(),
            self.similarities(),
            self.map(),
            self.options(),
        ]
        .concat();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n\
             <meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
        )
    }

    fn summary(&self) -> String {
        let Self { steps, kept, .. } = self;
        let kept = match kept == steps {
            true => String::new(),
            false => format!("; step {kept} was kept, the best by the first measure"),
        };
        let on = escaped(&self.data[1]);
        format!("<p>{steps} steps, evaluated on {on}{kept}.</p>\n")
    }

    fn table(&self) -> String {
        let rows = self.before.beside(self.after).map(|(title, before, after)| {
            format!(
                "<tr><th scope=\"row\">{}</th><td>{:.4}</td><td>{:.4}</td><td>{:+.4}</td>\
                 <td>{}</td></tr>\n",
                escaped(&title),
                before.value,
                after.value,
                after.value - before.value,
                after.rows
            )
        });
        format!(
            "<h2>Evaluation</h2>\n<table>\n<thead><tr><th scope=\"col\">measure</th>\
             <th scope=\"col\">before</th><th scope=\"col\">after</th><th scope=\"col\">change</th>\
             <th scope=\"col\">rows</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
            rows.collect::<String>()
        )
    }

    fn loss_curve(&self) -> String {
        let losses = &self.history.losses;
        if losses.is_empty() {
            return String::new();
        }
        let key = [(0, "each step".to_string()), (1, "running mean".to_string())];
        let figure = figure(&curves::loss(losses), "Loss of the training batches over the steps");
        format!("<h2>Loss</h2>\n{}{figure}", legend(&key))
    }

    fn evaluation_curves(&self) -> String {
        if self.history.evaluations.len() < 2 {
            return String::new();
        }
        // One for each colour; the table lists all.
        let measures: Vec<Measure> =
            self.before.iter().map(|(measure, _)| measure).take(KINDS).collect();
        let key: Vec<_> =
            measures.iter().map(|measure| measure.title().to_string()).enumerate().collect();
        let svg = curves::evaluations(self.history, &measures);
        let caption = match self.history.evaluations.len() {
            2 => "Evaluation before and after; --eval-steps evaluates in between",
            _ => "Evaluation over the steps",
        };
        format!("<h2>Evaluation over the steps</h2>\n{}{}", legend(&key), figure(&svg, caption))
    }

    fn views(&self) -> [(&View, &str); 2] {
        [(self.before.view(), "before"), (self.after.view(), "after")]
    }

    fn similarities(&self) -> String {
        let [(before, _), (after, _)] = self.views();
        let [positives, negatives] = [before.positives.len(), before.negatives.len()];
        if positives + negatives == 0 {
            return String::new();
        }
        let key = [
            (0, format!("belong together ({})", shown(positives, before.of[0]))),
            (1, format!("do not ({})", shown(negatives, before.of[1]))),
        ];
        let half = |view: &View, other: &View, when: &str| {
            let caption = format!("Cosine of pairs {when} training");
            figure(&curves::similarities(view, other), &caption)
        };
        format!(
            "<h2>Similarities of pairs</h2>\n{}<div class=\"halves\">{}{}</div>\n",
            legend(&key),
            half(before, after, "before"),
            half(after, before, "after")
        )
    }

    fn map(&self) -> String {
        let [(before, _), _] = self.views();
        if before.map.is_empty() {
            return String::new();
        }
        let names = most_frequent(before);
        let number = |class: Option<&str>| {
            let found = class.and_then(|class| names.iter().position(|name| name == class));
            found.unwrap_or(names.len().min(KINDS - 1))
        };
        let mut key: Vec<_> = names.iter().cloned().enumerate().collect();
        if before.map.iter().any(|point| point.class.as_ref().is_some_and(|it| !names.contains(it)))
        {
            key.push((names.len(), "other classes".to_string()));
        }
        let halves = self.views().map(|(view, when)| {
            let caption = format!("Texts by the two principal components {when} training");
            figure(&curves::map(view, number), &caption)
        });
        format!(
            "<h2>Map of the embeddings</h2>\n<p>Texts of the evaluation data: {}. Close points are \
             similar as far as a plane can show it.</p>\n{}<div class=\"halves\">{}</div>\n",
            shown(before.map.len(), before.of[2]),
            if key.is_empty() { String::new() } else { legend(&key) },
            halves.concat()
        )
    }

    fn options(&self) -> String {
        let row = |(name, value): &(String, String)| {
            let (name, value) = (escaped(name), escaped(value));
            format!("<tr><th scope=\"row\">{name}</th><td class=\"text\">{value}</td></tr>\n")
        };
        let rows: String = self.settings.iter().map(row).collect();
        format!("<h2>Settings</h2>\n<table>\n<tbody>\n{rows}</tbody>\n</table>\n")
    }
}

/// `count`, and `of` if some are left out.
fn shown(count: usize, of: usize) -> String {
    if count == of { count.to_string() } else { format!("{count} of {of}") }
}

/// The classes with most texts, as many as have a colour while one is left for others.
fn most_frequent(view: &View) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for class in view.map.iter().filter_map(|point| point.class.as_deref()) {
        *counts.entry(class).or_default() += 1;
    }
    let mut classes: Vec<_> = counts.into_iter().collect();
    classes.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
    let room = if classes.len() > KINDS { KINDS - 1 } else { KINDS };
    let mut names: Vec<_> =
        classes.into_iter().take(room).map(|(class, _)| class.to_string()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
