//! Reads `sqllogictest.toml`, and reports all of its errors, also those in parts that are not used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::file::{
    ConfigEntry, ConfigFile, ConfigProfile, ConfigSuite, DEFAULT_PROFILE, FILE_NAME, FileOverride, SUITE_NAME,
};
use super::flags::{self, FlagError, FlagValue};
use slt_core::location::file_id::SuiteName;
use slt_core::parser::DIALECTS;
use slt_runner::parallel::Pattern;

type Node<'t> = Spanned<DeValue<'t>>;

/// The similarity from which a key is suggested.
const ALIKE: f64 = 0.7;

/// Returns the path and the text of the named file, or of the nearest one in this folder and its parents.
pub(in crate::cli) fn read_text(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let Some(path) = named.map(Path::to_owned).or_else(find) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(source) => Err(ConfigError::Unreadable { file: path.display().to_string(), source }),
    }
}

fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let parents = std::iter::successors(Some(PathBuf::new()), |up| Some(up.join("..")));
    let mut candidates = here.ancestors().zip(parents).map(|(_, up)| up.join(FILE_NAME));
    candidates.find(|candidate| candidate.is_file())
}

/// Parses the text of the file at `path`. The flags of `root` are its keys.
pub(super) fn parse(root: &Command, path: &Path, text: &str) -> Result<ConfigFile, Vec<ConfigError>> {
    let mut reader = ConfigReader::new(root, path.display().to_string(), text);
    match reader.file(path) {
        Some(file) if reader.errors.is_empty() => Ok(file),
        _ => {
            reader.errors.sort_by_key(|(line, _)| *line);
            Err(reader.errors.into_iter().map(|(_, error)| error).collect())
        }
    }
}

struct ConfigReader<'r> {
    root: &'r Command,
    commands: Vec<(Vec<String>, &'r Command)>,
    shown: String,
    text: &'r str,
    /// The errors with their lines.
    errors: Vec<(usize, ConfigError)>,
}

/// A kind of table, which decides on the allowed keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ConfigTable {
    Defaults,
    Suite,
    Profile,
    Override,
}

impl ConfigTable {
    /// Returns the keys that are not flags.
    fn own_keys(self) -> &'static [&'static str] {
        match self {
            Self::Defaults => &["suite", "profile", "override", "default-suite"],
            Self::Suite => &["paths"],
            Self::Profile => &["inherits"],
            Self::Override => &["files", "timeout", "dialect"],
        }
    }
}

/// Returns the keys of a table in the order of the text.
fn in_order<'t, 'd>(table: &'t DeTable<'d>) -> Vec<(&'t str, usize, &'t Node<'d>)> {
    let mut keys: Vec<_> =
        table.iter().map(|(key, node)| (key.get_ref().as_ref(), key.span().start, node)).collect();
    keys.sort_by_key(|(_, start, _)| *start);
    keys
}

impl<'r> ConfigReader<'r> {
    fn new(root: &'r Command, shown: String, text: &'r str) -> Self {
        Self { root, commands: flags::configurable(root), shown, text, errors: Vec::new() }
    }

    fn file(&mut self, path: &Path) -> Option<ConfigFile> {
        let text = self.text;
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let what = error.message().to_owned();
                self.report(at, ConfigError::Syntax { place: self.place(at), what });
                return None;
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut file =
            ConfigFile { shown: self.shown.clone(), folder: folder.to_owned(), ..ConfigFile::default() };
        let mut default_suite = None;
        for (key, at, node) in in_order(document.get_ref()) {
            match key {
                "suite" => file.suites = self.tables(key, at, node, Self::suite),
                "profile" => file.profiles = self.tables(key, at, node, Self::profile),
                "override" => file.overrides = self.overrides(at, node),
                SUITE_NAME => self.suite_name(at, node),
                "default-suite" => default_suite = self.word(key, at, node).map(|name| (name, at)),
                _ => file.defaults.extend(self.setting(ConfigTable::Defaults, key, at, node)),
            }
        }
        if let Some((name, at)) = default_suite {
            if let Err(error) = check_name("suite", &name, &self.place(at), file.suites.keys()) {
                self.report(at, error);
            }
            file.default_suite = Some(name);
        }
        self.inheritance(&file);
        Some(file)
    }

    /// Checks the name of the suite. It is used by `suite::suite_config`, for all files below the folder of this file.
    fn suite_name(&mut self, at: usize, node: &Node<'_>) {
        if let Some(word) = self.word(SUITE_NAME, at, node)
            && let Err(error) = word.parse::<SuiteName>()
        {
            let reason = Some(error.to_string());
            let error = FlagError { expected: "the name of a suite".to_owned(), found: word, reason };
            self.wrong(SUITE_NAME, at, error);
        }
    }

    /// Reads `[kind.NAME]` tables.
    fn tables<T>(
        &mut self,
        kind: &str,
        at: usize,
        node: &Node<'_>,
        read: impl Fn(&mut Self, usize, &DeTable<'_>) -> T,
    ) -> BTreeMap<String, T> {
        let mut found = BTreeMap::new();
        let Some(tables) = self.table(kind, at, node) else { return found };
        for (name, at, node) in in_order(tables) {
            if let Some(table) = self.table(name, at, node) {
                found.insert(name.to_owned(), read(self, at, table));
            }
        }
        found
    }

    fn suite(&mut self, at: usize, table: &DeTable<'_>) -> ConfigSuite {
        let (own, settings) = self.section(ConfigTable::Suite, "paths", table);
        let paths = own.map(|(at, node)| self.words("paths", at, node));
        let line = self.line(own.map_or(at, |(at, _)| at));
        ConfigSuite { paths: paths.unwrap_or_default(), line, settings }
    }

    fn profile(&mut self, at: usize, table: &DeTable<'_>) -> ConfigProfile {
        let (own, settings) = self.section(ConfigTable::Profile, "inherits", table);
        let inherits = own.and_then(|(at, node)| self.word("inherits", at, node));
        ConfigProfile { inherits, line: self.line(own.map_or(at, |(at, _)| at)), settings }
    }

    /// Reads the settings of a table, and returns its own key besides.
    fn section<'t, 'd>(
        &mut self,
        part: ConfigTable,
        own_key: &str,
        table: &'t DeTable<'d>,
    ) -> (Option<(usize, &'t Node<'d>)>, Vec<ConfigEntry>) {
        let (mut own, mut settings) = (None, Vec::new());
        for (key, at, node) in in_order(table) {
            if key == own_key {
                own = Some((at, node));
            } else {
                settings.extend(self.setting(part, key, at, node));
            }
        }
        (own, settings)
    }

    fn overrides(&mut self, at: usize, node: &Node<'_>) -> Vec<FileOverride> {
        let DeValue::Array(array) = node.get_ref() else {
            self.shape("override", at, "tables, written [[override]]", node);
            return Vec::new();
        };
        let mut overrides = Vec::new();
        for node in array {
            let at = node.span().start;
            if let Some(table) = self.table("override", at, node) {
                overrides.extend(self.one_override(at, table));
            }
        }
        overrides
    }

    fn one_override(&mut self, at: usize, table: &DeTable<'_>) -> Vec<FileOverride> {
        let before = self.errors.len();
        let mut files = Vec::new();
        let (mut timeout, mut dialect) = (None, None);
        for (key, at, node) in in_order(table) {
            match key {
                "files" => files = self.patterns(key, at, node),
                "timeout" => timeout = self.timeout(key, at, node),
                "dialect" => dialect = self.dialect(key, at, node),
                _ => self.unknown(ConfigTable::Override, key, at),
            }
        }
        // A wrong value has been reported; it is not missing.
        if self.errors.len() == before {
            let has_setting = timeout.is_some() || dialect.is_some();
            let missing = [("files", files.is_empty()), ("timeout` or `dialect", !has_setting)];
            for (missing, _) in missing.iter().filter(|(_, is_missing)| *is_missing) {
                self.report(at, ConfigError::Incomplete { place: self.place(at), missing });
            }
        }
        let line = self.line(at);
        let with =
            |(files, pattern)| FileOverride { files, pattern, timeout, dialect: dialect.clone(), line };
        files.into_iter().map(with).collect()
    }

    fn patterns(&mut self, key: &str, at: usize, node: &Node<'_>) -> Vec<(String, Pattern)> {
        let mut patterns = Vec::new();
        for word in self.words(key, at, node) {
            match word.parse() {
                Ok(pattern) => patterns.push((word, pattern)),
                Err(error) => {
                    let reason = Some(format!("{error}"));
                    self.wrong(key, at, FlagError { expected: "a pattern".to_owned(), found: word, reason });
                }
            }
        }
        patterns
    }

    /// Reads a limit in seconds; 0 is no limit.
    fn timeout(&mut self, key: &str, at: usize, node: &Node<'_>) -> Option<Option<Duration>> {
        let word = self.word(key, at, node)?;
        if let Ok(seconds) = word.parse() {
            return Some((seconds > 0).then(|| Duration::from_secs(seconds)));
        }
        let expected = "seconds, or 0 for no limit".to_owned();
        self.wrong(key, at, FlagError { expected, found: word, reason: None });
        None
    }

    fn dialect(&mut self, key: &str, at: usize, node: &Node<'_>) -> Option<String> {
        let found = self.word(key, at, node)?;
        if DIALECTS.contains(&found.as_str()) {
            return Some(found);
        }
        let expected = format!("a dialect: {}", DIALECTS.join(", "));
        self.wrong(key, at, FlagError { expected, found, reason: None });
        None
    }

    /// Reads a key that is a flag.
    fn setting(&mut self, part: ConfigTable, key: &str, at: usize, node: &Node<'_>) -> Option<ConfigEntry> {
        if flags::SELECTORS.contains(&key) {
            self.report(at, ConfigError::Selector { place: self.place(at), key: key.to_owned() });
            return None;
        }
        let root = self.root;
        let takers: Vec<_> = self
            .takers(part)
            .filter_map(|(path, command)| Some((path.clone(), flags::flag(command, key)?)))
            .collect();
        if takers.is_empty() {
            self.unknown(part, key, at);
            return None;
        }
        let value = self.value(key, at, node)?;
        // Commands may accept different values; one that accepts this one is enough.
        let accepted = takers.iter().map(|(path, arg)| flags::accepted_words(root, path, arg, &value));
        let mut results: Vec<_> = accepted.collect();
        if !results.iter().any(Result::is_ok)
            && let Some(Err(error)) = results.pop()
        {
            self.wrong(key, at, error);
            return None;
        }
        Some(ConfigEntry { key: key.to_owned(), value, line: self.line(at) })
    }

    /// Returns the commands whose flags are keys of a kind of table.
    fn takers(&self, part: ConfigTable) -> impl Iterator<Item = &(Vec<String>, &'r Command)> {
        self.commands.iter().filter(move |(_, command)| match part {
            ConfigTable::Defaults | ConfigTable::Profile => true,
            ConfigTable::Suite => flags::flag(command, "suite").is_some(),
            ConfigTable::Override => false,
        })
    }

    fn unknown(&mut self, part: ConfigTable, key: &str, at: usize) {
        let mut keys: BTreeSet<&str> = part.own_keys().iter().copied().collect();
        for (_, command) in self.takers(part) {
            keys.extend(flags::flags(command).map(|(long, _)| long));
        }
        let keys = keys
            .into_iter()
            .filter(|known| part == ConfigTable::Defaults || !flags::SELECTORS.contains(known));
        let alike = keys.map(|known| (strsim::jaro(key, known), known)).filter(|(alike, _)| *alike >= ALIKE);
        let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known.to_owned());
        self.report(at, ConfigError::UnknownKey { place: self.place(at), key: key.to_owned(), nearest });
    }

    /// Checks that each profile inherits from an existing one, and that there are no cycles.
    fn inheritance(&mut self, file: &ConfigFile) {
        for (name, profile) in &file.profiles {
            let place = format!("{}:{}", self.shown, profile.line);
            if let Some(parent) = &profile.inherits
                && parent != DEFAULT_PROFILE
                && !file.profiles.contains_key(parent)
            {
                let known = file.profiles.keys().cloned().collect();
                let (kind, name) = ("profile", parent.clone());
                self.errors.push((profile.line, ConfigError::UnknownName { place, kind, name, known }));
                continue;
            }
            let chain = file.chain(name);
            let back = chain.last().and_then(|(_, last)| last.inherits.as_ref()) == Some(name);
            // Each cycle is reported once, by the first of its names.
            if back && chain.iter().all(|(other, _)| *other >= name.as_str()) {
                let names = chain.iter().map(|(name, _)| (*name).to_owned()).chain([name.clone()]).collect();
                self.errors.push((profile.line, ConfigError::Cycle { place, names }));
            }
        }
    }

    fn table<'t, 'd>(&mut self, key: &str, at: usize, node: &'t Node<'d>) -> Option<&'t DeTable<'d>> {
        let DeValue::Table(table) = node.get_ref() else {
            self.shape(key, at, "a table", node);
            return None;
        };
        Some(table)
    }

    fn word(&mut self, key: &str, at: usize, node: &Node<'_>) -> Option<String> {
        match self.value(key, at, node)? {
            FlagValue::One(word) => Some(word),
            FlagValue::List(_) => {
                self.shape(key, at, "one value", node);
                None
            }
        }
    }

    fn words(&mut self, key: &str, at: usize, node: &Node<'_>) -> Vec<String> {
        match self.value(key, at, node) {
            Some(FlagValue::One(word)) => vec![word],
            Some(FlagValue::List(words)) => words,
            None => Vec::new(),
        }
    }

    fn value(&mut self, key: &str, at: usize, node: &Node<'_>) -> Option<FlagValue> {
        let value = match node.get_ref() {
            DeValue::Array(array) => {
                let words: Option<Vec<_>> = array.iter().map(|node| scalar(node.get_ref())).collect();
                words.map(FlagValue::List)
            }
            one => scalar(one).map(FlagValue::One),
        };
        if value.is_none() {
            self.shape(key, at, "a value, or a list of values", node);
        }
        value
    }

    fn shape(&mut self, key: &str, at: usize, expected: &str, node: &Node<'_>) {
        let span = node.span();
        let found = self.text.get(span).and_then(|text| text.lines().next()).unwrap_or_default().to_owned();
        self.wrong(key, at, FlagError { expected: expected.to_owned(), found, reason: None });
    }

    fn wrong(&mut self, key: &str, at: usize, error: FlagError) {
        self.report(at, ConfigError::Value { place: self.place(at), key: key.to_owned(), error });
    }

    fn report(&mut self, at: usize, error: ConfigError) {
        self.errors.push((self.line(at), error));
    }

    fn place(&self, at: usize) -> String {
        format!("{}:{}", self.shown, self.line(at))
    }

    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// Returns a value as it would be typed.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(is) => Some(is.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Checks that a suite or a profile exists.
pub(super) fn check_name<'n>(
    kind: &'static str,
    name: &str,
    place: &str,
    known: impl Iterator<Item = &'n String>,
) -> Result<(), ConfigError> {
    let known: Vec<_> = known.cloned().collect();
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(ConfigError::UnknownName { place: place.to_owned(), kind, name: name.to_owned(), known })
}
