//! `ledger`: what is expected to fail, written from a run and held against one.

use std::path::{Path, PathBuf};

use crate::cli::args::{LedgerCheckArgs, LedgerCommand, LedgerUpdateArgs};
use crate::cli::baseline::find_journal;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::known::{self, Known};
use crate::cli::output::{Existing, Output};
use crate::cli::ui::Ui;
use slt_insight::expectations::{self, Expectations, Note, update};
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::Journal;
use slt_runner::text::count::plural;

pub(in crate::cli) fn run(
    command: &LedgerCommand,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    match command {
        LedgerCommand::Update(args) => write(args, keeping, ui),
        LedgerCommand::Check(args) => check(args, keeping, ui),
    }
}

fn places(journal: &Journal) -> impl Iterator<Item = (&str, &Path)> {
    journal.opened.places.iter().map(|(file, place)| (file.as_str(), place.as_path()))
}

fn write(args: &LedgerUpdateArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let journal = find_journal(&args.run, keeping, ui)?;
    let path = match &args.expectations {
        Some(path) => path.clone(),
        None => place_for(&journal)?,
    };
    let (text, known) =
        if path.is_file() { known::read(&path)? } else { (String::new(), Expectations::default()) };
    let today = expectations::today(milliseconds_since_1970());
    let note = Note {
        reason: args.reason.clone(),
        issue: args.issue.clone(),
        owner: args.owner.clone(),
        expires: args.expires,
    };
    let new = update(&text, &known, &journal.report, today, &note);
    let shown = known::shown(&path);
    if args.dry_run {
        ui.print(&new)?;
        return Ok(ExitReason::Success);
    }
    // What is written must be what is read, before it takes the place of what the user has.
    let again = expectations::read(&shown, &new).map_err(|error| {
        CliError::internal(format!("what would be written to `{shown}` cannot be read: {error}"))
    })?;
    let place = Output::open(&path, Existing::Replace)?;
    let is_standard = place.is_standard();
    place.put(&new)?;
    if is_standard {
        return Ok(ExitReason::Success);
    }
    let (judgement, left) =
        Known { expectations: again, today, is_part: journal.opened.is_part() }.judge(&journal.report);
    if judgement.is_good() {
        let records = match judgement.expected {
            0 => String::new(),
            records => format!("{} in ", plural(records, "record")),
        };
        let files = plural(judgement.expected_files.len() as u64, "file");
        ui.print(&format!("{shown}: {records}{files} expected to fail or to be flaky\n"))?;
    } else {
        // Entries of the user that pass or have expired are for the user to change.
        ui.print(&format!("{shown}\n{left}"))?;
    }
    Ok(ExitReason::Success)
}

/// Where the file belongs, if all files of the run are of one suite on the disk.
fn place_for(journal: &Journal) -> Result<PathBuf, CliError> {
    let documents = known::documents(places(journal));
    let hint = "--expectations FILE names the file".to_owned();
    match documents.len() {
        1 => Ok(documents.into_iter().next().unwrap_or_default()),
        0 => Err(CliError::usage("the suite of this run is no folder".to_owned(), vec![hint])),
        _ => Err(CliError::usage("this run is of more than one folder".to_owned(), vec![hint])),
    }
}

fn check(args: &LedgerCheckArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let journal = find_journal(&args.run, keeping, ui)?;
    let Some(known) = Known::load(&args.expectations, places(&journal), journal.opened.is_part())? else {
        let hint =
            "`ledger update` writes what fails in a run, and --expectations FILE names the file".to_owned();
        return Err(CliError::usage(format!("there is no `{}`", expectations::FILE_NAME), vec![hint]));
    };
    let (judgement, text) = known.judge(&journal.report);
    ui.print(&text)?;
    Ok(known::reason(&journal.report, &judgement, false))
}
