//! Tables on a screen: aligned columns without lines between them.

use comfy_table::{Cell, CellAlignment, Table, presets};

/// Makes a table; the columns that `is_number` names are aligned to the right.
pub fn table(
    headers: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    is_number: impl Fn(usize) -> bool,
) -> String {
    let cells = |texts: Vec<String>| {
        let cell = |(column, text)| {
            let alignment = if is_number(column) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(alignment)
        };
        texts.into_iter().enumerate().map(cell).collect::<Vec<_>>()
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(cells(headers.iter().map(|&header| header.to_owned()).collect()));
    table.add_rows(rows.into_iter().map(cells));
    table.trim_fmt()
}
