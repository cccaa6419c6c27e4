//! Dropout whose masks may depend on the text instead of on the order of computation.
//!
//! Burn draws masks from one sequence of random numbers for each device. That is the same in every run
//! only if one thread computes, in the same order, with the same padding. [`by_text`] ties the masks of a
//! thread to a seed and the numbers of the texts, so that texts can be embedded by any number of threads, in
//! groups of any size: each text gets the mask that it would get alone.

use std::cell::RefCell;

use burn::module::Module;
use burn::nn;
use burn::tensor::Tensor;
use burn_embedding_losses::fused::{DropoutMask, attention_weights};

/// The texts that a thread embeds at the moment.
struct Texts {
    seed: u64,
    /// The number of each text.
    numbers: Vec<u64>,
    /// The dropouts passed so far.
    passed: u64,
}

thread_local! {
    static TEXTS: RefCell<Option<Texts>> = const { RefCell::new(None) };
}

/// Sets what the thread embeds, and puts back what was there at the end.
struct Scope(Option<Texts>);

impl Scope {
    fn enter(texts: Option<Texts>) -> Self {
        Self(TEXTS.replace(texts))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        TEXTS.set(self.0.take());
    }
}

/// Does `work` with masks that depend on `seed` and the text only; the texts that [`TextEncoder::embed`]
/// is given there have the `numbers`, each its own.
///
/// Masks are made on the CPU, so it is meant for backends that compute there.
///
/// [`TextEncoder::embed`]: crate::TextEncoder::embed
pub fn by_text<R>(seed: u64, numbers: Vec<u64>, work: impl FnOnce() -> R) -> R {
    let _scope = Scope::enter(Some(Texts { seed, numbers, passed: 0 }));
    work()
}

/// Does `work` on some of the texts, by their places among those that the thread embeds; `stage` tells
/// apart the steps that texts go through one after another.
pub(crate) fn for_texts<R>(places: &[usize], stage: u64, work: impl FnOnce() -> R) -> R {
    let some = TEXTS.with_borrow(|texts| {
        let texts = texts.as_ref()?;
        let number = |&place: &usize| texts.numbers.get(place).copied();
        let numbers = places.iter().map(number).collect::<Option<_>>()?;
        Some(Texts { seed: texts.seed, numbers, passed: stage << 32 })
    });
    let _scope = some.map(|some| Scope::enter(Some(some)));
    work()
}

/// As Burn's dropout, whose masks [`by_text`] can tie to the texts.
#[derive(Module, Debug)]
pub struct Dropout {
    layer: nn::Dropout,
}

impl Dropout {
    /// Leaves out each number with the probability `share` while training, and scales the others up.
    ///
    /// # Panics
    ///
    /// Unless `share` is from 0 to below 1.
    pub fn new(share: f64) -> Self {
        Self { layer: nn::DropoutConfig::new(share).init() }
    }

    /// The share of the numbers that is left out.
    pub fn share(&self) -> f64 {
        self.layer.prob
    }

    /// `x` with some numbers left out; its first dimension is that of the texts, or of the tokens of all
    /// texts.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.of(x, 0, Texts::of_texts)
    }

    /// `x`, rows of a table that all texts share from row `first`, with some numbers left out.
    pub(crate) fn forward_shared(&self, x: Tensor<2>, first: usize) -> Tensor<2> {
        self.of(x, first, |_, _| Some(vec![0]))
    }

    /// The softmax of `scores + bias`, `[texts, heads, tokens, tokens]`, with some weights left out; see
    /// [`attention_weights`].
    pub(crate) fn of_attention(&self, scores: Tensor<4>, bias: Tensor<4>) -> Tensor<4> {
        let mask = self.mask(&scores, 0, Texts::of_texts);
        let weights = |dropout| attention_weights(scores, bias, dropout);
        match mask {
            Mask::Nothing => weights(None),
            Mask::ByText(mask) => weights(Some(&mask)),
            Mask::ByBurn => self.layer.forward(weights(None)),
        }
    }

    fn of<const D: usize>(
        &self,
        x: Tensor<D>,
        first: usize,
        numbers: impl Fn(&Texts, usize) -> Option<Vec<u64>>,
    ) -> Tensor<D> {
        match self.mask(&x, first, numbers) {
            Mask::Nothing => x,
            Mask::ByText(mask) => mask.apply(x),
            Mask::ByBurn => self.layer.forward(x),
        }
    }

    /// What is left out of `x`; `numbers` says which texts it belongs to, `first` where its rows begin.
    fn mask<const D: usize>(
        &self,
        x: &Tensor<D>,
        first: usize,
        numbers: impl Fn(&Texts, usize) -> Option<Vec<u64>>,
    ) -> Mask {
        let nn::Dropout { prob, training } = &self.layer;
        if !training.is_enabled() || !x.device().is_autodiff() || *prob == 0.0 {
            return Mask::Nothing;
        }
        let keys = TEXTS.with_borrow_mut(|texts| {
            let texts = texts.as_mut()?;
            Some(texts.keys(&numbers(texts, x.dims()[0])?, first, x.dims()))
        });
        keys.map_or(Mask::ByBurn, |keys| Mask::ByText(DropoutMask::new(keys, *prob)))
    }
}

/// The way dropout chooses the numbers that it leaves out.
enum Mask {
    Nothing,
    ByText(DropoutMask),
    /// What Burn draws.
    ByBurn,
}

impl Texts {
    /// The numbers of the texts, if they have as many rows each.
    fn of_texts(&self, rows: usize) -> Option<Vec<u64>> {
        let texts = self.numbers.len();
        (texts > 0 && rows.is_multiple_of(texts)).then(|| self.numbers.clone())
    }

    /// A key for each vector in the last dimension.
    fn keys<const D: usize>(&mut self, texts: &[u64], first: usize, shape: [usize; D]) -> Vec<u64> {
        let dropout = mixed(self.seed, self.passed);
        self.passed += 1;
        // The rows of a text, and the dimensions between them and its vectors.
        let mut dimensions = shape[..D - 1].to_vec();
        dimensions[0] /= texts.len();
        let vectors: usize = dimensions.iter().product();
        let in_a_row: usize = dimensions[1..].iter().product();
        // Padding makes a dimension longer, so each vector counts by its place in every dimension.
        let key = |index: usize| {
            let text = mixed(dropout, texts[index / vectors]);
            mixed(text, place(first * in_a_row + index % vectors, &dimensions[1..]))
        };
        (0..texts.len() * vectors).map(key).collect()
    }
}

/// A number for the place of a vector that does not change when dimensions grow; the outermost may be of
/// any size.
fn place(mut index: usize, dimensions: &[usize]) -> u64 {
    let mut place = 0;
    for &dimension in dimensions.iter().rev() {
        place = mixed(place, (index % dimension) as u64);
        index /= dimension;
    }
    mixed(place, index as u64)
}

/// Two numbers as one that looks random (the finaliser of SplitMix64).
fn mixed(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn ones<const D: usize>(shape: [usize; D]) -> Tensor<D> {
        Tensor::ones(shape, &Device::flex().autodiff())
    }

    fn masks<const D: usize>(numbers: &[u64], shape: [usize; D]) -> Vec<f32> {
        let dropout = Dropout::new(0.25);
        let work = || dropout.forward(ones(shape)).into_data().iter().collect();
        by_text(7, numbers.to_vec(), work)
    }

    #[test]
    fn the_share_is_left_out_and_the_mean_stays() {
        let mask = masks(&[0, 1, 2, 3], [4, 50, 200]);
        let left_out = mask.iter().filter(|&&x| x == 0.0).count() as f64 / mask.len() as f64;
        assert!((left_out - 0.25).abs() < 0.01, "{left_out}");
        let mean = mask.iter().sum::<f32>() / mask.len() as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        // No vector is like its neighbour.
        assert!(mask.chunks(200).zip(mask.chunks(200).skip(1)).all(|(a, b)| a != b));
    }

    #[test]
    fn a_text_has_its_mask_wherever_it_stands() {
        let together = masks(&[5, 9], [2, 3, 8]);
        assert_eq!(masks(&[9], [1, 3, 8]), together[24..]);
        assert_ne!(masks(&[5], [1, 3, 8]), together[24..]);
    }

    #[test]
    fn tokens_of_all_texts_count_by_text() {
        let together = masks(&[5, 9], [6, 8]);
        assert_eq!(masks(&[9], [3, 8]), together[24..]);
        assert_eq!(masks(&[9], [4, 8])[..24], together[24..]);
    }

    #[test]
    fn padding_changes_no_mask() {
        let (short, long) = (masks(&[5], [1, 2, 3, 3]), masks(&[5], [1, 2, 4, 5]));
        for (vector, head, query) in [(0, 0, 0), (2, 0, 2), (3, 1, 0), (5, 1, 2)] {
            let other = head * 4 + query;
            assert_eq!(short[vector * 3..][..3], long[other * 5..][..3]);
        }
    }

    #[test]
    fn rows_of_a_shared_table_have_masks_of_their_own() {
        let dropout = Dropout::new(0.5);
        let shared = |first, rows| {
            let mask = || dropout.forward_shared(ones([rows, 8]), first).into_data();
            by_text(7, vec![4, 5], mask).iter::<f32>().collect::<Vec<_>>()
        };
        assert_eq!(shared(3, 6)[16..32], shared(5, 2));
    }

    #[test]
    fn two_dropouts_leave_out_different_numbers() {
        let dropout = Dropout::new(0.5);
        by_text(7, vec![3], || {
            let [a, b] = [0, 1].map(|_| dropout.forward(ones([1, 4, 8])).into_data());
            assert_ne!(a, b);
        });
    }

    #[test]
    fn without_texts_it_is_burns() {
        let device = Device::flex().autodiff();
        let draw = |forward: &dyn Fn(Tensor<2>) -> Tensor<2>| {
            device.seed(5);
            forward(ones([3, 9])).into_data()
        };
        let (ours, burns) = (Dropout::new(0.5), nn::DropoutConfig::new(0.5).init());
        assert_eq!(draw(&|x| ours.forward(x)), draw(&|x| burns.forward(x)));
        assert_eq!(
            ours.forward(Tensor::<2>::ones([2, 2], &Device::flex()))
                .into_data()
                .iter::<f32>()
                .sum::<f32>(),
            4.0
        );
    }
}
