//! Rows on all cores, with the widest instructions that the processor has.

use burn::backend::flex::FlexTensor;
use burn::tensor::{Shape, TensorData};
use pulp::Arch;
use rayon::prelude::*;

/// Fewer numbers than this are not worth a second core.
const WORTH_SHARING: usize = 1 << 17;

/// A row-major matrix of `f32`.
pub(super) struct Matrix {
    tensor: FlexTensor,
    pub rows: usize,
    pub columns: usize,
}

impl Matrix {
    /// Copies only what does not lie row by row.
    pub fn new(tensor: &FlexTensor) -> Self {
        let tensor = tensor.to_contiguous();
        let shape = tensor.layout().shape();
        let (rows, columns) = (shape[0], shape[1]);
        Self { tensor, rows, columns }
    }

    pub fn numbers(&self) -> &[f32] {
        numbers(&self.tensor)
    }

    pub fn row(&self, index: usize) -> &[f32] {
        self.view().row(index)
    }

    /// All rows, for those who need many: the tensor looks at its layout each time that it is asked for its numbers.
    pub fn view(&self) -> View<'_> {
        View { numbers: self.numbers(), rows: self.rows, columns: self.columns }
    }
}

/// The rows of a [`Matrix`].
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    numbers: &'a [f32],
    pub rows: usize,
    pub columns: usize,
}

impl<'a> View<'a> {
    #[inline(always)]
    pub fn row(self, index: usize) -> &'a [f32] {
        &self.numbers[index * self.columns..(index + 1) * self.columns]
    }
}

/// The numbers of a contiguous `f32` tensor.
pub(super) fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().expect("contiguous rows of f32")
}

/// A tensor of these numbers.
pub(super) fn tensor(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

/// `f(i, row i)` for all rows of `out`, each of `width` numbers; `work` numbers are read in all.
pub(super) fn for_rows<T: Send>(
    out: &mut [T],
    width: usize,
    work: usize,
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    let mut nothing = vec![(); out.len().div_ceil(width.max(1))];
    for_rows_with(out, width, &mut nothing, work, |i, row, _| f(i, row));
}

/// [`for_rows`] with a place for what is found in each row.
pub(super) fn for_rows_with<T: Send, U: Send>(
    out: &mut [T],
    width: usize,
    found: &mut [U],
    work: usize,
    f: impl Fn(usize, &mut [T], &mut U) + Sync,
) {
    let arch = Arch::new();
    let share = |(index, (rows, found)): (usize, (&mut [T], &mut [U]))| {
        let start = index * ROWS_AT_ONCE;
        arch.dispatch(
            #[inline(always)]
            || {
                for (offset, (row, found)) in rows.chunks_mut(width).zip(found).enumerate() {
                    f(start + offset, row, found);
                }
            },
        );
    };
    let chunks = ROWS_AT_ONCE * width;
    if work < WORTH_SHARING {
        out.chunks_mut(chunks).zip(found.chunks_mut(ROWS_AT_ONCE)).enumerate().for_each(share);
    } else {
        let found = found.par_chunks_mut(ROWS_AT_ONCE);
        out.par_chunks_mut(chunks).zip(found).enumerate().for_each(share);
    }
}

/// `f(first row, rows, what is found in them)` for so many rows at a time as one core takes.
pub(super) fn for_stripes<T: Send, U: Send>(
    out: &mut [T],
    width: usize,
    found: &mut [U],
    f: impl Fn(usize, &mut [T], &mut [U]) + Sync,
) {
    let arch = Arch::new();
    let found = found.par_chunks_mut(ROWS_AT_ONCE);
    let stripes = out.par_chunks_mut(ROWS_AT_ONCE * width).zip(found).enumerate();
    stripes.for_each(|(index, (rows, found))| {
        arch.dispatch(
            #[inline(always)]
            || f(index * ROWS_AT_ONCE, rows, found),
        );
    });
}

/// Rows that one core takes at a time.
const ROWS_AT_ONCE: usize = 16;

/// Numbers added side by side, so that the compiler may use wide registers.
pub(super) const LANES: usize = 16;

/// `Σ f(xᵢ, yᵢ)` in `f64`.
#[inline(always)]
pub(super) fn sum<T: Copy + Into<f64>>(x: &[T], y: &[T], f: impl Fn(f64, f64) -> f64) -> f64 {
    sum_with(x, y, |x, y| f(x.into(), y.into()))
}

/// [`sum`] of numbers in any types, as they are.
#[inline(always)]
pub(super) fn sum_with<T: Copy, U: Copy>(x: &[T], y: &[U], f: impl Fn(T, U) -> f64) -> f64 {
    let (x_wide, x_rest) = x.as_chunks::<LANES>();
    let (y_wide, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (x, y) in x_wide.iter().zip(y_wide) {
        for lane in 0..LANES {
            sums[lane] += f(x[lane], y[lane]);
        }
    }
    let rest = x_rest.iter().zip(y_rest).map(|(&x, &y)| f(x, y));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

/// The sum of all rows, each multiplied by its factor, in the same order on any number of cores.
pub(super) fn column_sums(matrix: &Matrix, factors: &[f64]) -> Vec<f64> {
    let rows: Vec<_> = (0..matrix.rows).collect();
    let matrix = matrix.view();
    let arch = Arch::new();
    let part = |rows: &[usize]| {
        let mut sums = vec![0.0; matrix.columns];
        arch.dispatch(
            #[inline(always)]
            || {
                for &i in rows {
                    let pairs = sums.iter_mut().zip(matrix.row(i));
                    pairs.for_each(|(sum, &x)| *sum += f64::from(x) * factors[i]);
                }
            },
        );
        sums
    };
    let parts: Vec<_> = match matrix.rows * matrix.columns < WORTH_SHARING {
        true => vec![part(&rows)],
        false => rows.par_chunks(ROWS_OF_A_SUM).map(part).collect(),
    };
    let add = |mut sums: Vec<f64>, part: Vec<f64>| {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sums
    };
    parts.into_iter().reduce(add).unwrap_or_default()
}

/// Rows that are added up on one core.
const ROWS_OF_A_SUM: usize = 128;

/// Three sums at once: `Σ x²`, `Σ y²` and `Σ x y`.
#[inline(always)]
pub(super) fn products(x: &[f32], y: &[f32]) -> [f64; 3] {
    let (x_wide, x_rest) = x.as_chunks::<LANES>();
    let (y_wide, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [[0.0f64; LANES]; 3];
    for (x, y) in x_wide.iter().zip(y_wide) {
        for lane in 0..LANES {
            let (x, y) = (f64::from(x[lane]), f64::from(y[lane]));
            sums[0][lane] += x * x;
            sums[1][lane] += y * y;
            sums[2][lane] += x * y;
        }
    }
    let mut sums = sums.map(|lanes| lanes.iter().sum::<f64>());
    for (&x, &y) in x_rest.iter().zip(y_rest) {
        let (x, y) = (f64::from(x), f64::from(y));
        sums[0] += x * x;
        sums[1] += y * y;
        sums[2] += x * y;
    }
    sums
}

/// The tensor times a number; in place where nothing else uses it.
pub(super) fn scaled(tensor: FlexTensor, factor: f32) -> FlexTensor {
    if factor == 1.0 {
        return tensor;
    }
    let mut tensor = owned(tensor);
    for_pieces(tensor.storage_mut::<f32>(), |_, piece| piece.iter_mut().for_each(|x| *x *= factor));
    tensor
}

/// The tensor row by row, so that [`FlexTensor::storage_mut`] copies nothing unless something else uses it.
pub(super) fn owned(tensor: FlexTensor) -> FlexTensor {
    let contiguous = tensor.to_contiguous();
    drop(tensor);
    contiguous
}

/// Numbers that are taken at a time where rows do not matter.
pub(super) const PIECE: usize = 1 << 10;

/// `f(start, piece)` for all numbers, a few at a time.
pub(super) fn for_pieces<T: Send>(out: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    let count = out.len();
    for_rows(out, PIECE, count, |i, piece| f(i * PIECE, piece));
}

/// Runs `f` with the widest registers there are.
pub(super) fn with_wide_registers(f: impl FnOnce()) {
    Arch::new().dispatch(f);
}

/// `x · y` element by element, in the place of `x` where nothing else uses it.
pub(super) fn product(x: FlexTensor, y: &FlexTensor) -> FlexTensor {
    let mut x = owned(x);
    let y = numbers(y);
    for_pieces(x.storage_mut::<f32>(), |start, piece| {
        piece.iter_mut().zip(&y[start..]).for_each(|(x, &y)| *x *= y);
    });
    x
}
