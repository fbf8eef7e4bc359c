//! The suite that this program carries, so that it has something to run wherever it is installed.

use globset::GlobBuilder;
use include_dir::{Dir, include_dir};

use super::error::CliError;
use crate::executor::parallel::{Filters, Origin, WorkItem, discover};

static SUITE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/suites");

/// What shipped files are called by: `suite:joins/inner.test`.
pub(super) const PREFIX: &str = "suite:";

/// Finds the files that `paths` name and that pass the filters.
pub(super) fn select_filtered(paths: &[String], filters: &Filters) -> Result<Vec<WorkItem>, CliError> {
    let found = select(paths)?;
    if let Some(name) = filters.missing(&found) {
        let hint =
            "--files wants whole paths below the root, as in the reports; `list` without it shows the files";
        let message = format!("no file `{name}` among the {} that were found", found.len());
        return Err(CliError::usage(message, vec![hint.to_owned()]));
    }
    let before = found.len();
    let items = filters.apply(found);
    if items.is_empty() {
        let message = format!("none of {before} files passes --filter, --exclude, --shard and --files");
        let hint = "`list` with the same options shows what is left; a filter is a part of the path, a glob over \
                    all of it, or category:NAME";
        return Err(CliError::nothing_selected(message, vec![hint.to_owned()]));
    }
    Ok(items)
}

/// Finds the files that `paths` name, among them shipped ones; all shipped ones when there is no path.
pub(super) fn select(paths: &[String]) -> Result<Vec<WorkItem>, CliError> {
    if paths.is_empty() {
        return Ok(shipped());
    }
    let (inside, outside): (Vec<_>, Vec<_>) =
        paths.iter().cloned().partition(|path| path.starts_with(PREFIX));
    let mut items = discover(&outside)?;
    for path in inside {
        items.extend(select_shipped(&path)?);
    }
    Ok(items)
}

/// The text of the shipped file that messages call `shown`.
pub(super) fn text(shown: &str) -> Option<&'static [u8]> {
    SUITE.get_file(shown.strip_prefix(PREFIX)?).map(include_dir::File::contents)
}

fn shipped() -> Vec<WorkItem> {
    let mut items = Vec::new();
    collect(&SUITE, &mut items);
    items.sort_by(|a, b| a.file.cmp(&b.file));
    items
}

fn collect(dir: &Dir<'static>, items: &mut Vec<WorkItem>) {
    for file in dir.files() {
        if file.path().extension().is_some_and(|ending| ending == "test") {
            let parts: Vec<_> = file.path().iter().map(|part| part.to_string_lossy()).collect();
            let path = parts.join("/");
            let (shown, origin) = (format!("{PREFIX}{path}"), Origin::Embedded(file.contents()));
            items.push(WorkItem { file: path, shown, origin, left_out: Vec::new() });
        }
    }
    dir.dirs().for_each(|dir| collect(dir, items));
}

/// The shipped files that `suite:PATH` means: a file, a folder or a glob.
fn select_shipped(path: &str) -> Result<Vec<WorkItem>, CliError> {
    let below = path.strip_prefix(PREFIX).unwrap_or(path).trim_end_matches('/');
    let glob = GlobBuilder::new(below).literal_separator(true).build().map(|glob| glob.compile_matcher());
    let matches = |file: &str| {
        below.is_empty()
            || file == below
            || file.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'))
            || glob.as_ref().is_ok_and(|glob| glob.is_match(file))
    };
    let items: Vec<_> = shipped().into_iter().filter(|item| matches(&item.file)).collect();
    if items.is_empty() {
        let hint = "`vibesql-sqllogictest list` lists the shipped files".to_owned();
        return Err(CliError::nothing_selected(format!("no shipped file matches `{path}`"), vec![hint]));
    }
    Ok(items)
}
