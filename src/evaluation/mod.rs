//! How good embeddings are, in the numbers of the evaluators of sentence-transformers.
