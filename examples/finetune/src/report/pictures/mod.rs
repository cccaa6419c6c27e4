//! A page of pictures beside the trained encoder: what the run did, and what became of the
//! embeddings.

mod axes;
mod chart;
mod curves;
mod history;
mod html;
mod page;
mod view;

use std::path::{Path, PathBuf};

pub use history::History;
pub use page::Page;
pub use view::{Point, View};

/// The directory of the page, within that of the encoder.
pub const DIRECTORY: &str = "report";
/// The page.
pub const FILE: &str = "index.html";

/// The path of the page in the directory of an encoder.
pub fn path() -> PathBuf {
    Path::new(DIRECTORY).join(FILE)
}
