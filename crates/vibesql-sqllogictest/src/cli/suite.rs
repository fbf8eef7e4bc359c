//! The shipped suite, which is embedded in the program.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::config::FILE_NAME;
use super::error::CliError;
use super::stream;
use super::ui::Ui;
use slt_core::location::file_id::{SHIPPED_SUITE, SuiteName};
use slt_core::location::{FileId, path_text};
use slt_runner::parallel::{FileSource, SuiteConfig, SuiteResolver, WorkItem, discover, tell_apart};

static SUITE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/suites");

/// The prefix of the paths of shipped files, such as `suite:joins/inner.test`.
pub(super) const PREFIX: &str = "suite:";

/// Finds the files of `paths`, including shipped files and standard input; all shipped files if there are no paths.
///
/// `name` is the name of the suite, if it was given.
pub(super) fn select(
    paths: &[String],
    name: Option<&SuiteName>,
    ui: &mut Ui,
) -> Result<Vec<WorkItem>, CliError> {
    if paths.is_empty() {
        return Ok(shipped());
    }
    let mut suites = resolver(name.cloned());
    let (mut others, mut on_disk) = (Vec::new(), Vec::new());
    for path in paths {
        if path.starts_with(PREFIX) {
            others.extend(select_shipped(path)?);
        } else if let Some(streamed) = stream::read(path) {
            let streamed = streamed?;
            if stream::is_stdin(&streamed) && others.iter().any(stream::is_stdin) {
                return Err(CliError::usage("standard input is named twice", ""));
            }
            others.push(streamed);
        } else {
            on_disk.push(path.clone());
        }
    }
    let mut items = discover(&on_disk, &mut suites, &mut |note| ui.warn(&note.to_string()))?;
    items.append(&mut others);
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.file.clone()));
    tell_apart(&mut items.iter_mut().map(|item| &mut item.file).collect::<Vec<_>>());
    Ok(items)
}

/// Returns a resolver that reads the configuration of suites.
pub(super) fn resolver(name: Option<SuiteName>) -> SuiteResolver<'static> {
    SuiteResolver::new(name, suite_config)
}

/// Reads the name of the suite from `sqllogictest.toml` in a directory.
fn suite_config(directory: &Path) -> Result<SuiteConfig, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct SuiteFile {
        suite_name: Option<String>,
    }
    let path = directory.join(FILE_NAME);
    if !path.is_file() {
        return Ok(SuiteConfig::Missing);
    }
    let wrong = |message: String| format!("`{}`: {message}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let document: SuiteFile = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
    match document.suite_name {
        None => Ok(SuiteConfig::Unnamed),
        Some(name) => name.parse().map(SuiteConfig::Named).map_err(|error| wrong(format!("{error}"))),
    }
}

/// Whether `paths` are whole folders, or all shipped files, so that they select complete suites.
pub(super) fn are_whole(paths: &[String]) -> bool {
    paths.iter().all(|path| path == PREFIX || path_text::typed(path).is_dir())
}

/// Whether each of these directories is in a directory of `paths`, so that all of its files are found.
pub(super) fn cover(paths: &[String], directories: &[PathBuf]) -> bool {
    let named: Vec<_> = paths.iter().filter_map(|path| path_text::typed(path).canonicalize().ok()).collect();
    directories.iter().all(|directory| named.iter().any(|named| directory.starts_with(named)))
}

/// Returns the text of the shipped file with this name in messages.
pub(super) fn text(shown: &str) -> Option<&'static [u8]> {
    SUITE.get_file(shown.strip_prefix(PREFIX)?).map(include_dir::File::contents)
}

fn shipped() -> Vec<WorkItem> {
    let mut items = Vec::new();
    collect(&SUITE, &mut items);
    items.sort_by(|a, b| a.file.path().cmp(b.file.path()));
    items
}

fn collect(dir: &Dir<'static>, items: &mut Vec<WorkItem>) {
    for file in dir.files() {
        if file.path().extension().is_some_and(|ending| ending == "test") {
            let parts: Vec<_> = file.path().iter().map(|part| part.to_string_lossy()).collect();
            let path = parts.join("/");
            let (shown, origin) = (format!("{PREFIX}{path}"), FileSource::Embedded(file.contents()));
            let file = FileId::in_suite(SHIPPED_SUITE, &path);
            items.push(WorkItem {
                file,
                below: path,
                shown,
                source: origin,
                left_out: Vec::new(),
                dialect: None,
            });
        }
    }
    dir.dirs().for_each(|dir| collect(dir, items));
}

/// Returns the shipped files of `suite:PATH`: a file, a folder or a glob.
fn select_shipped(path: &str) -> Result<Vec<WorkItem>, CliError> {
    let below = path.strip_prefix(PREFIX).unwrap_or(path).trim_end_matches('/');
    let glob = GlobBuilder::new(below).literal_separator(true).build().map(|glob| glob.compile_matcher());
    let matches = |file: &str| {
        below.is_empty()
            || file == below
            || file.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'))
            || glob.as_ref().is_ok_and(|glob| glob.is_match(file))
    };
    let items: Vec<_> = shipped().into_iter().filter(|item| matches(item.file.path())).collect();
    if items.is_empty() {
        let hint = "`vibesql-sqllogictest list` lists the shipped files";
        return Err(CliError::nothing_selected(format!("no shipped file matches `{path}`"), hint));
    }
    Ok(items)
}
