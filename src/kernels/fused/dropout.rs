//! Dropout whose mask is computed where it is needed.

use std::sync::Arc;

use burn::prelude::*;

use crate::kernels::flex;

/// Which numbers dropout leaves out, for each vector in the last dimension of a tensor by a key of its own.
///
/// The mask of a vector depends on its key and the place of a number in it only: not on the other vectors, and
/// not on numbers that follow.
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::fused::DropoutMask;
///
/// let mask = DropoutMask::new(vec![7, 8, 7], 0.5);
/// let numbers = mask.apply(Tensor::<2>::ones([3, 4], &Device::flex()));
/// // Those that are left are doubled, so that the mean stays.
/// let numbers: Vec<f32> = numbers.into_data().iter().collect();
/// assert!(numbers.iter().all(|&x| x == 0.0 || x == 2.0));
/// assert_eq!(numbers[..4], numbers[8..]);
/// ```
#[derive(Debug, Clone)]
pub struct DropoutMask {
    keys: Arc<[u64]>,
    /// Thirty-two random bits below this leave a number out.
    bound: u32,
    /// The factor of the numbers that stay.
    kept: f32,
}

impl DropoutMask {
    /// Leaves out `share` of the numbers; a key for each vector, in the order in which they lie in the tensor.
    ///
    /// # Panics
    ///
    /// Unless `share` is from 0 to below 1.
    #[track_caller]
    pub fn new(keys: Vec<u64>, share: f64) -> Self {
        assert!(
            (0.0..1.0).contains(&share),
            "DropoutMask: `share` must be from 0 to below 1, got {share}"
        );
        let bound = (share * 2f64.powi(32)) as u32;
        Self { keys: keys.into(), bound, kept: (1.0 / (1.0 - share)) as f32 }
    }

    /// `x` with some of its numbers left out and the others multiplied with `1 / (1 − share)`.
    ///
    /// # Panics
    ///
    /// Unless there is a key for each vector.
    #[track_caller]
    pub fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (vectors, keys) = (x.dims()[..D - 1].iter().product::<usize>(), self.keys.len());
        assert!(vectors == keys, "DropoutMask: `x` must have {keys} vectors, got {vectors}");
        flex::dropout(x, self).unwrap_or_else(|x| self.plain(x))
    }

    fn plain<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let width = x.dims()[D - 1];
        let of_vector =
            |index| (0..width).map(move |place| self.factor(self.key(index), place as u32));
        let factors: Vec<f32> = (0..self.keys.len()).flat_map(of_vector).collect();
        let factors = TensorData::new(factors, x.dims());
        // Numbers of 32 bits, in the type of the others.
        let factors = Tensor::<D>::from_data(factors, &x.device()).cast(x.dtype());
        x * factors
    }

    /// The key of vector `index`.
    pub(in crate::kernels) fn key(&self, index: usize) -> u64 {
        self.keys[index]
    }

    /// The factor of the number at a place of a vector.
    #[inline(always)]
    pub(in crate::kernels) fn factor(&self, key: u64, place: u32) -> f32 {
        if bits(key, place) < self.bound { 0.0 } else { self.kept }
    }
}

/// Thirty-two bits that look random, without multiplications of 64 bits, which few processors do for many
/// numbers at once.
#[inline(always)]
fn bits(key: u64, place: u32) -> u32 {
    let mut x = (key as u32) ^ place.wrapping_mul(0x9E37_79B9);
    x = (x ^ (x >> 16)).wrapping_mul(0x21F0_AAAD);
    x ^= (key >> 32) as u32;
    x = (x ^ (x >> 15)).wrapping_mul(0x735A_2D97);
    x ^ (x >> 15)
}
