//! Which tokens of a text see each other.

use burn::tensor::{Bool, Device, Int, Tensor};

use super::frequencies::Rope;

/// What layers share: how far their tokens see, and how their positions turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    pub reach: Reach,
    pub rope: Rope,
}

/// The tokens that a token sees: so many before it, and so many after it; all if `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub before: Option<usize>,
    pub after: Option<usize>,
}

impl Reach {
    /// All tokens.
    pub const ALL: Self = Self { before: None, after: None };

    /// The token itself and those before it, `window` of them in all if there is one.
    pub fn causal(window: Option<usize>) -> Self {
        Self { before: window.map(|window| window.saturating_sub(1)), after: Some(0) }
    }

    /// The tokens at most `distance` away.
    pub fn around(distance: usize) -> Self {
        Self { before: Some(distance), after: Some(distance) }
    }

    /// True where the token of the row must not look at the token of the column, for texts with
    /// `padding`: `[texts, 1, tokens or 1, tokens]`.
    pub fn hidden_from(self, padding: &Tensor<2, Bool>) -> Tensor<4, Bool> {
        let [texts, tokens] = padding.dims();
        let padding = padding.clone().reshape([texts, 1, 1, tokens]);
        let limit = |limit: Option<usize>| limit.filter(|&limit| limit + 1 < tokens);
        let Self { before, after } = Self { before: limit(self.before), after: limit(self.after) };
        if before.is_none() && after.is_none() {
            return padding;
        }
        let ahead = distances(tokens, &padding.device());
        let mut outside = ahead.clone().greater_elem(after.unwrap_or(tokens) as i64);
        if let Some(before) = before {
            outside = outside.bool_or(ahead.lower_elem(-(before as i64)));
        }
        let shape = [texts, 1, tokens, tokens];
        let outside = outside.reshape([1, 1, tokens, tokens]).expand(shape);
        padding.expand(shape).bool_or(outside)
    }
}

/// How far the column is ahead of the row, `[tokens, tokens]`.
fn distances(tokens: usize, device: &Device) -> Tensor<2, Int> {
    let places = || Tensor::<1, Int>::arange(0..tokens as i64, device);
    places().reshape([1, tokens]) - places().reshape([tokens, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each token of one text, the tokens that it sees; the last one is padding.
    fn seen(reach: Reach) -> [String; 5] {
        let padding = [[false, false, false, false, true]];
        let hidden = reach.hidden_from(&Tensor::from_data(padding, &Device::flex()));
        let hidden: &Vec<bool> = &hidden.expand([1, 1, 5, 5]).into_data().iter().collect();
        let row = |row: usize| (0..5).filter(move |column| !hidden[row * 5 + column]);
        [0, 1, 2, 3, 4].map(|index| row(index).map(|it| it.to_string()).collect())
    }

    #[test]
    fn tokens_see_those_within_reach_and_no_padding() {
        assert_eq!(seen(Reach::ALL), ["0123"; 5]);
        assert_eq!(seen(Reach::causal(None)), ["0", "01", "012", "0123", "0123"]);
        assert_eq!(seen(Reach::causal(Some(2))), ["0", "01", "12", "23", "3"]);
        assert_eq!(seen(Reach::causal(Some(1))), ["0", "1", "2", "3", ""]);
        assert_eq!(seen(Reach::around(1)), ["01", "012", "123", "23", "3"]);
        assert_eq!(seen(Reach::around(9)), ["0123"; 5]);
    }
}
