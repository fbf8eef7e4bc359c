//! Resolves the command line, the environment and the file into one complete command line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::environment::{EnvironmentVariables, VariableNote};
use super::error::ConfigError;
use super::file::{ConfigEntry, ConfigFile, DEFAULT_PROFILE, FileOverride};
use super::flags::{self, ConfigScope};
use super::layers::{ConfigSection, GivenSetting, IgnoredSetting, SettingOrigin, SettledSettings, settle};
use super::reader;
use slt_runner::parallel::Pattern;

/// The argument for the paths of a suite.
const PATHS: &str = "paths";

/// A complete command line, with the origins of its settings.
#[derive(Debug, Default)]
pub(in crate::cli) struct ResolvedArguments {
    pub(in crate::cli) arguments: Vec<OsString>,
    /// The command, with its subcommands.
    pub(in crate::cli) command: Vec<String>,
    /// The global options that were typed.
    pub(in crate::cli) globals: Vec<OsString>,
    /// The origins of settings by the identifiers of the arguments; others have their defaults.
    pub(in crate::cli) origins: BTreeMap<String, SettingOrigin>,
    pub(in crate::cli) left_out: Vec<IgnoredSetting>,
    /// Notes about old variables.
    pub(in crate::cli) notes: Vec<VariableNote>,
    pub(in crate::cli) overrides: Vec<FileOverride>,
    /// Whether the file has more than one suite.
    has_suites: bool,
    /// The path of the configuration file.
    pub(in crate::cli) file: Option<String>,
    /// The profile, with those that it inherits from.
    pub(in crate::cli) profiles: Vec<String>,
    pub(in crate::cli) suite: Option<String>,
}

impl ResolvedArguments {
    /// Returns the patterns that should match a file, each with its origin for messages. `patterns` are those of the
    /// command, each with its flag.
    pub(in crate::cli) fn patterns_to_match<'p>(
        &self,
        patterns: impl Iterator<Item = (&'static str, &'p Pattern)>,
    ) -> Vec<(String, Pattern)> {
        let mut to_match = Vec::new();
        for (flag, pattern) in patterns {
            match self.origins.get(flag) {
                Some(SettingOrigin::CommandLine) => {
                    to_match.push((format!("--{flag} `{pattern}`"), pattern.clone()));
                }
                Some(origin) if self.must_match(origin) => {
                    to_match.push((format!("{flag} `{pattern}` ({})", origin.place()), pattern.clone()));
                }
                _ => {}
            }
        }
        let file = self.file.as_deref().unwrap_or_default();
        for FileOverride { files, pattern, line, .. } in &self.overrides {
            let origin =
                SettingOrigin::File { file: file.to_owned(), section: ConfigSection::Defaults, line: *line };
            if self.must_match(&origin) {
                to_match.push((format!("override `{files}` ({})", origin.place()), pattern.clone()));
            }
        }
        to_match
    }

    /// Returns the time limits of single files.
    pub(in crate::cli) fn timeouts(&self) -> Vec<(Pattern, Option<Duration>)> {
        self.overrides.iter().filter_map(|one| Some((one.pattern.clone(), one.timeout?))).collect()
    }

    /// Returns the dialects of single files.
    pub(in crate::cli) fn dialects(&self) -> Vec<(Pattern, String)> {
        self.overrides.iter().filter_map(|one| Some((one.pattern.clone(), one.dialect.clone()?))).collect()
    }

    /// Whether a pattern that was not typed should match a file: not if paths are typed, and not if it is for several
    /// suites.
    fn must_match(&self, origin: &SettingOrigin) -> bool {
        let is_for_all =
            matches!(origin, SettingOrigin::File { section: ConfigSection::Defaults, .. }) && self.has_suites;
        self.origins.get(PATHS) != Some(&SettingOrigin::CommandLine) && !is_for_all
    }
}

/// An error of the command line or of the configuration.
#[derive(Debug)]
pub(in crate::cli) enum ResolveError {
    /// The typed arguments are wrong, or request help.
    Typed(clap::Error),
    Configuration(Vec<ConfigError>),
}

impl From<ConfigError> for ResolveError {
    fn from(error: ConfigError) -> Self {
        Self::Configuration(vec![error])
    }
}

impl From<clap::Error> for ResolveError {
    fn from(error: clap::Error) -> Self {
        Self::Typed(error)
    }
}

/// Reads the configuration file at the path, or searches for it.
pub(in crate::cli) type ReadFile<'r> =
    dyn Fn(Option<&Path>) -> Result<Option<(PathBuf, String)>, ConfigError> + 'r;

/// Completes a command line with the settings of the environment and the file.
///
/// # Errors
///
/// Fails if one of the three is wrong.
pub(in crate::cli) fn resolve(
    definition: &Command,
    arguments: Vec<OsString>,
    environment: &EnvironmentVariables,
    read: &ReadFile<'_>,
) -> Result<ResolvedArguments, ResolveError> {
    let matches = definition.clone().try_get_matches_from(&arguments)?;
    let mut root = definition.clone();
    root.build();
    let (path, matches) = innermost(&matches);
    let (scope, command) = (flags::scope(&root, &path), flags::command_at(&root, &path));
    let Some(command) = command.filter(|_| scope != ConfigScope::Nothing) else {
        return Ok(ResolvedArguments { arguments, command: path, ..ResolvedArguments::default() });
    };
    let line = CommandLine { definition, root: &root, command, scope, path: &path, arguments: &arguments };
    let typed = line.typed(matches);
    let globals = line.typed_globals(matches);
    let mut given = line.settle(&typed, line.variables(environment, &typed)?)?;
    let mut notes: Vec<_> = given.kept.iter().filter_map(|kept| kept.note.clone()).collect();
    notes.extend(environment.notes(command, |flag| typed.iter().any(|(_, name)| name == flag)));
    let mut resolved =
        ResolvedArguments { command: path.clone(), globals, notes, ..ResolvedArguments::default() };

    if matches!(scope, ConfigScope::Everything | ConfigScope::GlobalsOfFile) {
        let matches = definition.clone().try_get_matches_from(line.with(&given.kept))?;
        let chosen = SelectedConfig::new(&line, innermost(&matches).1, &given.kept, read)?;
        if let Some(chosen) = chosen {
            let all = given.kept.iter().cloned().chain(chosen.given(&line)).collect();
            let left_out = std::mem::take(&mut given.left_out);
            given = line.settle(&typed, all)?;
            given.left_out.splice(0..0, left_out);
            resolved.file = Some(chosen.file.shown.clone());
            resolved.profiles = chosen.layers_of_profiles();
            resolved.suite = chosen.suite;
            resolved.has_suites = chosen.file.suites.len() > 1;
            resolved.overrides = chosen.file.overrides;
        }
    }
    resolved.arguments = line.with(&given.kept);
    resolved.origins = typed.into_iter().map(|(id, _)| (id, SettingOrigin::CommandLine)).collect();
    resolved.origins.extend(given.kept.into_iter().map(|given| (given.id, given.origin)));
    resolved.left_out = given.left_out;
    // What is typed, or set in the environment, is for all files, and replaces the overrides of the file.
    let applies = |flag: &str| {
        let origin = resolved.origins.get(flag);
        let is_for_all = matches!(origin, Some(SettingOrigin::CommandLine | SettingOrigin::Variable(_)));
        !is_for_all && flags::flag(command, flag).is_some()
    };
    let (timeout, dialect) = (applies("timeout"), applies("dialect"));
    resolved.overrides.retain_mut(|one| {
        one.timeout = one.timeout.filter(|_| timeout);
        one.dialect = one.dialect.take_if(|_| dialect);
        one.timeout.is_some() || one.dialect.is_some()
    });
    Ok(resolved)
}

/// Returns the typed command with its subcommands, and its arguments.
fn innermost(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, next)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = next;
    }
    (path, matches)
}

/// The typed command line, with its definition.
struct CommandLine<'c> {
    definition: &'c Command,
    /// The definition, in which each command has the global options.
    root: &'c Command,
    command: &'c Command,
    scope: ConfigScope,
    path: &'c [String],
    arguments: &'c [OsString],
}

impl CommandLine<'_> {
    /// Returns the identifiers and flags of the typed arguments.
    fn typed(&self, matches: &ArgMatches) -> Vec<(String, String)> {
        let typed =
            |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let names = |arg: &Arg| {
            let id = arg.get_id().as_str();
            (id.to_owned(), arg.get_long().unwrap_or(id).to_owned())
        };
        self.command.get_arguments().filter(typed).map(names).collect()
    }

    fn typed_globals(&self, matches: &ArgMatches) -> Vec<OsString> {
        let mut words = Vec::new();
        for (long, arg) in flags::flags(self.command).filter(|(_, arg)| arg.is_global_set()) {
            let id = arg.get_id().as_str();
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                continue;
            }
            if !flags::takes_value(arg) {
                words.push(format!("--{long}").into());
                continue;
            }
            for value in matches.get_raw(id).into_iter().flatten() {
                let mut word = OsString::from(format!("--{long}="));
                word.push(value);
                words.push(word);
            }
        }
        words
    }

    /// Whether a flag can be set by the environment and the file.
    fn concerns(&self, arg: &Arg) -> bool {
        self.scope == ConfigScope::Everything || arg.is_global_set()
    }

    /// Returns the settings of the environment that were not typed.
    fn variables(
        &self,
        environment: &EnvironmentVariables,
        typed: &[(String, String)],
    ) -> Result<Vec<GivenSetting>, ResolveError> {
        let (mut given, mut errors) = (Vec::new(), Vec::new());
        for (long, arg) in flags::flags(self.command) {
            let id = arg.get_id().as_str();
            if !self.concerns(arg) || typed.iter().any(|(typed, _)| typed == id) {
                continue;
            }
            match self.variable(environment, long, arg) {
                Ok(new) => given.extend(new),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(given) } else { Err(ResolveError::Configuration(errors)) }
    }

    fn variable(
        &self,
        environment: &EnvironmentVariables,
        long: &str,
        arg: &Arg,
    ) -> Result<Option<GivenSetting>, ConfigError> {
        let Some(variable) = environment.given(long, arg)? else { return Ok(None) };
        let words = match flags::accepted_words(self.root, self.path, arg, &variable.value) {
            Ok(words) => words,
            Err(_) if flags::suits_some(self.root, long, &variable.value) => return Ok(None),
            Err(error) => return Err(ConfigError::Variable { variable: variable.name, error }),
        };
        let (id, flag) = (arg.get_id().to_string(), long.to_owned());
        let (origin, note) = (SettingOrigin::Variable(variable.name), variable.note);
        Ok(Some(GivenSetting { id, flag, words, origin, rank: 0, note }))
    }

    fn settle(
        &self,
        typed: &[(String, String)],
        given: Vec<GivenSetting>,
    ) -> Result<SettledSettings, ConfigError> {
        settle(typed, given, |one, other| self.exclude(one, other) || self.exclude(other, one)).map_err(
            |wrong| ConfigError::Conflict {
                first: wrong.first.flag,
                first_place: wrong.first.origin.place(),
                second: wrong.second.flag,
                second_place: wrong.second.origin.place(),
            },
        )
    }

    fn exclude(&self, one: &str, other: &str) -> bool {
        let one = self.command.get_arguments().find(|arg| arg.get_id() == one);
        one.is_some_and(|one| {
            self.command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other)
        })
    }

    /// Returns the typed arguments with the words of `given` after the command.
    fn with(&self, given: &[GivenSetting]) -> Vec<OsString> {
        let (before, after) = self.arguments.split_at(self.end_of_command());
        // Flags come first, since only paths may follow a path.
        let (paths, flags): (Vec<_>, Vec<_>) = given.iter().partition(|given| given.id == PATHS);
        let words = flags.into_iter().chain(paths).flat_map(|given| given.words.iter().map(OsString::from));
        before.iter().cloned().chain(words).chain(after.iter().cloned()).collect()
    }

    /// Returns the number of words up to the name of the command; only options precede it.
    fn end_of_command(&self) -> usize {
        let (mut command, mut at) = (self.definition, 1);
        for name in self.path {
            while let Some(word) = self.arguments.get(at).map(|word| word.to_string_lossy()) {
                at += 1;
                let next = command.find_subcommand(word.as_ref());
                if let Some(next) = next.filter(|next| next.get_name() == name) {
                    command = next;
                    break;
                }
                at += usize::from(self.takes_next_word(&word));
            }
        }
        at.min(self.arguments.len())
    }

    fn takes_next_word(&self, word: &str) -> bool {
        let arg = match (word.strip_prefix("--"), word.strip_prefix('-')) {
            (Some(long), _) => self.root.get_arguments().find(|arg| arg.get_long() == Some(long)),
            (None, Some(short)) => {
                let mut letters = short.chars();
                let letter = letters.next().filter(|_| letters.next().is_none());
                self.root.get_arguments().find(|arg| letter.is_some() && arg.get_short() == letter)
            }
            (None, None) => None,
        };
        arg.is_some_and(flags::takes_value)
    }
}

/// The parts of the file that are used.
struct SelectedConfig {
    file: ConfigFile,
    profile: String,
    suite: Option<String>,
}

impl SelectedConfig {
    fn new(
        line: &CommandLine<'_>,
        matches: &ArgMatches,
        given: &[GivenSetting],
        read: &ReadFile<'_>,
    ) -> Result<Option<Self>, ResolveError> {
        // Definitions in tests lack some of these.
        let word = |id: &str| matches.try_get_one::<String>(id).ok().flatten().cloned();
        let place = |id: &str| {
            let given = given.iter().find(|given| given.id == id);
            given.map_or_else(|| format!("--{id}"), |given| given.origin.place())
        };
        let (profile, suite) = (word("profile"), word("suite"));
        let text = match matches.try_get_one::<bool>("no_config").ok().flatten() {
            Some(true) => None,
            _ => read(matches.try_get_one::<PathBuf>("config").ok().flatten().map(PathBuf::as_path))?,
        };
        let Some((path, text)) = text else {
            let named = profile.map(|name| ("profile", name)).or(suite.map(|name| ("suite", name)));
            return match named {
                Some((kind, name)) => Err(ConfigError::NoFile { place: place(kind), kind, name }.into()),
                None => Ok(None),
            };
        };
        let file = reader::parse(line.root, &path, &text).map_err(ResolveError::Configuration)?;
        if let Some(name) = profile.as_ref().filter(|name| *name != DEFAULT_PROFILE) {
            reader::check_name("profile", name, &place("profile"), file.profiles.keys())?;
        }
        if let Some(name) = &suite {
            reader::check_name("suite", name, &place("suite"), file.suites.keys())?;
        }
        let has_suites = flags::flag(line.command, "suite").is_some();
        let paths = matches.try_contains_id(PATHS).unwrap_or(true);
        let suite = suite.or_else(|| file.default_suite.clone().filter(|_| has_suites && !paths));
        Ok(Some(Self { profile: profile.unwrap_or_else(|| DEFAULT_PROFILE.to_owned()), suite, file }))
    }

    fn layers_of_profiles(&self) -> Vec<String> {
        self.file.chain(&self.profile).into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns the settings of the file for a command, layer by layer.
    fn given(&self, line: &CommandLine<'_>) -> Vec<GivenSetting> {
        let mut layers: Vec<(ConfigSection, &[ConfigEntry])> = Vec::new();
        for (name, profile) in self.file.chain(&self.profile) {
            layers.push((ConfigSection::Profile(name.to_owned()), &profile.settings));
        }
        let suite = self.suite.as_ref().and_then(|name| self.file.suites.get_key_value(name));
        if let Some((name, suite)) = suite {
            layers.push((ConfigSection::Suite(name.clone()), &suite.settings));
        }
        layers.push((ConfigSection::Defaults, &self.file.defaults));
        let mut given = Vec::new();
        for (rank, (section, entries)) in layers.iter().enumerate() {
            for entry in *entries {
                given.extend(self.setting(line, section, entry, rank + 1));
            }
        }
        if let Some((name, suite)) = suite.filter(|(_, suite)| !suite.paths.is_empty()) {
            let origin = self.origin(&ConfigSection::Suite(name.clone()), suite.line);
            let words = suite.paths.iter().map(|path| self.path(path)).collect();
            let (id, flag) = (PATHS.to_owned(), PATHS.to_owned());
            given.push(GivenSetting { id, flag, words, origin, rank: layers.len() - 1, note: None });
        }
        given
    }

    fn setting(
        &self,
        line: &CommandLine<'_>,
        section: &ConfigSection,
        entry: &ConfigEntry,
        rank: usize,
    ) -> Option<GivenSetting> {
        let arg = flags::flag(line.command, &entry.key).filter(|arg| line.concerns(arg))?;
        let origin = self.origin(section, entry.line);
        let value = flags::from_folder(arg, entry.value.clone(), &self.file.folder);
        // The reader has found a command that accepts the value. If this one does not, the value is for others.
        let words = flags::accepted_words(line.root, line.path, arg, &value).ok()?;
        let (id, flag) = (arg.get_id().to_string(), entry.key.clone());
        Some(GivenSetting { id, flag, words, origin, rank, note: None })
    }

    fn origin(&self, section: &ConfigSection, line: usize) -> SettingOrigin {
        SettingOrigin::File { file: self.file.shown.clone(), section: section.clone(), line }
    }

    /// Returns a path of a suite relative to the working directory.
    fn path(&self, path: &str) -> String {
        if path.starts_with(crate::cli::suite::PREFIX) {
            return path.to_owned();
        }
        let path = flags::below(&self.file.folder, path);
        // Otherwise it would be parsed as an option.
        if path.starts_with('-') { format!("./{path}") } else { path }
    }
}
