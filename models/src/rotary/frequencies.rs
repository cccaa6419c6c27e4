//! How fast each pair of numbers of a head turns from one position to the next.

/// The speeds of rotary positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rope {
    /// The slowest pair takes about this many times 2π positions for a turn.
    pub theta: f64,
    pub scaling: Scaling,
}

/// How the speeds are changed for texts that are longer than those of the training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scaling {
    /// Not at all.
    None,
    /// All are divided by a factor.
    Linear { factor: f64 },
    /// Only the slow ones, with a passage between the two; Llama 3.
    Llama3 { factor: f64, low: f64, high: f64, original: f64 },
    /// The slower, the more, up to the factor; GTE's new encoder.
    Ntk { factor: f64 },
}

impl Rope {
    /// The angle of one step for each pair of a head of this size. As in Python, all is computed in
    /// `f32`: at far positions the rounding of a speed can be seen.
    pub fn frequencies(self, head_size: usize) -> Vec<f32> {
        let theta = match self.scaling {
            Scaling::Ntk { factor } => self.theta * factor,
            _ => self.theta,
        };
        let size = head_size as f32;
        let exponents = (0..head_size / 2).map(|pair| (2 * pair) as f32 / size);
        let speeds = exponents.map(|exponent| {
            // Rounded once, as PyTorch's power is.
            let power = f64::from(theta as f32).powf(f64::from(exponent)) as f32;
            1.0 / power
        });
        speeds.map(|speed| self.scaling.scaled(speed, size)).collect()
    }

    /// Cosines and sines of the first `tokens` positions, each `[tokens, head_size / 2]`.
    pub fn turns(self, head_size: usize, tokens: usize) -> [Vec<f32>; 2] {
        let frequencies = self.frequencies(head_size);
        let turn = |function: fn(f64) -> f64| {
            let places = (0..tokens).map(|position| position as f32);
            let angles =
                places.flat_map(|place| frequencies.iter().map(move |speed| place * speed));
            angles.map(|angle| function(f64::from(angle)) as f32).collect()
        };
        [turn(f64::cos), turn(f64::sin)]
    }
}

impl Scaling {
    fn scaled(self, speed: f32, head_size: f32) -> f32 {
        match self {
            Self::None => speed,
            Self::Linear { factor } => speed / factor as f32,
            Self::Llama3 { factor, low, high, original } => {
                let [factor, low, high, original] =
                    [factor, low, high, original].map(|it| it as f32);
                llama3(speed, factor, [low, high], original)
            }
            Self::Ntk { factor } => speed / (factor as f32).powf(2.0 / head_size),
        }
    }
}

fn llama3(speed: f32, factor: f32, [low, high]: [f32; 2], original: f32) -> f32 {
    let turn = std::f32::consts::TAU / speed;
    if turn > original / low {
        speed / factor
    } else if turn < original / high {
        speed
    } else {
        let share = (original / turn - low) / (high - low);
        (1.0 - share) * speed / factor + share * speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
        }
    }

    #[test]
    fn far_positions_turn_as_in_transformers() {
        let rope = Rope { theta: 10_000.0, scaling: Scaling::None };
        let [cosines, sines] = rope.turns(64, 8192).map(|all| all[8191 * 32..][..8].to_vec());
        let expected = [
            -0.6463905,
            -0.8420828,
            0.8457297,
            -0.06486611,
            0.02146155,
            0.6310968,
            0.44433168,
            0.55138916,
        ];
        assert_close(&cosines, &expected, 1e-6);
        let expected = [
            -0.7630068, -0.5393483, 0.5336115, -0.997894, 0.9997697, 0.775704, -0.8958623,
            -0.8342482,
        ];
        assert_close(&sines, &expected, 1e-6);
    }

    #[test]
    fn llama3_slows_only_slow_pairs() {
        let scaling = Scaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, original: 8192.0 };
        let rope = Rope { theta: 500_000.0, scaling };
        let speeds: Vec<f32> = rope.frequencies(128).into_iter().step_by(8).collect();
        let expected = [
            1.0,
            0.193_922_76,
            0.037_606_03,
            0.007_292_665,
            0.000_524_846,
            3.428_102_4e-5,
            6.647_869_7e-6,
            1.289_173_2e-6,
        ];
        let ratios: Vec<f32> = speeds.iter().zip(expected).map(|(a, b)| a / b).collect();
        assert_close(&ratios, &[1.0; 8], 2e-7);
    }
}
