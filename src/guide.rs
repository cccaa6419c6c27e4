//! Guides: the pages of the directory `docs`. Their examples run as tests.
//!
//! - [Choosing a loss](choosing_a_loss): what data do I have?
//! - [From sentence-transformers](from_sentence_transformers): every name, option and difference
//! - [Your own loss](your_own_loss): in blocks, cached, gathered, in a training program
//! - [Architecture](architecture): the way of a batch through the crate
//!
//! There is no code in these modules.

// The pages are read beside their files as well, where links to each other name the file. Here the
// first definition of a link counts, and leads to the module.

#[doc = "[migration]: crate::guide::from_sentence_transformers\n"]
#[doc = include_str!("../docs/choosing-a-loss.md")]
pub mod choosing_a_loss {}

#[doc = "[choosing]: crate::guide::choosing_a_loss\n"]
#[doc = include_str!("../docs/from-sentence-transformers.md")]
pub mod from_sentence_transformers {}

#[doc = include_str!("../docs/your-own-loss.md")]
pub mod your_own_loss {}

#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}
