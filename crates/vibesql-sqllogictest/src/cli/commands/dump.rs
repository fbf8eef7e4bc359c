//! `export --format`: the tables of all runs, for other programs.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::export::{folder_of, there_already, write_file};
use crate::cli::args::{DumpFormat, ExportArgs};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use crate::outcome::bytes;
use crate::report::dump::{Dump, Form, csv};
use crate::results::store::schema::{TABLES, Table};
use crate::results::store::{Loaded, Pin, Store, Wanted, Window};
use crate::text::count::plural;

const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

pub(super) fn run(
    format: DumpFormat,
    args: &ExportArgs,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let results = &keeping.results;
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
        DumpFormat::Sql => write_document(Form::Sql, &mut tables, &output, args.force)?,
        DumpFormat::Csv => Some(write_folder(&mut tables, &output, args.force)?),
        DumpFormat::Json => write_document(Form::Json, &mut tables, &output, args.force)?,
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
    pin: Pin,
    notes: BTreeSet<String>,
    rows: Vec<(&'static str, u64)>,
}

impl Tables {
    fn load(&mut self, table: &'static Table) -> Result<Vec<Loaded>, CliError> {
        let extract = self.store.load(&self.pin, &[Wanted::all(table)], Window::All, None)?;
        self.notes.extend(extract.notes);
        self.rows.extend(extract.tables.iter().map(|loaded| (table.name, loaded.rows.len() as u64)));
        Ok(extract.tables)
    }
}

/// Writes a file, and returns its size; nothing for standard output.
fn write_document(
    form: Form,
    tables: &mut Tables,
    path: &Path,
    force: bool,
) -> Result<Option<u64>, CliError> {
    if path.as_os_str() == "-" {
        // Not `Ui::raw_out`: where nobody reads, the tables need not be loaded.
        let mut out = BufWriter::new(std::io::stdout());
        let failed = |error| CliError::output(&error);
        write_tables(form, tables, &failed, &mut out)?;
        out.flush().map_err(failed)?;
        return Ok(None);
    }
    let shown = path.display().to_string();
    let failed = |error| CliError::io("write", &shown, &error);
    write_file(path, force, |out| write_tables(form, tables, &failed, out))?;
    let written = path.metadata().map_err(|error| CliError::io("read", &shown, &error))?;
    Ok(Some(written.len()))
}

fn write_tables(
    form: Form,
    tables: &mut Tables,
    failed: &dyn Fn(std::io::Error) -> CliError,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let mut dump = Dump::new(form, PROGRAM, out).map_err(failed)?;
    for table in TABLES {
        for loaded in tables.load(table)? {
            dump.table(&loaded).map_err(failed)?;
        }
    }
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
    let is_there = path.symlink_metadata().is_ok();
    if is_there {
        may_be_replaced(path, force)?;
    }
    let mode = || Permissions::from_mode(0o777);
    let new = || tempfile::Builder::new().prefix(".export-").permissions(mode()).tempdir_in(folder_of(path));
    let made = new().map_err(|error| failed(error.kind().into()))?;
    let mut size = 0;
    for table in TABLES {
        for loaded in tables.load(table)? {
            size += write_csv(&made.path().join(file_of(table)), &loaded).map_err(failed)?;
        }
    }
    if is_there {
        let aside = new().map_err(|error| failed(error.kind().into()))?;
        let old = aside.path().join("old");
        std::fs::rename(path, &old).map_err(failed)?;
        if let Err(error) = std::fs::rename(made.path(), path) {
            drop(std::fs::rename(&old, path));
            return Err(failed(error));
        }
    } else {
        std::fs::rename(made.path(), path).map_err(failed)?;
    }
    // It has another name now.
    drop(made.keep());
    Ok(size)
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

fn write_csv(path: &Path, loaded: &Loaded) -> std::io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    csv(&mut out, loaded)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(out.get_ref().metadata()?.len())
}
