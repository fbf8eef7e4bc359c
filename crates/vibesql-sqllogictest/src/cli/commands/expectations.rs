//! `expectations`: adds the failures of a run to the expected ones, and checks a run against them.

use std::path::PathBuf;

use crate::cli::args::{ExpectationsCheckArgs, ExpectationsCommand, ExpectationsUpdateArgs};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::{ExitReason, VerdictRules};
use crate::cli::find_run::find_journal;
use crate::cli::loaded_expectations::{self, LoadedExpectations};
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_insight::expectations::{self, Expectations, Note};
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::Opened;
use slt_runner::text::count::plural;

pub(in crate::cli) fn run(
    command: ExpectationsCommand,
    location: &ResultsLocation,
    ui: &mut Ui,
) -> CommandResult {
    match command {
        ExpectationsCommand::Update(args) => update(&args, location, ui),
        ExpectationsCommand::Check(args) => check(args, location, ui),
    }
}

fn update(args: &ExpectationsUpdateArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let journal = find_journal(&args.run, location, ui)?;
    let path = match &args.expectations {
        Some(path) => path.clone(),
        None => document_for(&journal.opened)?,
    };
    let (text, known) = if path.is_file() {
        loaded_expectations::read(&path)?
    } else {
        (String::new(), Expectations::default())
    };
    let today = expectations::today(milliseconds_since_1970());
    let note = Note {
        reason: args.reason.clone(),
        issue: args.issue.clone(),
        owner: args.owner.clone(),
        expires: args.expires,
    };
    let new = expectations::update(&text, &known, &journal.report, today, &note);
    let shown = loaded_expectations::shown(&path);
    if args.dry_run {
        ui.print(&new)?;
        return Ok(ExitReason::Success);
    }
    // The new text must be readable before it replaces the file of the user.
    let again = expectations::read(&shown, &new).map_err(|error| {
        CliError::internal(format!("what would be written to `{shown}` cannot be read: {error}"))
    })?;
    let place = OutputFile::open(&path, ExistingFile::Replace)?;
    let is_standard = place.is_standard();
    place.put(&new)?;
    if is_standard {
        return Ok(ExitReason::Success);
    }
    let (judgement, left) =
        LoadedExpectations { expectations: again, today, is_part: journal.opened.is_part() }
            .judge(&journal.report);
    if judgement.is_good() {
        let records = match judgement.expected {
            0 => String::new(),
            records => format!("{} in ", plural(records, "record")),
        };
        let files = plural(judgement.expected_files.len() as u64, "file");
        ui.print(&format!("{shown}: {records}{files} expected to fail or to be flaky\n"))?;
    } else {
        // Entries of the user that pass or have expired are left to the user.
        ui.print(&format!("{shown}\n{left}"))?;
    }
    Ok(ExitReason::Success)
}

/// Returns the path of the file, if all files of the run are of one suite on disk.
fn document_for(opened: &Opened) -> Result<PathBuf, CliError> {
    let documents = loaded_expectations::documents_of_run(opened);
    let hint = "use --expectations FILE to name the file".to_owned();
    match documents.len() {
        1 => Ok(documents.into_iter().next().unwrap_or_default()),
        0 => Err(CliError::usage("the suite of this run is not a folder".to_owned(), vec![hint])),
        _ => Err(CliError::usage("this run has more than one suite folder".to_owned(), vec![hint])),
    }
}

fn check(args: ExpectationsCheckArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let journal = find_journal(&args.run, location, ui)?;
    let Some(known) = LoadedExpectations::load_for_run(&args.expectations.into(), &journal.opened)? else {
        let hint = "run `expectations update` to write it, or use --expectations FILE to name another file"
            .to_owned();
        return Err(CliError::usage(format!("there is no `{}`", expectations::FILE_NAME), vec![hint]));
    };
    let (judgement, text) = known.judge(&journal.report);
    ui.print(&text)?;
    let rules = VerdictRules { fail_on_empty: false, flaky: journal.report.header.flaky };
    Ok(loaded_expectations::exit_reason(&journal.report, &judgement, rules))
}
