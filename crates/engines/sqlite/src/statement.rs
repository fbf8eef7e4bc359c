//! Prepared statements of SQLite through its C interface, and everything else of it that rusqlite has no safe function
//! for.
//!
//! rusqlite asks SQLite for the type of a value and then for the value, which looks it up twice, and lets SQLite copy the
//! text of each statement to end it with a NUL. Both cost more than judging a short result.

#![expect(unsafe_code, reason = "the interface is one of C")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{NonNull, null, null_mut};
use std::slice;

use rusqlite::{Connection, Error, ErrorCode, ffi};

use slt_core::value::ValueRef;

/// Removes the heap limits that an earlier session may have set.
///
/// They hold for the whole process, and SQL cannot raise the hard limit.
pub(crate) fn lift_heap_limits() {
    // SAFETY: both functions take a number and no pointer, initialise SQLite if need be, and lock what they change.
    unsafe {
        ffi::sqlite3_hard_heap_limit64(0);
        ffi::sqlite3_soft_heap_limit64(0);
    }
}

/// SQL with a NUL behind it, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct TerminatedSql {
    /// Ends with the only NUL that [`Self::set`] has added; earlier ones are part of the SQL.
    bytes: Vec<u8>,
}

impl TerminatedSql {
    /// Replaces the text.
    pub(crate) fn set(&mut self, sql: &str) {
        self.bytes.clear();
        self.bytes.reserve(sql.len() + 1);
        self.bytes.extend_from_slice(sql.as_bytes());
        self.bytes.push(0);
    }

    /// Returns the length of the text.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(1)
    }
}

/// A prepared statement of a connection.
pub(crate) struct Prepared<'c> {
    /// Points to a statement that nothing else finalizes. A pointer also keeps it on the thread of its connection, which is
    /// open without a mutex.
    statement: NonNull<ffi::sqlite3_stmt>,
    connection: &'c Connection,
}

impl<'c> Prepared<'c> {
    /// Prepares the first statement from byte `start` on; `None` if there is none. Also returns the byte at which
    /// the text behind the statement starts.
    ///
    /// # Errors
    ///
    /// What SQLite says about the text.
    pub(crate) fn new(
        connection: &'c Connection,
        sql: &TerminatedSql,
        start: usize,
    ) -> Result<(Option<Self>, usize), Error> {
        let text = sql.bytes.get(start..).filter(|text| !text.is_empty()).unwrap_or(&[0]);
        let length = c_int::try_from(text.len()).map_err(|_| error(connection, ffi::SQLITE_TOOBIG))?;
        let (first, mut statement, mut rest) = (text.as_ptr().cast::<c_char>(), null_mut(), null());
        // SAFETY: the connection is open as long as it is borrowed, `first` points to `length` bytes that outlive the
        // call, and the two places for results are our own.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(connection.handle(), first, length, 0, &raw mut statement, &raw mut rest)
        };
        if code != ffi::SQLITE_OK {
            return Err(text_error(connection, code));
        }
        let behind = rest.addr().saturating_sub(first.addr());
        // Without progress, as in front of a NUL in the text, nothing more is read.
        let behind = if behind == 0 { sql.len() } else { start + behind };
        let prepared = NonNull::new(statement);
        Ok((prepared.map(|statement| Self { statement, connection }), behind))
    }

    /// Returns the number of columns of the result; 0 for a statement without one.
    pub(crate) fn column_count(&self) -> usize {
        // SAFETY: the statement is not finalized.
        let count = unsafe { ffi::sqlite3_column_count(self.statement.as_ptr()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// Returns the name of a column.
    pub(crate) fn column_name(&self, column: usize) -> String {
        // SAFETY: the statement is not finalized. SQLite checks the number. The name ends with a NUL and stays where it
        // is while it is copied.
        unsafe { text_of(ffi::sqlite3_column_name(self.statement.as_ptr(), index(column))) }
    }

    /// Returns whether the statement cannot change the database.
    pub(crate) fn is_readonly(&self) -> bool {
        // SAFETY: the statement is not finalized.
        unsafe { ffi::sqlite3_stmt_readonly(self.statement.as_ptr()) != 0 }
    }

    /// Executes the statement up to its next row; returns whether there is one. The values of the row before it, which
    /// borrow the statement, are gone.
    ///
    /// # Errors
    ///
    /// What SQLite says about the execution.
    pub(crate) fn step(&mut self) -> Result<bool, Error> {
        // SAFETY: the statement is not finalized.
        match unsafe { ffi::sqlite3_step(self.statement.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(error(self.connection, code)),
        }
    }

    /// Returns a value of the current row; `None` if SQLite has no memory for its text.
    #[inline]
    pub(crate) fn value(&self, column: usize) -> Option<ValueRef<'_>> {
        // SAFETY: the statement is not finalized, and SQLite checks the number. It allows these functions for a value of a
        // row while no other thread uses the connection, and neither the statement nor the connection can be sent to or
        // shared with one; an interrupt, which may come from another thread, reads no value. A value is
        // always read in its own type, so reading it again moves no bytes, and until the next step, which needs the
        // statement mutably, they stay.
        unsafe {
            let value = ffi::sqlite3_column_value(self.statement.as_ptr(), index(column));
            Some(match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_TEXT => {
                    // The text before its length: the conversion to UTF-8 changes it.
                    let text = NonNull::new(ffi::sqlite3_value_text(value).cast_mut())?;
                    ValueRef::Text(bytes(text, ffi::sqlite3_value_bytes(value)))
                }
                ffi::SQLITE_BLOB => match NonNull::new(ffi::sqlite3_value_blob(value).cast_mut()) {
                    Some(blob) => ValueRef::Blob(bytes(blob.cast(), ffi::sqlite3_value_bytes(value))),
                    // SQLite has no address for an empty one.
                    None if ffi::sqlite3_value_bytes(value) == 0 => ValueRef::Blob(&[]),
                    None => return None,
                },
                _ => ValueRef::Null,
            })
        }
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        // SAFETY: nothing else finalizes the statement, and it is not used any more. The result is the error of the last
        // step, which is known.
        unsafe { ffi::sqlite3_finalize(self.statement.as_ptr()) };
    }
}

/// Returns the number of a column as SQLite takes it, which knows no column with the number -1.
fn index(column: usize) -> c_int {
    c_int::try_from(column).unwrap_or(-1)
}

/// # Safety
///
/// The bytes must be there for all of `'b`.
unsafe fn bytes<'b>(start: NonNull<u8>, length: c_int) -> &'b [u8] {
    // SAFETY: the caller vouches for it.
    unsafe { slice::from_raw_parts(start.as_ptr(), usize::try_from(length).unwrap_or(0)) }
}

/// Returns the error with this code, in the words of the connection if they are about it.
#[cold]
fn error(connection: &Connection, code: c_int) -> Error {
    // SAFETY: the connection is open as long as it is borrowed, and both texts end with a NUL and stay where they are
    // while they are copied.
    let message = unsafe {
        let handle = connection.handle();
        if ffi::sqlite3_errcode(handle) == code {
            text_of(ffi::sqlite3_errmsg(handle))
        } else {
            text_of(ffi::sqlite3_errstr(code))
        }
    };
    Error::SqliteFailure(ffi::Error::new(code), Some(message))
}

/// Returns the error about a text with this code. As in rusqlite, an error with a place in the text is of another kind,
/// which has no code.
#[cold]
fn text_error(connection: &Connection, code: c_int) -> Error {
    // SAFETY: the connection is open as long as it is borrowed.
    let offset = unsafe { ffi::sqlite3_error_offset(connection.handle()) };
    match error(connection, code) {
        Error::SqliteFailure(error, Some(msg)) if error.code == ErrorCode::Unknown && offset >= 0 => {
            Error::SqlInputError { error, msg, sql: String::new(), offset }
        }
        error => error,
    }
}

/// # Safety
///
/// `text` must be null or end with a NUL, and stay where it is during the call.
unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller vouches for it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(connection: &Connection, sql: &str) -> Vec<String> {
        let mut text = TerminatedSql::default();
        text.set(sql);
        let (mut start, mut rows) = (0, Vec::new());
        while start < text.len() {
            let (prepared, behind) = Prepared::new(connection, &text, start).unwrap();
            start = behind;
            let Some(mut prepared) = prepared else { continue };
            while prepared.step().unwrap() {
                let values = (0..prepared.column_count()).map(|column| prepared.value(column).unwrap());
                rows.push(format!("{:?}", values.collect::<Vec<_>>()));
            }
        }
        rows
    }

    /// The same through rusqlite.
    fn plain_rows(connection: &Connection, sql: &str) -> Vec<String> {
        use rusqlite::fallible_iterator::FallibleIterator as _;
        let (mut batch, mut found) = (rusqlite::Batch::new(connection, sql), Vec::new());
        while let Some(mut statement) = batch.next().unwrap() {
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().unwrap() {
                let values = (0..columns).map(|column| match row.get_ref(column).unwrap() {
                    rusqlite::types::ValueRef::Null => ValueRef::Null,
                    rusqlite::types::ValueRef::Integer(integer) => ValueRef::Integer(integer),
                    rusqlite::types::ValueRef::Real(real) => ValueRef::Real(real),
                    rusqlite::types::ValueRef::Text(text) => ValueRef::Text(text),
                    rusqlite::types::ValueRef::Blob(blob) => ValueRef::Blob(blob),
                });
                found.push(format!("{:?}", values.collect::<Vec<_>>()));
            }
        }
        found
    }

    #[test]
    fn values_and_statements_are_those_that_rusqlite_reads() {
        for sql in [
            "SELECT 1, -9223372036854775808, 1.5, 1e999, NULL, '', 'ä', x'', x'00ff', zeroblob(3), 'a' || char(0) || 'b'",
            "SELECT 1; -- a comment\n SELECT 2 ;; SELECT 3; /* the end */",
            "SELECT value FROM json_each('[1, 2.0, \"x\", null, true, [1]]')",
            "CREATE TEMP TABLE t(a, b TEXT, c REAL, d BLOB); INSERT INTO t VALUES (1, 2, 3, 4), (NULL, 'x', 'y', 'z');
             SELECT * FROM t; SELECT sum(c), group_concat(b), count(*) FROM t; DROP TABLE t",
            "SELECT 1;\0SELECT 2",
            "\0",
            ";",
            "",
            " ",
        ] {
            for encoding in ["UTF-8", "UTF-16"] {
                let connection = Connection::open_in_memory().unwrap();
                connection.execute_batch(&format!("PRAGMA encoding = '{encoding}'")).unwrap();
                assert_eq!(rows(&connection, sql), plain_rows(&connection, sql), "{sql} in {encoding}");
            }
        }
    }

    #[test]
    fn errors_are_those_that_rusqlite_reports() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t(a INT PRIMARY KEY, CHECK (a < 9)); INSERT INTO t VALUES (1)")
            .unwrap();
        for sql in [
            "SELEC",
            "SELECT * FROM x",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (10)",
            "SELECT abs(-9223372036854775808)",
        ] {
            let mut text = TerminatedSql::default();
            text.set(sql);
            let found =
                Prepared::new(&connection, &text, 0).and_then(|(one, _)| one.unwrap().step()).unwrap_err();
            let expected = connection.execute_batch(sql).unwrap_err();
            assert_eq!(
                (found.sqlite_error(), crate::words(&found)),
                (expected.sqlite_error(), crate::words(&expected))
            );
        }
    }
}
