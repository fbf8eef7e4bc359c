//! Transfers VibeSQL's rows to a sink.

use std::fmt::Write as _;

use vibesql::storage::Row;
use vibesql::types::SqlValue;

use slt_core::engine::{EngineError, ExecuteError, Flow, RowSink};
use slt_core::value::{Column, ValueRef, recycle};

/// Buffers that stay allocated between rows and statements.
#[derive(Debug, Default)]
pub(super) struct RowTransfer {
    columns: Vec<Column<'static>>,
    /// The concatenated texts of the values of one row that have no variant of their own.
    text: String,
    /// The end of each of these texts.
    ends: Vec<usize>,
}

impl RowTransfer {
    /// Announces the number of columns of the result.
    pub(super) fn announce(&mut self, columns: usize, sink: &mut dyn RowSink) -> Flow {
        // VibeSQL types values, not the columns of a result, and would evaluate FROM a second time for their names.
        self.columns.resize(columns, Column::UNKNOWN);
        sink.columns(&self.columns)
    }

    /// Transfers the rows of an announced result, and its end with the number of affected rows.
    pub(super) fn finish(
        &mut self,
        found: &[Row],
        affected: Option<u64>,
        sink: &mut dyn RowSink,
    ) -> Result<Flow, ExecuteError> {
        let mut spare = Vec::new();
        for row in found {
            let row: &[SqlValue] = &row.values;
            if row.len() != self.columns.len() {
                // Neither a result nor an error of VibeSQL, so no expectation applies.
                let (expected, got) = (self.columns.len(), row.len());
                return Err(ExecuteError::Lost(EngineError::new(format_args!(
                    "VibeSQL returned a row of {got} values in a result of {expected} columns"
                ))));
            }
            self.write_texts(row);
            let mut values = recycle(std::mem::take(&mut spare));
            let mut start = 0;
            let mut ends = self.ends.iter();
            for value in row {
                values.push(match value_ref(value) {
                    Some(value) => value,
                    None => {
                        let end = ends.next().copied().unwrap_or(self.text.len());
                        let text = &self.text[start..end];
                        start = end;
                        if matches!(value, SqlValue::Unsigned(_)) {
                            ValueRef::Decimal(text)
                        } else {
                            ValueRef::Other(text)
                        }
                    }
                });
            }
            if sink.row(&values) == Flow::Stop {
                return Ok(Flow::Stop);
            }
            spare = recycle(values);
        }
        Ok(sink.done(affected))
    }

    /// Writes the texts first, because values borrow them from a buffer that must not be reallocated.
    fn write_texts(&mut self, row: &[SqlValue]) {
        self.text.clear();
        self.ends.clear();
        for value in row.iter().filter(|value| value_ref(value).is_none()) {
            // Writing into a `String` does not fail.
            let _ = write!(self.text, "{value}");
            self.ends.push(self.text.len());
        }
    }
}

/// Borrows a value; `None` if it must be rendered as text.
fn value_ref(value: &SqlValue) -> Option<ValueRef<'_>> {
    Some(match value {
        SqlValue::Integer(integer) | SqlValue::Bigint(integer) => ValueRef::Integer(*integer),
        SqlValue::Smallint(integer) => ValueRef::Integer(i64::from(*integer)),
        SqlValue::Unsigned(integer) => ValueRef::Integer(i64::try_from(*integer).ok()?),
        SqlValue::Float(real) => ValueRef::Real(f64::from(*real)),
        // VibeSQL stores exact numbers as binary ones, too.
        SqlValue::Numeric(real) | SqlValue::Real(real) | SqlValue::Double(real) => ValueRef::Real(*real),
        SqlValue::Character(text) | SqlValue::Varchar(text) => ValueRef::Text(text.as_bytes()),
        SqlValue::Boolean(truth) => ValueRef::Boolean(*truth),
        SqlValue::Blob(bytes) => ValueRef::Blob(bytes),
        SqlValue::Null => ValueRef::Null,
        SqlValue::Date(_)
        | SqlValue::Time(_)
        | SqlValue::Timestamp(_)
        | SqlValue::Interval(_)
        | SqlValue::Vector(_) => return None,
    })
}
