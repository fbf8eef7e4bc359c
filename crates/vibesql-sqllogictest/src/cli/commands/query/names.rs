//! Names that can be typed: commands of the shell, tables and columns.

use slt_store::ask::columns_of;
use slt_store::ask::views::VIEWS;
use slt_store::schema::TABLES;

/// The commands of the shell: name, argument and description.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    (".tables", "", "tables and views"),
    (".schema", "[TABLE]", "the columns of a table, or of all"),
    (".presets", "", "predefined queries"),
    (".preset", "NAME", "run one of them"),
    (".format", "FORMAT", "output format: table, csv, json, jsonl, markdown"),
    (".last", "N", "load the results of the last N runs"),
    (".all", "", "load all results"),
    (".help", "", "this list"),
    (".quit", "", "leave the shell (also Ctrl-D)"),
];

/// Returns the most similar name, if one is similar enough.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_ascii_lowercase();
    let scored =
        names.map(|known| (strsim::jaro_winkler(&lower, known), known)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}

/// Returns the names of all tables and views.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().map(|table| table.name).chain(VIEWS.iter().map(|view| view.name))
}

/// Returns the names of all columns, some of them more than once.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    tables().filter_map(columns_of).flatten()
}
