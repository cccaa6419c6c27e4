//! Means of rows of a table, without a copy of the rows.

use burn::backend::flex::FlexTensor;
use burn::tensor::Shape;

use crate::kernels::flex::parallel::{Matrix, for_rows, tensor};
use crate::kernels::fused::Bags;

/// The mean of each bag.
pub(super) fn value(table: &FlexTensor, bags: &Bags) -> FlexTensor {
    let table = Matrix::new(table);
    let table = table.view();
    let width = table.columns;
    let mut means = vec![0f32; bags.count() * width];
    for_rows(&mut means, width, bags.ids().len() * width, |bag, mean| {
        for &id in &bags.ids()[bags.range(bag)] {
            add(mean, table.row(id as usize), 1.0);
        }
        let share = bags.share(bag) as f32;
        mean.iter_mut().for_each(|x| *x *= share);
    });
    tensor(means, [bags.count(), width])
}

/// The gradient of the table, given that of the means. Each of its rows is the work of one core, so the result does
/// not depend on their number.
pub(super) fn gradient(slope: &FlexTensor, bags: &Bags, table: Shape) -> FlexTensor {
    let slope = Matrix::new(slope);
    let slope = slope.view();
    let (rows, width) = (table[0], table[1]);
    let found = Occurrences::of(bags, rows);
    // Pages of zeros that the system hands out: rows that no bag names are not written to.
    let mut gradient = vec![0f32; rows * width];
    for_rows(&mut gradient, width, bags.ids().len() * width, |row, gradient| {
        for &bag in found.of_row(row) {
            add(gradient, slope.row(bag as usize), bags.share(bag as usize) as f32);
        }
    });
    tensor(gradient, table)
}

#[inline(always)]
fn add(sum: &mut [f32], row: &[f32], factor: f32) {
    sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x * factor);
}

/// The bags that name each row of a table, in order.
struct Occurrences {
    bags: Vec<u32>,
    /// Where those of each row end.
    ends: Vec<usize>,
}

impl Occurrences {
    fn of(bags: &Bags, rows: usize) -> Self {
        let mut ends = vec![0; rows + 1];
        bags.ids().iter().for_each(|&id| ends[id as usize + 1] += 1);
        // The number of those before, which moves to the end as they are filled in.
        (0..rows).for_each(|row| ends[row + 1] += ends[row]);
        let mut sorted = vec![0; bags.ids().len()];
        for bag in 0..bags.count() {
            for &id in &bags.ids()[bags.range(bag)] {
                let place = &mut ends[id as usize];
                sorted[*place] = bag as u32;
                *place += 1;
            }
        }
        Self { bags: sorted, ends }
    }

    fn of_row(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bags[start..self.ends[row]]
    }
}
