//! Rows scaled to length 1.

use burn::prelude::*;

use super::flex;
use crate::numeric::UnitRows;

/// The [rows](UnitRows::rows) of [`UnitRows`], for callers that do not need their shortfall.
pub(crate) fn unit_rows(x: Tensor<2>) -> Tensor<2> {
    flex::unit_rows(&x).unwrap_or_else(|| UnitRows::new(x).rows)
}
