//! Reads rows of a segment without building a VibeSQL database of them.
//!
//! A query over the whole history reads a segment for each run, but only some columns of one or two of its tables. So
//! VibeSQL reads the catalog of the file, and the rows are read here, in the format of VibeSQL 0.2: tables and texts
//! that are not wanted are skipped.

use vibesql::storage::persistence::binary::{read_catalog_v, read_header};

use super::cell::Cell;
use super::schema::TableSchema;
use super::segment::TextPool;
use super::segment_tables::TableRows;

/// The version of VibeSQL's format that is read here.
const FORMAT: u8 = 9;

/// Reads tables of the uncompressed bytes of a file; `None` if they contain anything that only VibeSQL can read.
pub(super) fn read(
    data: &[u8],
    tables: &[&'static TableSchema],
    texts: &mut TextPool,
) -> Option<Vec<TableRows>> {
    let mut rest = data;
    let version = read_header(&mut rest).ok().filter(|version| *version == FORMAT)?;
    let catalog = read_catalog_v(&mut rest, version).ok()?;
    let mut found: Vec<_> = tables.iter().map(|table| TableRows { table, rows: Vec::new() }).collect();
    let mut left = tables.iter().filter(|table| catalog.get_table(table.name).is_some()).count();
    let mut bytes = ByteReader(rest);
    for _ in 0..catalog.catalog.list_tables().len() {
        if left == 0 {
            break;
        }
        let name = bytes.text()?;
        let count = bytes.u64()?;
        let columns = &catalog.get_table(name)?.schema.columns;
        let Some(sheet) = found.iter_mut().find(|sheet| sheet.table.name.eq_ignore_ascii_case(name)) else {
            for _ in 0..count {
                bytes.row_start()?;
                columns.iter().try_for_each(|_| bytes.skip())?;
            }
            continue;
        };
        left -= 1;
        // For each column of the file its place in the table.
        let place = |name: &str| {
            let place = sheet.table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            place.filter(|place| texts.wants(&sheet.table.columns[*place]))
        };
        let places: Vec<_> = columns.iter().map(|column| place(&column.name)).collect();
        sheet.rows.reserve(usize::try_from(count).ok()?.min(data.len()));
        for _ in 0..count {
            bytes.row_start()?;
            let mut row = vec![Cell::Null; sheet.table.columns.len()];
            for place in &places {
                match place {
                    Some(place) => row[*place] = bytes.cell(texts)?,
                    None => bytes.skip()?,
                }
            }
            sheet.rows.push(row);
        }
    }
    // A table under a name that only VibeSQL resolves is left to it.
    (left == 0).then_some(found)
}

/// The unread bytes of a file. Its methods return `None` at the end, and for what they do not know.
struct ByteReader<'b>(&'b [u8]);

impl<'b> ByteReader<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads bytes after their length.
    fn sized(&mut self) -> Option<&'b [u8]> {
        let length = self.array().map(u32::from_le_bytes)?;
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.sized()?).ok()
    }

    /// Reads the transactions that made and deleted a row, which must be undeleted.
    fn row_start(&mut self) -> Option<()> {
        let [.., deleted] = self.array::<9>()?;
        (deleted == 0).then_some(())
    }

    fn skip(&mut self) -> Option<()> {
        let [tag] = self.array()?;
        match tag {
            0x00 => Some(()),
            0x01 => self.take(2).map(drop),
            0x02..=0x05 | 0x07 | 0x08 => self.take(8).map(drop),
            0x06 => self.take(4).map(drop),
            0x20 => self.take(1).map(drop),
            0x10 | 0x11 | 0x50 => self.sized().map(drop),
            _ => None,
        }
    }

    /// Reads a value of a type that a segment contains, as `to_cell` converts it.
    fn cell(&mut self, texts: &mut TextPool) -> Option<Cell> {
        let [tag] = self.array()?;
        Some(match tag {
            0x00 => Cell::Null,
            0x02 | 0x03 => Cell::Integer(self.array().map(i64::from_le_bytes)?),
            0x05 | 0x07 | 0x08 => {
                let number = self.array().map(f64::from_le_bytes)?;
                if number.is_nan() { Cell::Null } else { Cell::Real(number) }
            }
            0x10 | 0x11 => Cell::Text(texts.shared(self.text()?)),
            _ => return None,
        })
    }
}
