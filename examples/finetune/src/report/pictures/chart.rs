//! Drawings, as SVG without a font or a colour of their own.
//!
//! `plotters` writes colours into attributes. Those used here stand for a role, and the page gives
//! each role a colour, a lighter or a darker one (`page.css`).

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

/// Lines and words.
pub const INK: RGBColor = RGBColor(1, 1, 1);
/// Lines to measure by.
pub const GRID: RGBColor = RGBColor(2, 2, 2);
/// Kinds of data.
pub const KINDS: usize = 8;

/// The colour that stands for a kind of data.
pub const fn kind(number: usize) -> RGBColor {
    RGBColor(3, 3, (number % KINDS) as u8)
}

/// A line through points.
pub struct Line {
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// The kind of data.
    pub kind: usize,
    /// In pixels.
    pub width: u32,
    /// From 0 to 1.
    pub opacity: f64,
    /// Whether each point is marked.
    pub marks: bool,
}

/// The ranges and the names of the axes.
pub struct Frame<'a> {
    /// In pixels.
    pub size: (u32, u32),
    /// From left to right.
    pub x: Range<f64>,
    /// From bottom to top.
    pub y: Range<f64>,
    /// The labels of the axes.
    pub names: [&'a str; 2],
    /// Whether there are numbers at the axes.
    pub numbers: bool,
}

type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;
type Plane<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Curves.
pub fn lines(frame: &Frame, lines: &[Line]) -> String {
    drawn(frame, |plane| {
        for line in lines {
            let style = kind(line.kind).mix(line.opacity).stroke_width(line.width);
            plane.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
            if line.marks {
                let mark = |&point| Circle::new(point, 3, kind(line.kind).filled());
                plane.draw_series(line.points.iter().map(mark))?;
            }
        }
        Ok(())
    })
}

/// Histograms that lie on each other, each with the same number of bars over the range of x.
pub fn bars(frame: &Frame, series: &[(usize, Vec<f64>)]) -> String {
    drawn(frame, |plane| {
        for (number, heights) in series {
            let width = (frame.x.end - frame.x.start) / heights.len() as f64;
            let left = |bar: usize| frame.x.start + bar as f64 * width;
            let filled = heights.iter().enumerate().map(|(bar, &height)| {
                let corners = [(left(bar), 0.0), (left(bar + 1), height)];
                Rectangle::new(corners, kind(*number).mix(0.35).filled())
            });
            plane.draw_series(filled)?;
            let outline = heights
                .iter()
                .enumerate()
                .flat_map(|(bar, &height)| [(left(bar), height), (left(bar + 1), height)]);
            plane.draw_series(LineSeries::new(outline, kind(*number).stroke_width(2)))?;
        }
        Ok(())
    })
}

/// Points, each of a kind.
pub fn points(frame: &Frame, points: &[([f64; 2], usize)]) -> String {
    drawn(frame, |plane| {
        let dot = |&([x, y], number): &([f64; 2], usize)| {
            Circle::new((x, y), 3, kind(number).mix(0.65).filled())
        };
        plane.draw_series(points.iter().map(dot)).map(|_| ())
    })
}

fn drawn(
    frame: &Frame,
    fill: impl for<'b> FnOnce(&mut Plane<'_, 'b>) -> Result<(), Failure<'b>>,
) -> String {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, frame.size).into_drawing_area();
    let outcome = draw(&area, frame, fill);
    drop(area);
    // An SVG that is a string cannot fail to be written.
    outcome.expect("a drawing into memory");
    svg
}

fn draw<'b>(
    area: &DrawingArea<SVGBackend<'b>, Shift>,
    frame: &Frame,
    fill: impl FnOnce(&mut Plane<'_, 'b>) -> Result<(), Failure<'b>>,
) -> Result<(), Failure<'b>> {
    let words = ("sans-serif", 18).into_font().color(&INK);
    let mut plane = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(if frame.numbers { 48 } else { 28 })
        .y_label_area_size(if frame.numbers { 72 } else { 28 })
        .build_cartesian_2d(frame.x.clone(), frame.y.clone())?;
    let mut mesh = plane.configure_mesh();
    mesh.axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(words.clone())
        .axis_desc_style(words)
        .x_desc(frame.names[0])
        .y_desc(frame.names[1])
        .x_labels(if frame.numbers { 8 } else { 0 })
        .y_labels(if frame.numbers { 6 } else { 0 })
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value));
    mesh.draw()?;
    fill(&mut plane)?;
    area.present()
}

/// A number in as few digits as possible.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        size if (1e-3..1e6).contains(&size) => {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
        // A step of the mesh that was added up to nearly nothing.
        size if size < 1e-12 => "0".to_string(),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let numbers = [0.0, 0.25, 1200.0, -3.0, 2e7, 1e-5, 1e-17];
        assert_eq!(numbers.map(number), ["0", "0.25", "1200", "-3", "2e7", "1e-5", "0"]);
    }

    #[test]
    fn names_of_axes_are_escaped() {
        let names = ["a < b", "c & d"];
        let frame = Frame { size: (300, 200), x: 0.0..1.0, y: 0.0..1.0, names, numbers: true };
        let svg = lines(&frame, &[]);
        assert!(svg.contains("a &lt; b") && svg.contains("c &amp; d"), "{svg}");
    }
}
