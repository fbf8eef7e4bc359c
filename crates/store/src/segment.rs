//! Segments: VibeSQL database files, written once and never changed.
//!
//! VibeSQL keeps no checksums and may panic over a damaged file, so readers first check its digest against the
//! manifest.

use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use vibesql::storage::{Database, Row};

use super::cell::Cell;
use super::error::{StoreError, io_error};
use super::schema::{ColumnType, TableColumn, TableSchema};
use super::segment_reader;
use super::segment_tables::TableRows;
use super::vibesql_tables::{SharedTexts, add_rows, create_table, new_database, to_cell};

/// Writes tables to a new file, and verifies it by reading it back.
pub(super) fn write(path: &Path, sheets: &[TableRows]) -> Result<(), StoreError> {
    guarded("write a segment", || {
        let mut database = new_database();
        for sheet in sheets {
            let columns: Vec<_> = sheet.table.columns.iter().collect();
            create_table(&mut database, sheet.table, &columns)?;
            let texts = &mut SharedTexts::default();
            add_rows(&mut database, sheet.table, &columns, sheet.rows.iter().cloned(), texts)?;
        }
        database.save_compressed(path).map_err(|error| error.to_string())
    })?;
    let tables: Vec<_> = sheets.iter().map(|sheet| sheet.table).collect();
    let bytes = std::fs::read(path).map_err(io_error("read", path))?;
    let as_written = |read: Vec<TableRows>| read.as_slice() == sheets;
    if as_written(by_vibesql(path, &tables, &mut TextPool::default())?)
        && as_written(read(&bytes, path, &tables, &mut TextPool::default())?)
    {
        Ok(())
    } else {
        let message = "the rows that it reads are not those that it has written".to_owned();
        Err(StoreError::VibeSql { what: "keep a segment", message })
    }
}

/// Reads tables of a file with these bytes.
pub(super) fn read(
    bytes: &[u8],
    path: &Path,
    tables: &[&'static TableSchema],
    texts: &mut TextPool,
) -> Result<Vec<TableRows>, StoreError> {
    let found = guarded("read a segment", || {
        let data = zstd::decode_all(bytes).map_err(|error| error.to_string())?;
        Ok(segment_reader::read(&data, tables, texts))
    })?;
    found.map_or_else(|| by_vibesql(path, tables, texts), Ok)
}

/// Reads tables of a file with VibeSQL, which makes a database of all its tables.
fn by_vibesql(
    path: &Path,
    tables: &[&'static TableSchema],
    texts: &mut TextPool,
) -> Result<Vec<TableRows>, StoreError> {
    guarded("read a segment", || {
        let database = Database::load_compressed(path).map_err(|error| error.to_string())?;
        Ok(tables.iter().map(|table| TableRows { table, rows: rows_of(&database, table, texts) }).collect())
    })
}

fn rows_of(database: &Database, table: &TableSchema, texts: &mut TextPool) -> Vec<Vec<Cell>> {
    let Some(found) = database.get_table(table.name) else { return Vec::new() };
    let names = &found.schema.columns;
    let place = |column: &&TableColumn| {
        let place = names.iter().position(|name| name.name.eq_ignore_ascii_case(column.name));
        place.filter(|_| texts.wants(column))
    };
    let places: Vec<_> = table.columns.iter().map(|column| place(&column)).collect();
    let mut cell = |row: &Row, place: &Option<usize>| {
        place
            .and_then(|place| row.values.get(place))
            .map_or(Cell::Null, |value| to_cell(value, &mut |text| texts.shared(text)))
    };
    found.scan().iter().map(|row| places.iter().map(|place| cell(row, place)).collect()).collect()
}

/// The maximum number of texts in a pool: times of results differ in all runs, and must not fill the memory.
const MOST_TEXTS: usize = 100_000;

/// Filters and shares the texts that are read: unwanted columns are skipped, and equal texts are in memory only once,
/// since all runs have the same files.
#[derive(Debug, Default)]
pub(super) struct TextPool {
    only: Option<BTreeSet<&'static str>>,
    known: HashSet<Arc<str>>,
}

impl TextPool {
    /// Keeps only the texts of these columns.
    pub(super) fn only(columns: impl IntoIterator<Item = &'static str>) -> Self {
        Self { only: Some(columns.into_iter().collect()), known: HashSet::new() }
    }

    pub(super) fn wants(&self, column: &TableColumn) -> bool {
        column.kind != ColumnType::Text || self.only.as_ref().is_none_or(|only| only.contains(column.name))
    }

    pub(super) fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        if self.known.len() >= MOST_TEXTS {
            self.known.clear();
        }
        let new: Arc<str> = Arc::from(text);
        self.known.insert(new.clone());
        new
    }
}

/// Calls VibeSQL, which may panic.
fn guarded<T>(what: &'static str, call: impl FnOnce() -> Result<T, String>) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err("it panicked".to_owned()));
    done.map_err(|message| StoreError::VibeSql { what, message })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::segment_tables::{GROUPS, OUTCOMES, SLOW};

    fn cell() -> impl Strategy<Value = Option<String>> {
        let hostile = prop::sample::select(vec![
            "",
            "'",
            "\\'",
            "a\nb\r\n",
            "\0",
            "👩‍👩‍👧",
            "\u{202e}rtl",
            "--",
            "NaN",
            "1",
        ]);
        prop::option::of(prop_oneof![".*", hostile.prop_map(str::to_owned)])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_written_is_read(
            texts in prop::collection::vec((cell(), any::<i64>(), any::<f64>()), 0..20),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("segment");
            let groups = texts.iter().map(|(text, number, _)| {
                let text = Cell::from(text.as_deref());
                let mut row = vec![Cell::Null; GROUPS.columns.len()];
                (row[0], row[6]) = (text.clone(), text);
                (row[4], row[5]) = (Cell::from(*number), Cell::Integer(i64::MIN));
                row
            });
            let slow = texts.iter().map(|(text, number, real)| {
                let text = Cell::from(text.as_deref());
                vec![Cell::from(*number), text.clone(), Cell::Integer(i64::MAX), Cell::from(*real), text.clone(), text]
            });
            let sheets = [
                TableRows { table: &GROUPS, rows: groups.collect() },
                TableRows { table: &SLOW, rows: slow.collect() },
            ];
            // `write` verifies the file by reading it back.
            write(&path, &sheets).unwrap();
            let read = |tables: &[&'static TableSchema], only: Option<&[&'static str]>| {
                let pool = || only.map_or_else(TextPool::default, |only| TextPool::only(only.iter().copied()));
                let data = zstd::decode_all(&*std::fs::read(&path).unwrap()).unwrap();
                let ours = segment_reader::read(&data, tables, &mut pool()).unwrap();
                assert_eq!(ours, by_vibesql(&path, tables, &mut pool()).unwrap());
                ours
            };
            prop_assert_eq!(read(&[&SLOW], None), [sheets[1].clone()]);
            prop_assert_eq!(read(&[&SLOW, &GROUPS], None), [sheets[1].clone(), sheets[0].clone()]);
            let without_texts = read(&[&GROUPS], Some(&[]));
            prop_assert_eq!(without_texts[0].rows.len(), texts.len());
            prop_assert!(without_texts[0].rows.iter().all(|row| row[0] == Cell::Null && row[4] != Cell::Null));
            // Of what the file lacks, there are no rows; so a whole table is expected of no file.
            prop_assert!(read(&[&OUTCOMES], None)[0].rows.is_empty());
        }
    }

    #[test]
    fn long_texts_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut row = vec![Cell::Null; SLOW.columns.len()];
        row[1] = Cell::text("x'\n".repeat(4_000_000));
        write(&folder.path().join("segment"), &[TableRows { table: &SLOW, rows: vec![row] }]).unwrap();
    }

    #[test]
    fn no_file_is_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segment");
        let whole = TableRows {
            table: &SLOW,
            rows: vec![[vec![Cell::Null; SLOW.columns.len() - 1], vec![Cell::text("a")]].concat()],
        };
        write(&path, &[whole]).unwrap();
        let data = zstd::decode_all(&*std::fs::read(&path).unwrap()).unwrap();
        for bad in [&[][..], &[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]] {
            std::fs::write(&path, bad).unwrap();
            let found = read(bad, &path, &[&SLOW], &mut TextPool::default());
            assert!(matches!(found, Err(StoreError::VibeSql { .. })), "{found:?}");
        }
        // What is cut off anywhere, or has an unknown type of value, is left to VibeSQL.
        for length in 0..data.len() {
            assert_eq!(segment_reader::read(&data[..length], &[&SLOW], &mut TextPool::default()), None);
        }
        let last_value = data.len() - 6;
        let unknown = [&data[..last_value], &[0x31], &data[last_value + 1..]].concat();
        assert_eq!(segment_reader::read(&unknown, &[&SLOW], &mut TextPool::default()), None);
    }
}
