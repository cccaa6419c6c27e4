//! A page of pictures beside the trained encoder: what the run did, and what became of the
//! embeddings.

mod axes;
mod chart;
mod curves;
mod history;
mod html;
mod page;
mod view;

use std::fs;
use std::path::Path;

pub use history::History;
pub use page::Page;
pub use view::{Point, View};

use crate::error::Error;

/// The directory of the page, within that of the encoder.
pub const DIRECTORY: &str = "report";
/// The page.
pub const FILE: &str = "index.html";

/// Writes the page into the directory of an encoder.
pub fn write(directory: &Path, page: &Page) -> Result<(), Error> {
    let directory = directory.join(DIRECTORY);
    let path = directory.join(FILE);
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(&path, page.html()))
        .map_err(|error| Error::output(&path, error))
}
