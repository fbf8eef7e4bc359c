//! `export --format`: the tables of all runs, for other programs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::args::{DumpFormat, ExportArgs};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::output::{self, Existing, Output, there_already};
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::text::count::plural;
use slt_store::ask::views::VIEWS;
use slt_store::dump::{Dump, DumpSyntax, csv};
use slt_store::schema::{TABLES, Table};
use slt_store::{HistoryWindow, LoadedTable, Store, StoreSnapshot, WantedColumns};

const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

pub(super) fn run(
    format: DumpFormat,
    args: &ExportArgs,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let results = keeping.results()?;
    // No run at all is more likely a wrong place than a wish for empty tables.
    results.last()?;
    super::store::catch_up(results, ui);
    let store = Store::new(results);
    let pin = store.pin()?;
    let mut tables = Tables { store, pin, notes: BTreeSet::new(), rows: Vec::new() };
    let default = match format {
        DumpFormat::Sql => "results.sql",
        DumpFormat::Csv => "results-csv",
        DumpFormat::Json => "results.json",
    };
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(default));
    let size = match format {
        DumpFormat::Sql => write_document(DumpSyntax::Sql, &mut tables, &output, args.force)?,
        DumpFormat::Csv => Some(write_folder(&mut tables, &output, args.force)?),
        DumpFormat::Json => write_document(DumpSyntax::Json, &mut tables, &output, args.force)?,
    };
    tables.notes.iter().for_each(|note| ui.warn(note));
    if let Some(size) = size {
        let rows = tables.rows.iter().map(|(name, rows)| format!("{name:<16} {}\n", plural(*rows, "row")));
        let foot = format!("{}, {}\n", output.display(), bytes(size));
        ui.print(&rows.chain([foot]).collect::<String>())?;
    }
    Ok(ExitReason::Success)
}

/// All tables as they are at one moment, of which one at a time is in memory.
struct Tables {
    store: Store,
    pin: StoreSnapshot,
    notes: BTreeSet<String>,
    rows: Vec<(&'static str, u64)>,
}

impl Tables {
    fn load(&mut self, table: &'static Table) -> Result<Vec<LoadedTable>, CliError> {
        let extract = self.store.load(&self.pin, &[WantedColumns::all(table)], HistoryWindow::All, None)?;
        self.notes.extend(extract.notes);
        self.rows.extend(extract.tables.iter().map(|loaded| (table.name, loaded.rows.len() as u64)));
        Ok(extract.tables)
    }
}

/// Writes a file, and returns its size; nothing for standard output.
fn write_document(
    form: DumpSyntax,
    tables: &mut Tables,
    path: &Path,
    force: bool,
) -> Result<Option<u64>, CliError> {
    let shown = path.display().to_string();
    let place = Output::open(path, if force { Existing::Replace } else { Existing::Keep })?;
    let is_standard = place.is_standard();
    let ((), size) = place.write(|out| write_tables(form, tables, &shown, out))?;
    Ok((!is_standard).then_some(size))
}

fn write_tables(
    form: DumpSyntax,
    tables: &mut Tables,
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

/// Writes a folder of CSV files that appears whole or not at all, and returns the size of all.
fn write_folder(tables: &mut Tables, path: &Path, force: bool) -> Result<u64, CliError> {
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
    output::write_folder(path, |path| may_be_replaced(path, force), write)
}

/// A folder is replaced as a whole, so it must have nothing that was not exported.
fn may_be_replaced(path: &Path, force: bool) -> Result<(), CliError> {
    if !force {
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
