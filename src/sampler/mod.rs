//! Which rows of a data set share a batch.
