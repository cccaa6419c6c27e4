//! One chosen row for every anchor.

use std::sync::Arc;

use burn::prelude::*;

/// One chosen row for every anchor. It carries no gradient.
///
/// A choice stays where it was made: on the device, or on the host if a kernel of the CPU made it. It is
/// only moved when the other form is asked for.
#[derive(Debug, Clone)]
pub struct Chosen(Place);

#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "one or two at a time; a tensor is large by some features"
)]
enum Place {
    Device { index: Tensor<1, Int>, exists: Tensor<1, Bool> },
    Host { rows: Arc<[u32]>, device: Device },
}

impl Chosen {
    /// Stands for the index of a row where none was chosen.
    pub const NOBODY: u32 = u32::MAX;

    /// The index of the chosen row, `[n]`, and whether there was one to choose, `[n]`. The index may be
    /// anything within range where there was none.
    pub fn new(index: Tensor<1, Int>, exists: Tensor<1, Bool>) -> Self {
        Self(Place::Device { index, exists })
    }

    /// Indices that were chosen on the host, [`NOBODY`](Self::NOBODY) where nothing was chosen.
    pub fn on_host(rows: Vec<u32>, device: Device) -> Self {
        Self(Place::Host { rows: rows.into(), device })
    }

    /// Index of the chosen row, `[n]`; meaningless where none [`exists`](Self::exists).
    pub fn index(&self) -> Tensor<1, Int> {
        match &self.0 {
            Place::Device { index, .. } => index.clone(),
            Place::Host { rows, device } => {
                let index =
                    rows.iter().map(|&row| if row == Self::NOBODY { 0 } else { i64::from(row) });
                Tensor::from_data(index.collect::<Vec<_>>().as_slice(), device)
            }
        }
    }

    /// Whether there was anything to choose from, `[n]`.
    pub fn exists(&self) -> Tensor<1, Bool> {
        match &self.0 {
            Place::Device { exists, .. } => exists.clone(),
            Place::Host { rows, device } => {
                let exists: Vec<_> = rows.iter().map(|&row| row != Self::NOBODY).collect();
                Tensor::from_data(exists.as_slice(), device)
            }
        }
    }

    /// The chosen indices on the host, [`NOBODY`](Self::NOBODY) where there is none; reads from the device
    /// if the choice was made there.
    pub fn to_host(&self) -> Arc<[u32]> {
        match &self.0 {
            Place::Host { rows, .. } => rows.clone(),
            Place::Device { index, exists } => {
                let (index, exists) = (index.clone().into_data(), exists.clone().into_data());
                let known = index.iter::<i64>().zip(exists.iter::<bool>());
                known.map(|(row, exists)| if exists { row as u32 } else { Self::NOBODY }).collect()
            }
        }
    }

    /// Choices of consecutive anchors as one.
    ///
    /// # Panics
    ///
    /// If `choices` is empty.
    pub fn cat(choices: Vec<Self>) -> Self {
        let (index, exists) = choices.iter().map(|c| (c.index(), c.exists())).unzip();
        Self::new(Tensor::cat(index, 0), Tensor::cat(exists, 0))
    }

    /// The chosen rows of `x`, with its gradient: `[m, dim] → [n, dim]`.
    pub fn rows(&self, x: Tensor<2>) -> Tensor<2> {
        x.select(0, self.index())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_the_same_on_the_host_and_on_the_device() {
        let device = Device::flex();
        let host = Chosen::on_host(vec![2, Chosen::NOBODY, 0], device);
        let moved = Chosen::new(host.index(), host.exists());
        assert_eq!(*moved.to_host(), [2, Chosen::NOBODY, 0]);
        assert_eq!(
            host.exists().into_data().iter::<bool>().collect::<Vec<_>>(),
            [true, false, true]
        );
        let x = Tensor::<2>::from_floats([[1.0], [2.0], [3.0]], &Device::flex());
        let rows: Vec<f32> = host.rows(x).try_into_vec_as().unwrap();
        assert_eq!((rows[0], rows[2]), (3.0, 1.0));
    }
}
