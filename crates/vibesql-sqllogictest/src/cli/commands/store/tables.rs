//! `store export --format`: exports the tables of all runs for other programs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::args::TableFormat;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::output::{self, ExistingFile, OutputFile, there_already};
use crate::cli::store;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::plural;
use slt_store::ask::views::VIEWS;
use slt_store::dump::{Dump, DumpSyntax, csv};
use slt_store::schema::{TABLES, Table};
use slt_store::{HistoryWindow, LoadedTable, Store, StoreSnapshot, WantedColumns};

const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

pub(super) fn export(
    format: TableFormat,
    output: Option<PathBuf>,
    existing: ExistingFile,
    results: &ResultsFolder,
    ui: &mut Ui,
) -> CommandResult {
    // A results folder without any run is probably the wrong folder.
    results.last()?;
    store::catch_up(results, ui);
    let store = Store::new(results);
    let pin = store.pin()?;
    let mut tables = PinnedTables { store, pin, notes: BTreeSet::new(), rows: Vec::new() };
    let default = match format {
        TableFormat::Sql => "results.sql",
        TableFormat::Csv => "results-csv",
        TableFormat::Json => "results.json",
    };
    let output = output.unwrap_or_else(|| PathBuf::from(default));
    let size = match format {
        TableFormat::Sql => write_document(DumpSyntax::Sql, &mut tables, &output, existing)?,
        TableFormat::Csv => Some(write_folder(&mut tables, &output, existing)?),
        TableFormat::Json => write_document(DumpSyntax::Json, &mut tables, &output, existing)?,
    };
    tables.notes.iter().for_each(|note| ui.warn(note));
    if let Some(size) = size {
        let rows = tables.rows.iter().map(|(name, rows)| format!("{name:<16} {}\n", plural(*rows, "row")));
        let foot = format!("{}, {}\n", output.display(), bytes(size));
        ui.print(&rows.chain([foot]).collect::<String>())?;
    }
    Ok(ExitReason::Success)
}

/// All tables at one moment. One table at a time is loaded.
struct PinnedTables {
    store: Store,
    pin: StoreSnapshot,
    notes: BTreeSet<String>,
    rows: Vec<(&'static str, u64)>,
}

impl PinnedTables {
    fn load(&mut self, table: &'static Table) -> Result<Vec<LoadedTable>, CliError> {
        let extract = self.store.load(&self.pin, &[WantedColumns::all(table)], HistoryWindow::All, None)?;
        self.notes.extend(extract.notes);
        self.rows.extend(extract.tables.iter().map(|loaded| (table.name, loaded.rows.len() as u64)));
        Ok(extract.tables)
    }
}

/// Writes one file, and returns its size; `None` for standard output.
fn write_document(
    form: DumpSyntax,
    tables: &mut PinnedTables,
    path: &Path,
    existing: ExistingFile,
) -> Result<Option<u64>, CliError> {
    let shown = path.display().to_string();
    let place = OutputFile::open(path, existing)?;
    let is_standard = place.is_standard();
    let ((), size) = place.write(|out| write_tables(form, tables, &shown, out))?;
    Ok((!is_standard).then_some(size))
}

fn write_tables(
    form: DumpSyntax,
    tables: &mut PinnedTables,
    shown: &str,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let failed = |error| CliError::io("write", shown, &error);
    let mut dump = Dump::new(form, PROGRAM, out).map_err(failed)?;
    for table in TABLES {
        for loaded in tables.load(table)? {
            dump.table(&loaded).map_err(failed)?;
        }
    }
    dump.views(VIEWS).map_err(failed)?;
    dump.end().map_err(failed)
}

fn file_of(table: &Table) -> String {
    format!("{}.csv", table.name)
}

/// Writes a folder of CSV files atomically, and returns the size of all.
fn write_folder(tables: &mut PinnedTables, path: &Path, existing: ExistingFile) -> Result<u64, CliError> {
    if path.as_os_str() == "-" {
        let hint = "--output DIR names a folder, and --format sql and json are one file each".to_owned();
        let message = "CSV is a file for each table, and cannot go to standard output".to_owned();
        return Err(CliError::usage(message, vec![hint]));
    }
    let failed = |error| CliError::io("write", &path.display().to_string(), &error);
    let write = |folder: &Path| {
        let mut size = 0;
        for table in TABLES {
            for loaded in tables.load(table)? {
                size += write_csv(&folder.join(file_of(table)), &loaded).map_err(failed)?;
            }
        }
        Ok(size)
    };
    output::write_folder(path, |path| may_be_replaced(path, existing), write)
}

/// Checks that a folder contains only exported files, since it is replaced as a whole.
fn may_be_replaced(path: &Path, existing: ExistingFile) -> Result<(), CliError> {
    if existing == ExistingFile::Keep {
        return Err(there_already(path));
    }
    let entries = std::fs::read_dir(path);
    let entries = entries.map_err(|error| CliError::io("replace", &path.display().to_string(), &error))?;
    let mut names = entries.flatten().map(|entry| entry.file_name());
    match names.find(|name| TABLES.iter().all(|table| *name != *file_of(table))) {
        Some(name) => {
            let message =
                format!("`{}` has `{}`, which no export has made", path.display(), name.to_string_lossy());
            Err(CliError::usage(message, vec!["--output DIR names another folder".to_owned()]))
        }
        None => Ok(()),
    }
}

fn write_csv(path: &Path, loaded: &LoadedTable) -> std::io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    csv(&mut out, loaded)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(out.get_ref().metadata()?.len())
}
