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
    pub const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// Whether a score lies in the range, but for what rounding in `f32` adds to a cosine.
    pub fn contains(self, score: f64) -> bool {
        let rounding = (self.high - self.low) * f64::from(f32::EPSILON) * 16.0;
        (self.low - rounding..=self.high + rounding).contains(&score)
    }

    /// A score moved to `0..=1`, or to `-1..=1` if the range has scores below 0; or why it cannot be.
    pub fn scale(self, score: f64) -> Result<f32, String> {
        if self.contains(score) {
            let score = score.clamp(self.low, self.high);
            let scaled = match self.low < 0.0 {
                true => score / self.high.max(-self.low),
                false => (score - self.low) / (self.high - self.low),
            };
            Ok(scaled as f32)
        } else {
            Err(format!(
                "score {score} is outside {self}; if the file has another scale, say --score-range"
            ))
        }
    }
}

impl ScoreRange {
    /// The score that was moved, as the file has it.
    pub fn given(self, scaled: f32) -> f32 {
        let scaled = f64::from(scaled);
        let given = match self.low < 0.0 {
            true => scaled * self.high.max(-self.low),
            false => scaled * (self.high - self.low) + self.low,
        };
        given as f32
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
            // A third point is a slip, not the beginning of `.5`.
            let high = (!high.starts_with('.')).then_some(high)?;
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
        assert_eq!(range.scale(5.0), Ok(1.0));
    }

    #[test]
    fn scores_below_zero_stay_below_zero() {
        let range: ScoreRange = "-1..1".parse().unwrap();
        assert_eq!(
            [-1.0, -0.5, 0.0, 1.0].map(|score| range.scale(score)),
            [-1.0, -0.5, 0.0, 1.0].map(Ok)
        );
        assert_eq!(ScoreRange::new(-2.0, 4.0).scale(-2.0), Ok(-0.5));
        for range in [range, ScoreRange::new(-2.0, 4.0), ScoreRange::new(0.5, 5.0)] {
            assert_eq!(range.given(range.scale(0.75).unwrap()), 0.75);
        }
    }

    #[test]
    fn scores_outside_the_range_name_the_range() {
        let range = ScoreRange::new(0.0, 5.0);
        for score in [-0.1, 5.01, f64::NAN, f64::INFINITY] {
            assert!(range.scale(score).unwrap_err().contains("outside 0..5"));
        }
        // A cosine in `f32`.
        assert_eq!(ScoreRange::new(-1.0, 1.0).scale(f64::from(1.0000001f32)), Ok(1.0));
    }

    #[test]
    fn ranges_that_are_none_are_refused() {
        for text in ["5", "5..0", "1..1", "a..b", "0..inf", "0...5"] {
            assert!(text.parse::<ScoreRange>().is_err(), "{text}");
        }
    }
}
