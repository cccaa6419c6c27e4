//! Parity with sentence-transformers.
