//! Bounds how often texts are repeated as rows become examples: a row with a thousand positives and a
//! thousand negatives stands for a million texts.

/// Repeated texts may take this many bytes, whatever the size of the file.
const FREE: usize = 64 << 20;
/// Beyond that, this many for each byte of the file's own texts.
const RATIO: usize = 100;
/// What a text takes in memory beside its bytes.
const TEXT: usize = 32;

/// The bytes of all texts so far, as the file has them and as the examples do.
#[derive(Debug, Default)]
pub struct Repeated {
    given: usize,
    made: usize,
}

impl Repeated {
    /// Counts a row whose anchor and negatives are repeated for each positive.
    ///
    /// # Errors
    ///
    /// If the rows so far would fill memory.
    pub fn count(
        &mut self,
        anchor: &str,
        positives: &[String],
        negatives: &[String],
    ) -> Result<(), String> {
        let size = |texts: &[String]| texts.iter().map(|text| TEXT + text.len()).sum::<usize>();
        let common = TEXT + anchor.len() + size(negatives);
        self.given += common + size(positives);
        self.made += common.saturating_mul(positives.len()) + size(positives);
        if self.made <= FREE.max(self.given.saturating_mul(RATIO)) {
            return Ok(());
        }
        let (positives, negatives) = (positives.len(), negatives.len());
        Err(format!(
            "each of its {positives} positives would be an example with all {negatives} negatives, \
             which takes more than {RATIO} times the memory of the file: divide the row into smaller \
             ones"
        ))
    }
}
