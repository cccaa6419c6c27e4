//! Groups of rows, which a file stores column by column.

use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Encoding, Type as Physical};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use super::pages::{Budget, Pages, TOO_LARGE};
use crate::data::contents::Contents;

/// All groups of a file.
pub struct Groups {
    pub contents: Contents,
    pub metadata: Arc<ParquetMetaData>,
    pub budget: Arc<Mutex<Budget>>,
}

impl FileReader for Groups {
    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }

    fn num_row_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    fn get_row_group(&self, group: usize) -> Result<Box<dyn RowGroupReader + '_>> {
        let metadata = self.metadata.row_group(group);
        Ok(Box::new(Group { file: self, metadata }))
    }

    fn get_row_iter(&self, columns: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_file(columns, self)
    }
}

/// Rows that are stored together.
struct Group<'a> {
    file: &'a Groups,
    metadata: &'a RowGroupMetaData,
}

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.metadata
    }

    fn num_columns(&self) -> usize {
        self.metadata.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        let Groups { contents, budget, .. } = self.file;
        let pages = Arc::new(Pages::new(contents.clone(), budget.clone()));
        let rows = usize::try_from(self.metadata.num_rows())?;
        let column = self.metadata.column(column);
        Ok(Box::new(Column {
            pages: SerializedPageReader::new(pages, column, rows, None)?,
            texts: column.column_type() == Physical::BYTE_ARRAY,
            lists: column.column_descr().max_rep_level() > 0,
            longest: 0,
            budget: budget.clone(),
        }))
    }

    fn get_column_bloom_filter(&self, _column: usize) -> Option<&Sbbf> {
        None
    }

    fn get_row_iter(&self, columns: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(columns, self)
    }
}

/// The pages of a column, unpacked. A row is put together from them as a whole, however long its lists.
struct Column {
    pages: SerializedPageReader<Pages>,
    texts: bool,
    lists: bool,
    /// The length of the longest text of the dictionary.
    longest: u64,
    budget: Arc<Mutex<Budget>>,
}

impl Column {
    fn check(&mut self, page: &Page) -> Result<()> {
        match page {
            Page::DictionaryPage { buf, .. } if self.texts => self.longest = longest(buf),
            page if page.encoding() == Encoding::DELTA_BYTE_ARRAY => {
                let reason = "its texts are written as differences (DELTA_BYTE_ARRAY)";
                return Err(ParquetError::General(reason.into()));
            }
            page if self.lists => {
                let most = self.longest.saturating_mul(page.num_values().into());
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                let left = budget.bytes.checked_sub(most);
                budget.bytes = left.ok_or_else(|| ParquetError::General(TOO_LARGE.into()))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The length of the longest of these texts, each of which follows its length.
fn longest(mut texts: &[u8]) -> u64 {
    let mut longest = 0;
    while let Some((length, rest)) = texts.split_first_chunk() {
        let length = u32::from_le_bytes(*length);
        longest = longest.max(u64::from(length).min(rest.len() as u64));
        texts = rest.get(length as usize..).unwrap_or_default();
    }
    longest
}

impl Iterator for Column {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Column {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.iter().try_for_each(|page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}
