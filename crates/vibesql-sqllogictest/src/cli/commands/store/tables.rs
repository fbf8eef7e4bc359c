//! `store export --format`: exports the tables of all runs for other programs.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::args::TableFormat;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::output::{ExistingFile, OutputFile, cannot_write, there_already};
use crate::cli::store;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::atomic_file::folder_of;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::plural;
use slt_store::ask::views::VIEWS;
use slt_store::dump::{Dump, DumpSyntax, csv};
use slt_store::schema::{TABLES, TableSchema};
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

/// A snapshot of all tables. One table at a time is loaded.
struct PinnedTables {
    store: Store,
    pin: StoreSnapshot,
    notes: BTreeSet<String>,
    rows: Vec<(&'static str, u64)>,
}

impl PinnedTables {
    fn load(&mut self, table: &'static TableSchema) -> Result<Vec<LoadedTable>, CliError> {
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
    Ok(OutputFile::open(path, existing)?.write(|out| write_tables(form, tables, &shown, out))?.1)
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

fn file_of(table: &TableSchema) -> String {
    format!("{}.csv", table.name)
}

/// Writes a folder of CSV files atomically, and returns the size of all.
fn write_folder(tables: &mut PinnedTables, typed: &Path, existing: ExistingFile) -> Result<u64, CliError> {
    if typed.as_os_str() == "-" {
        let hint = "use --output DIR to name a folder, or --format sql or json to write one file";
        return Err(CliError::usage("CSV is one file per table, and cannot go to standard output", hint));
    }
    let shown = typed.display().to_string();
    let failed = |error: io::Error| cannot_write(&shown, &error);
    // The target of a link is replaced, not the link.
    let path = typed.canonicalize().unwrap_or_else(|_| typed.to_owned());
    let old = path.symlink_metadata().ok();
    if old.is_some() {
        may_be_replaced(typed, existing)?;
    }
    let new = || {
        let mut folder = tempfile::Builder::new();
        folder.prefix(".sqllogictest-").permissions(Permissions::from_mode(0o777));
        folder.tempdir_in(folder_of(&path)).map_err(|error| failed(error.kind().into()))
    };
    let made = new()?;
    let mut size = 0;
    for table in TABLES {
        for loaded in tables.load(table)? {
            size += write_csv(&made.path().join(file_of(table)), &loaded).map_err(failed)?;
        }
    }
    if let Some(old) = old {
        let mode = Permissions::from_mode(old.permissions().mode() & 0o7777);
        std::fs::set_permissions(made.path(), mode).map_err(failed)?;
        let aside = new()?;
        let kept = aside.path().join("old");
        std::fs::rename(&path, &kept).map_err(failed)?;
        if let Err(error) = std::fs::rename(made.path(), &path) {
            drop(std::fs::rename(&kept, &path));
            return Err(failed(error));
        }
    } else {
        std::fs::rename(made.path(), &path).map_err(failed)?;
    }
    // It has been renamed, so it must not be removed.
    drop(made.keep());
    Ok(size)
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
            let (folder, name) = (path.display(), name.to_string_lossy());
            let message = format!("`{folder}` contains `{name}`, which is not an exported file");
            Err(CliError::usage(message, "use --output DIR to name another folder"))
        }
        None => Ok(()),
    }
}

fn write_csv(path: &Path, loaded: &LoadedTable) -> io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    csv(&mut out, loaded)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(out.get_ref().metadata()?.len())
}
