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
