//! Records that change the execution of later ones.

use super::FileRunner;
use super::flow::only_problems;
use super::values_to_keep;
use crate::engine::{Capability, DatabaseFile, SqlError};
use crate::executor::correction::correct_text;
use crate::executor::evidence::excerpt;
use crate::executor::host::HostError;
use crate::location::text_of;
use crate::outcome::{Fault, FileEnd, Mismatch, MissingRequirement, Problem, RecordOutcome, SkipReason};
use crate::parser::{
    Block, Control, DatabaseAction, ParseError, ParseErrorKind, Record, Renderer, Requirement, System,
    VariableSyntax,
};

impl<'r> FileRunner<'r> {
    /// Carries out a control record, which has no outcome unless it fails.
    pub(super) fn control(
        &mut self,
        record: &'r Record<'r>,
        control: &'r Control<'r>,
    ) -> Option<RecordOutcome> {
        let state = &mut self.state.rules;
        match control {
            Control::HashThreshold(threshold) => state.set_threshold(*threshold),
            Control::Halt => self.report.end = FileEnd::Halted { id: self.place(record) },
            Control::Sleep(time) => self.surroundings.host.sleep(*time),
            Control::SortMode(sort) => state.sort = *sort,
            Control::ResultLayout(layout) => state.layout = *layout,
            Control::Substitution(on) => state.substitutes = *on,
            Control::ShowColumnNames(on) => state.shows_names = *on,
            Control::Comparison(on) => state.compares = *on,
            Control::Require(requirement) => return only_problems(self.require(record, requirement)),
            Control::TestEnvironment { name, default } => {
                // DuckDB's runner does not look at the environment here.
                state.variables.set(name, *default);
            }
            Control::BeginSkip => state.skips = state.skips.wrapping_add(1),
            // The counter of DuckDB's runner wraps around; strict files have no `mode unskip` too many.
            Control::EndSkip => state.skips = state.skips.wrapping_sub(1),
            Control::IgnoreErrors(texts) => {
                state.ignored_errors = texts.iter().map(|text| text.to_vec()).collect();
            }
            Control::AlwaysFailErrors(texts) => {
                state.fatal_errors = texts.iter().map(|text| text.to_vec()).collect();
            }
            Control::SetVariable { name, value } => state.variables.set(name, *value),
            Control::ResetLabel(label) => {
                if !self.state.labels.forget(label) {
                    let text = format!("expected the label of an earlier query, found `{}`", text_of(label));
                    return Some(RecordOutcome::Failed(self.malformed_at(record.line, text)));
                }
            }
            Control::User(user) => state.user = Some(user.to_vec()).filter(|user| !user.is_empty()),
            Control::Seed(seed) => return only_problems(self.seed(seed)),
            Control::EngineMode(mode) => return only_problems(self.engine_mode(mode)),
            Control::RefusedInclude(why) => {
                return Some(RecordOutcome::Failed(Problem::NotAllowed(why.to_string())));
            }
            Control::Subtest(_)
            | Control::Tags(_)
            | Control::Ignored
            // The flow of control has them.
            | Control::Include(_)
            | Control::Loop(_)
            | Control::EndLoop
            | Control::Continue => {}
        }
        None
    }

    fn seed(&mut self, seed: &[u8]) -> Result<(), Problem> {
        let sql = [b"SELECT setseed(", seed, b")"].concat();
        self.effect_of(&sql)
    }

    /// Switches the engine to a mode of SQL, as MySQL and VibeSQL do.
    fn engine_mode(&mut self, mode: &[u8]) -> Result<(), Problem> {
        let sql = [b"SET SQL_MODE = '", mode, b"'"].concat();
        self.effect_of(&sql)
    }

    fn effect_of(&mut self, sql: &[u8]) -> Result<(), Problem> {
        let done = self.state.processor.statement(None, sql)?;
        done.map(drop).map_err(|error| Problem::UnexpectedError { error, after_rows: false })
    }

    /// Ends the file as skipped unless the requirement holds.
    fn require(&mut self, record: &Record<'_>, requirement: &Requirement<'_>) -> Result<(), Problem> {
        let missing = match requirement {
            Requirement::Feature { name, argument } => {
                let known = self.surroundings.host.has_feature(name, *argument);
                match known {
                    Some(true) => None,
                    Some(false) => Some(feature_text(name, *argument)),
                    None => (!self.loads_extension(name)?).then(|| feature_text(name, *argument)),
                }
            }
            Requirement::Environment { name, value } => match self.surroundings.host.environment(name) {
                Some(found) if value.is_none_or(|value| found == value) => {
                    self.state.rules.variables.set(name, found);
                    None
                }
                Some(_) => Some(format!("another value of the environment variable {}", text_of(name))),
                None => Some(format!("the environment variable {}", text_of(name))),
            },
        };
        if let Some(missing) = missing {
            self.skip_rest(record, missing);
        }
        Ok(())
    }

    /// Skips the rest of the file.
    pub(super) fn skip_rest(&mut self, record: &Record<'_>, missing: String) {
        self.skips = Some(SkipReason::Requirement);
        let missing = MissingRequirement { id: self.place(record), what: missing };
        self.report.missing.get_or_insert(missing);
    }

    /// Tries to load an extension into the engine.
    fn loads_extension(&mut self, name: &[u8]) -> Result<bool, Problem> {
        if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            return Ok(false);
        }
        let sql = [b"LOAD ", name].concat();
        match self.state.processor.statement(None, &sql) {
            Ok(result) => Ok(result.is_ok()),
            Err(Problem::Unsupported(_)) => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    /// Changes the database as a whole.
    pub(super) fn database(&mut self, action: &DatabaseAction<'r>) -> Result<(), Problem> {
        let surroundings = self.surroundings;
        let needed = match action {
            DatabaseAction::Load { path: Some(_), .. } => Some(Capability::Load),
            DatabaseAction::Restart => Some(Capability::Restart),
            DatabaseAction::Reconnect => Some(Capability::Connections),
            _ => None,
        };
        if let Some(needed) = needed {
            self.check_capability(needed)?;
        }
        let done = match action {
            DatabaseAction::Load { path: None, .. } | DatabaseAction::Reset => {
                self.state.processor.replace_database(surroundings.engine)
            }
            DatabaseAction::Load { path: Some(path), read_only, version } => {
                let path = self.replaced(*path)?;
                let host = surroundings.host;
                let path = host.database_path(&path).map_err(host_problem)?;
                if !read_only {
                    host.remove_database(&path).map_err(host_problem)?;
                }
                let version = version.map(text_of);
                let file = DatabaseFile { path: &path, read_only: *read_only, version: version.as_deref() };
                self.state.processor.load(&file)
            }
            DatabaseAction::Restart => self.state.processor.restart(),
            DatabaseAction::Reconnect => self.state.processor.reconnect(),
            DatabaseAction::Unzip { archive, target } => {
                let archive = self.replaced(*archive)?;
                let target = target.map(|target| self.replaced(target)).transpose()?;
                surroundings.host.unzip(&archive, target.as_deref()).map_err(host_problem)
            }
            DatabaseAction::Copy { .. } => {
                Err(Problem::Unsupported("`copy` needs an engine that takes rows beside SQL".to_owned()))
            }
        };
        done.and_then(|()| self.set_up_connection())
    }

    /// Refuses what the engine has not declared, before any session ends for it.
    fn check_capability(&self, needed: Capability) -> Result<(), Problem> {
        match self.surroundings.engine.capabilities() {
            Ok(found) if found.contains(&needed) => Ok(()),
            Ok(_) => Err(Problem::Unsupported(format!(
                "this engine lacks `{}`: {}",
                needed.name(),
                needed.about()
            ))),
            Err(error) => Err(Problem::Fault(Fault::Lost(error.message))),
        }
    }

    /// Sets the default connection up for the dialect: in the files of SQLite, DuckDB divides whole numbers as SQLite.
    pub(super) fn set_up_connection(&mut self) -> Result<(), Problem> {
        let is_duckdb = self.options.labels.iter().any(|label| label.eq_ignore_ascii_case("duckdb"));
        if self.script.profile.renderer == Renderer::DuckdbOriginal && is_duckdb {
            return self.effect_of(b"SET integer_division = true");
        }
        Ok(())
    }

    /// Runs a shell command.
    pub(super) fn system(&mut self, system: &System<'r>) -> Result<(), Problem> {
        let command = match self.script.profile.variables {
            // The shell has the same syntax, and replaces all others.
            VariableSyntax::DollarOnRequest if self.state.rules.substitutes => {
                self.state.rules.variables.substitute_known(system.command.joined(), self.surroundings.host)
            }
            _ => self.replaced_sql(&system.command)?,
        };
        let result = self.surroundings.host.shell(&command).map_err(host_problem)?;
        if let Some(failure) = result.failure {
            let error = SqlError::new(failure);
            return Err(Problem::UnexpectedError { error, after_rows: false });
        }
        match &system.stdout {
            Some(expected) => self.compare_text(expected, &result.stdout),
            None => Ok(()),
        }
    }

    /// Compares the output of a command, apart from white space around it.
    fn compare_text(&mut self, expected: &Block<'_>, actual: &[u8]) -> Result<(), Problem> {
        let wanted = expected.lines().collect::<Vec<_>>().join(&b'\n');
        if wanted.trim_ascii() == actual.trim_ascii() {
            return Ok(());
        }
        if self.observer.wants_corrections() {
            let lines: Vec<_> = actual.trim_ascii().split(|&byte| byte == b'\n').collect();
            self.correction = Some(correct_text(expected, &lines));
        }
        let limit = values_to_keep(self.options.details, &self.report);
        let lines = |text: &[u8]| excerpt(text.trim_ascii().split(|&byte| byte == b'\n'), 0, limit);
        let mismatch = Mismatch::Rows { expected: lines(&wanted), actual: lines(actual), columns: 1 };
        Err(Problem::Mismatch(mismatch))
    }

    /// Returns the problem of a record with wrong text that shows only during execution.
    pub(super) fn malformed_at(&self, line: u32, text: String) -> Problem {
        let location = self.script.source.at(line);
        let error = ParseError { location, kind: ParseErrorKind::Other { text } };
        Problem::Malformed { error, executed: false }
    }
}

fn feature_text(name: &[u8], argument: Option<&[u8]>) -> String {
    let argument = argument.map(|argument| format!(" {}", text_of(argument))).unwrap_or_default();
    format!("{}{argument}", text_of(name))
}

/// Returns the problem of a record for which the host has not done something.
pub(super) fn host_problem(error: HostError) -> Problem {
    match error {
        HostError::NotAllowed(what) => Problem::NotAllowed(what),
        HostError::Failed(message) => {
            Problem::UnexpectedError { error: SqlError::new(message), after_rows: false }
        }
    }
}
