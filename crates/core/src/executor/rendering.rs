//! Renders values as the runners of the dialects show them, without type letters.

mod cockroach;
mod duckdb;
mod materialize;
mod number;
mod rs;
mod vibesql;

pub(super) use materialize::write_answer;

use super::canonical::write_general;
use super::cells::{CellKind, CellTable};
use crate::parser::{Layout, Renderer};
use crate::value::ValueRef;

/// What the text of a value depends on besides its dialect and its letter.
#[derive(Debug, Clone, Copy)]
pub struct CellForm {
    /// The form of the expected rows.
    pub layout: Layout,
    /// Whether the gaps of the dialect's own runner are reproduced.
    pub exact: bool,
    /// The number of significant digits of decimal fractions in texts.
    pub digits: Option<u8>,
}

impl Default for CellForm {
    fn default() -> Self {
        Self { layout: Layout::Default, exact: false, digits: None }
    }
}

/// Adds a row, with the text that `renderer` gives each value.
pub(super) fn push_text_row(
    renderer: Renderer,
    form: CellForm,
    types: &[u8],
    row: &[ValueRef<'_>],
    cells: &mut CellTable,
) {
    match renderer {
        Renderer::SqllogictestRs => return rs::push_row(types, row, cells),
        _ if row.iter().any(|value| matches!(value, ValueRef::RealText(_))) => {
            let parsed: Vec<_> = row.iter().map(|value| value.parsed()).collect();
            return push_text_row(renderer, form, types, &parsed, cells);
        }
        Renderer::Vibesql => return vibesql::push_row(types, row, cells),
        Renderer::Cockroach => return cockroach::push_row(form, types, row, cells),
        Renderer::Materialize => return materialize::push_row(form, types, row, cells),
        Renderer::SqliteLetters | Renderer::Duckdb | Renderer::DuckdbOriginal => {}
    }
    for value in row {
        cells.push_kind(CellKind::of(value), |out| write_value(renderer, value, out));
    }
}

fn write_value(renderer: Renderer, value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match renderer {
        Renderer::Duckdb => return duckdb::write(value, out),
        Renderer::DuckdbOriginal => return duckdb::write_rounded(value, out),
        _ => {}
    }
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Text(b"") | ValueRef::Other("") => out.extend_from_slice(b"(empty)"),
        ValueRef::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        ValueRef::Real(real) => write_general(out, real),
        ValueRef::Boolean(truth) => out.push(if truth { b't' } else { b'f' }),
        ValueRef::Text(text) | ValueRef::Blob(text) => out.extend_from_slice(text),
        ValueRef::RealText(text) | ValueRef::Decimal(text) | ValueRef::Other(text) => {
            out.extend_from_slice(text.as_bytes());
        }
    }
}
