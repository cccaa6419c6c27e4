//! The pickle in an archive of PyTorch's, looked at before it is unpacked.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zip::ZipArchive;

use crate::error::Error;

/// The longest pickle, in bytes: that of a model with a thousand layers has about a million. Each byte
/// may take a hundred in memory, and deflated ones take almost nothing in the file.
const LONGEST: u64 = 8 << 20;

/// Refuses an archive with a pickle that would fill memory. What is no archive is left to the reader.
pub fn check(path: &Path) -> Result<(), Error> {
    let file = File::open(path).map_err(|error| Error::read(path, error))?;
    let Ok(mut archive) = ZipArchive::new(BufReader::new(file)) else { return Ok(()) };
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else { continue };
        let size = entry.size();
        if size > LONGEST && entry.name().is_ok_and(|name| name.ends_with(".pkl")) {
            let reason = format!(
                "the pickle in it has {size} bytes, more than the {LONGEST} it may have: save the \
                 model again as safetensors"
            );
            return Err(Error::read(path, reason));
        }
    }
    Ok(())
}
