//! Turns numbers into curves, bars and points.

use std::ops::Range;

use super::chart::{Frame, Line, bars, lines, points};
use super::history::History;
use super::view::View;
use crate::run::evaluation::Measure;

/// Most points of the curve of the loss.
const POINTS: usize = 600;
/// Bars of a histogram.
const BARS: usize = 40;
const WIDE: (u32, u32) = (960, 340);
const HALF: (u32, u32) = (480, 320);
const SQUARE: (u32, u32) = (480, 440);

/// The loss over the steps, and its running mean.
pub fn loss(losses: &[f64]) -> String {
    let mean = running_mean(losses);
    let top = losses.iter().copied().fold(0.0, f64::max);
    let bottom = losses.iter().copied().fold(top, f64::min).min(0.0);
    let frame = Frame {
        size: WIDE,
        x: 0.0..(losses.len().max(1) as f64),
        y: padded(bottom..top),
        names: ["step", "loss"],
        numbers: true,
    };
    let line = |values: &[f64], width, opacity, kind| Line {
        points: thinned(values),
        kind,
        width,
        opacity,
        marks: false,
    };
    lines(&frame, &[line(losses, 1, 0.45, 0), line(&mean, 3, 1.0, 1)])
}

/// Each measure over the steps.
pub fn evaluations(history: &History, measures: &[Measure]) -> String {
    let curves: Vec<_> = measures.iter().map(|&measure| history.curve(measure)).collect();
    let values = || curves.iter().flatten().map(|point| point.1);
    let bottom = values().fold(f64::INFINITY, f64::min);
    let top = values().fold(f64::NEG_INFINITY, f64::max);
    let last = history.evaluations.last().map_or(1, |(step, _)| (*step).max(1));
    let frame = Frame {
        size: WIDE,
        x: 0.0..last as f64,
        y: padded(bottom..top),
        names: ["step", "value"],
        numbers: true,
    };
    let line = |(kind, points)| Line { points, kind, width: 2, opacity: 1.0, marks: true };
    let curves: Vec<_> = curves.into_iter().enumerate().map(line).collect();
    lines(&frame, &curves)
}

/// The shares of positive and of negative pairs by their cosine, on the axes of both views.
pub fn similarities(view: &View, other: &View) -> String {
    let all = || [view, other].into_iter().flat_map(|view| [&view.positives, &view.negatives]);
    let lowest = all().flatten().copied().fold(0.0, f64::min);
    let range = (lowest * 10.0).floor() / 10.0..1.0;
    let highest = all().flat_map(|cosines| shares(cosines, &range)).fold(0.0, f64::max);
    let series = [(0, shares(&view.positives, &range)), (1, shares(&view.negatives, &range))];
    let y = 0.0..(highest * 1.05).max(0.01);
    let names = ["cosine", "share of pairs"];
    bars(&Frame { size: HALF, x: range, y, names, numbers: true }, &series)
}

/// The texts on the map, by the number of their class.
pub fn map(view: &View, class: impl Fn(Option<&str>) -> usize) -> String {
    let dots: Vec<_> =
        view.map.iter().map(|point| (point.at, class(point.class.as_deref()))).collect();
    let reach = |axis: usize| {
        let values = || view.map.iter().map(|point| point.at[axis]);
        padded(values().fold(f64::INFINITY, f64::min)..values().fold(f64::NEG_INFINITY, f64::max))
    };
    let name = |number: usize| {
        let share = 100.0 * view.shares[number - 1];
        format!("component {number}: {share:.0} % of the variance")
    };
    let names = [name(1), name(2)];
    let names = names.each_ref().map(String::as_str);
    points(&Frame { size: SQUARE, x: reach(0), y: reach(1), names, numbers: false }, &dots)
}

/// Wider by a twentieth at either end, and never empty.
fn padded(range: Range<f64>) -> Range<f64> {
    if !range.start.is_finite() || !range.end.is_finite() {
        return 0.0..1.0;
    }
    let room = match range.end - range.start {
        width if width > 0.0 => 0.05 * width,
        _ => 0.1 * range.start.abs().max(0.1),
    };
    range.start - room..range.end + room
}

/// The mean of up to a fiftieth of the values before each.
fn running_mean(values: &[f64]) -> Vec<f64> {
    let width = (values.len() / 50).max(1);
    let mean = |end: usize| {
        let start = (end + 1).saturating_sub(width);
        values[start..=end].iter().sum::<f64>() / (end + 1 - start) as f64
    };
    (0..values.len()).map(mean).collect()
}

/// The mean of each of at most [`POINTS`] runs of values, by the last of their steps.
fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let width = values.len().div_ceil(POINTS).max(1);
    let point = |(number, run): (usize, &[f64])| {
        let step = (number * width + run.len()) as f64;
        (step, run.iter().sum::<f64>() / run.len() as f64)
    };
    values.chunks(width).enumerate().map(point).collect()
}

/// The share of the values in each of [`BARS`] equal parts of the range.
fn shares(values: &[f64], range: &Range<f64>) -> Vec<f64> {
    let mut shares = vec![0.0; BARS];
    for value in values {
        let place = (value - range.start) / (range.end - range.start) * BARS as f64;
        shares[(place as usize).min(BARS - 1)] += 1.0 / values.len() as f64;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_mean() {
        let values: Vec<f64> = (1..=2400).map(f64::from).collect();
        let thin = thinned(&values);
        assert_eq!((thin.len(), thin[0], thin[599]), (600, (4.0, 2.5), (2400.0, 2398.5)));
        assert_eq!(thinned(&[5.0]), [(1.0, 5.0)]);
    }

    #[test]
    fn each_value_is_in_one_bar() {
        let shares = shares(&[-1.0, 0.0, 0.999, 1.0, 1.0000001], &(-1.0..1.0));
        assert_eq!((shares[0], shares[BARS / 2]), (0.2, 0.2));
        assert!((shares[BARS - 1] - 0.6).abs() < 1e-12);
    }

    #[test]
    fn a_range_is_never_empty() {
        assert_eq!(padded(2.0..2.0), 1.8..2.2);
        assert_eq!(padded(f64::INFINITY..f64::NEG_INFINITY), 0.0..1.0);
    }
}
