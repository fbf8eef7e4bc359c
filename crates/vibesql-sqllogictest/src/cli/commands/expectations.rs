//! `expectations`: adds the failures of a run to the expected ones, and checks a run against them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::args::{ExpectationsCheckArgs, ExpectationsCommand, ExpectationsUpdateArgs};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::{ExitReason, VerdictRules};
use crate::cli::find_run::find_journal;
use crate::cli::loaded_expectations::{self, LoadedExpectations};
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_core::location::path_text;
use slt_insight::expectations::{self, DocumentFiles, EntryDetails, Expectations};
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
    let (path, files) = match &args.expectations {
        Some(path) => (path.clone(), loaded_expectations::files_of_named(path, journal.opened.places())),
        None => document_for(&journal.opened)?,
    };
    let (text, known) = if path.is_file() {
        loaded_expectations::read(&path, &files)?
    } else {
        (String::new(), Expectations::default())
    };
    let today = expectations::today(milliseconds_since_1970());
    let details = EntryDetails {
        reason: args.reason.clone(),
        issue: args.issue.clone(),
        owner: args.owner.clone(),
        expires: args.expires,
    };
    let new = expectations::update(&text, &known, &files, &journal.report, today, &details);
    let shown = loaded_expectations::shown(&path);
    if args.dry_run {
        ui.print(&new)?;
        return Ok(ExitReason::Success);
    }
    // The new text must be readable before it replaces the file of the user.
    let again = expectations::read(&shown, &new, &files).map_err(|error| {
        CliError::internal(format!("what would be written to `{shown}` cannot be read: {error}"))
    })?;
    if OutputFile::open(&path, ExistingFile::Replace)?.put(&new)?.is_none() {
        return Ok(ExitReason::Success);
    }
    let is_part = journal.opened.is_part();
    let known = LoadedExpectations { expectations: again, today, is_part, folders: Vec::new() };
    let judgement = known.judge_stored(&journal.report);
    if judgement.is_good() {
        let records = match judgement.expected {
            0 => String::new(),
            records => format!("{} in ", plural(records, "record")),
        };
        let files = plural(judgement.expected_files.len() as u64, "file");
        ui.print(&format!("{shown}: {records}{files} expected to fail or to be flaky\n"))?;
    } else {
        // Entries of the user that pass or have expired are left to the user.
        ui.print(&format!("{shown}\n{}", known.text(&journal.report, &judgement)))?;
    }
    Ok(ExitReason::Success)
}

/// Returns the path of the nearest file above all test files of the run, or else of a new one in the folder that was run,
/// with the test files that it is about.
fn document_for(opened: &Opened) -> Result<(PathBuf, DocumentFiles), CliError> {
    let usage = |message: &str| CliError::usage(message, "use --expectations FILE to name the file");
    let is_above_all = |files: &DocumentFiles| opened.places.keys().all(|file| files.below(file).is_some());
    let found = loaded_expectations::find(opened.places(), None)?;
    // The nearest one has the longest path.
    if let Some(nearest) = found.into_iter().rfind(|(_, files)| is_above_all(files)) {
        return Ok(nearest);
    }
    let named = opened.circumstances.as_ref().map_or(&[][..], |circumstances| &circumstances.suite);
    let path = match named {
        [] => None,
        [word] => opened.folder.join(path_text::typed(word)).canonicalize().ok(),
        _ => return Err(usage("this run has more than one suite folder")),
    };
    let folder =
        path.and_then(|path| if path.is_dir() { Some(path) } else { Some(path.parent()?.to_owned()) });
    let document = folder.map(|folder| folder.join(expectations::FILE_NAME));
    let document = document.ok_or_else(|| usage("the suite of this run is not a folder"))?;
    let found = loaded_expectations::find(opened.places(), Some(&document))?;
    let files = found.get(&document).cloned().unwrap_or_else(|| DocumentFiles::found(BTreeMap::new()));
    if let Some((_, place)) = opened.places().find(|(file, _)| files.below(file).is_none()) {
        let [document, place] = [document.as_path(), place].map(loaded_expectations::shown);
        let message = format!("`{place}` is of another suite, for which runs would not read `{document}`");
        let hint = "run each suite by itself, or use --expectations FILE here and in runs";
        return Err(CliError::usage(message, hint));
    }
    Ok((document, files))
}

fn check(args: ExpectationsCheckArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let journal = find_journal(&args.run, location, ui)?;
    let Some(known) = LoadedExpectations::load_for_run(&args.expectations.into(), &journal.opened)? else {
        let hint = "run `expectations update` to write it, or use --expectations FILE to name another file";
        return Err(CliError::usage(format!("there is no `{}`", expectations::FILE_NAME), hint));
    };
    let judgement = known.judge_stored(&journal.report);
    ui.print(&known.text(&journal.report, &judgement))?;
    let rules = VerdictRules { fail_on_empty: false, flaky: journal.report.header.flaky };
    Ok(loaded_expectations::exit_reason(&journal.report, &judgement, rules))
}
