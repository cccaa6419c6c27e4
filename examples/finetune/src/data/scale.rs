//! The scale on which a file gives its similarity scores.

use std::fmt;
use std::str::FromStr;

/// The lowest and the highest score that a file may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRange {
    low: f64,
    high: f64,
}

impl ScoreRange {
    /// Scores from `low` to `high`, both included.
    pub fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// A score moved to `0..=1`, or why it cannot be.
    pub fn scale(self, score: f64) -> Result<f32, String> {
        if (self.low..=self.high).contains(&score) {
            Ok(((score - self.low) / (self.high - self.low)) as f32)
        } else {
            Err(format!(
                "score {score} is outside {self}; if the file has another scale, say --score-range"
            ))
        }
    }

    /// A score written in a text column, moved to `0..=1`.
    pub fn parse(self, column: &str) -> Result<f32, String> {
        let score = column.trim().parse().map_err(|_| {
            format!("`{}` is not a score: expected a number in {self}", column.trim())
        })?;
        self.scale(score)
    }
}

impl fmt::Display for ScoreRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.low, self.high)
    }
}

impl FromStr for ScoreRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bounds = text.split_once("..").and_then(|(low, high)| {
            let low: f64 = low.trim().parse().ok()?;
            let high: f64 = high.trim().parse().ok()?;
            (low.is_finite() && high.is_finite() && low < high).then_some(Self { low, high })
        });
        bounds.ok_or_else(|| "expected LOW..HIGH with LOW below HIGH, such as 0..5".to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_move_to_the_unit_interval() {
        let range: ScoreRange = "1..5".parse().unwrap();
        assert_eq!(range.scale(1.0), Ok(0.0));
        assert_eq!(range.scale(4.0), Ok(0.75));
        assert_eq!(range.parse(" 5.0 "), Ok(1.0));
    }

    #[test]
    fn scores_outside_the_range_name_the_range() {
        let range = ScoreRange::new(0.0, 5.0);
        for score in [-0.1, 5.01, f64::NAN, f64::INFINITY] {
            assert!(range.scale(score).unwrap_err().contains("outside 0..5"));
        }
        assert!(range.parse("four").unwrap_err().contains("not a score"));
    }

    #[test]
    fn ranges_that_are_none_are_refused() {
        for text in ["5", "5..0", "1..1", "a..b", "0..inf"] {
            assert!(text.parse::<ScoreRange>().is_err(), "{text}");
        }
    }
}
