//! `config`: shows the effective settings, and where each comes from.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::{Arg, ArgMatches, CommandFactory as _};
use serde_json::{Value, json};

use crate::cli::args::{Cli, ConfigCommand, ConfigShowArgs};
use crate::cli::config::{
    self, ConfigSection, FILE_NAME, ResolveError, ResolvedArguments, SettingOrigin, relaxed,
};
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;
use slt_core::engine::registry::without_passwords;
use slt_runner::text::table::table;
use slt_runner::text::written;

/// Arguments that are not settings: they select the sources of settings, and are shown above the table.
const ABOVE: &[&str] = &["config", "no_config", "profile", "suite", "help", "version"];

pub(in crate::cli) fn run(
    command: &ConfigCommand,
    context: CommandContext<'_>,
    ui: &mut Ui,
) -> CommandResult {
    match command {
        ConfigCommand::Show(args) => show(args, context, ui),
        ConfigCommand::Path => path(context, ui),
    }
}

fn path(context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let shown = EffectiveSettings::new(&["run".to_owned()], &[], context, ui)?;
    match shown.and_then(|shown| shown.resolved.file) {
        Some(file) => {
            ui.print(&format!("{file}\n"))?;
            Ok(ExitReason::Success)
        }
        None => {
            let message = format!("there is no {FILE_NAME} in this folder or its parents");
            Err(CliError::nothing_selected(message, "docs/configuration.md describes the file"))
        }
    }
}

fn show(args: &ConfigShowArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let run = ["run".to_owned()];
    let command = if args.command.is_empty() { &run[..] } else { &args.command[..] };
    let Some(shown) = EffectiveSettings::new(command, &args.arguments, context, ui)? else {
        return Ok(ExitReason::Usage);
    };
    shown.resolved.notes.iter().for_each(|note| ui.note(note));
    let text = if args.json { format!("{:#}\n", shown.json()) } else { written(|out| shown.write(out)) };
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

/// The output of `config show`.
pub(in crate::cli) struct EffectiveSettings {
    pub(in crate::cli) resolved: ResolvedArguments,
    pub(in crate::cli) settings: Vec<ShownSetting>,
}

/// A line of the table.
pub(in crate::cli) struct ShownSetting {
    pub(in crate::cli) name: String,
    pub(in crate::cli) value: SettingValue,
    pub(in crate::cli) origin: SettingOrigin,
}

/// The value of a setting, as it would be typed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum SettingValue {
    Switch(bool),
    One(Option<String>),
    List(Vec<String>),
}

impl EffectiveSettings {
    /// Resolves a command without running it; `None` if an error has been printed.
    fn new(
        command: &[String],
        arguments: &[OsString],
        context: CommandContext<'_>,
        ui: &mut Ui,
    ) -> Result<Option<Self>, CliError> {
        let program = OsString::from(ui.program.as_str());
        let words = command.iter().map(OsString::from).chain(context.resolved.globals.iter().cloned());
        let line = [program].into_iter().chain(words).chain(arguments.iter().cloned()).collect();
        let definition = relaxed(Cli::command());
        let shown = match config::resolve(&definition, line, context.environment, &config::read_text) {
            Ok(resolved) => Self::from_resolved(resolved),
            Err(ResolveError::Typed(error)) => Err(error),
            Err(ResolveError::Configuration(mut errors)) => {
                let Some(last) = errors.pop() else { return Ok(None) };
                for error in errors {
                    ui.error(&error.into());
                }
                return Err(last.into());
            }
        };
        Ok(shown.map_err(|error| error.print()).ok())
    }

    /// Reads the settings from resolved arguments.
    pub(in crate::cli) fn from_resolved(resolved: ResolvedArguments) -> Result<Self, clap::Error> {
        let definition = relaxed(Cli::command());
        let matches = definition.clone().try_get_matches_from(&resolved.arguments)?;
        let mut root = definition;
        root.build();
        let (mut command, mut matches) = (&root, &matches);
        for name in &resolved.command {
            if let (Some(next), Some(inner)) =
                (command.find_subcommand(name), matches.subcommand_matches(name))
            {
                (command, matches) = (next, inner);
            }
        }
        let settings = command
            .get_arguments()
            .filter(|arg| !ABOVE.contains(&arg.get_id().as_str()) && !arg.is_hide_set())
            .map(|arg| ShownSetting::new(arg, matches, &resolved))
            .filter(|setting| setting.origin != SettingOrigin::Default || !is_compatibility(&setting.name));
        let settings = settings.collect();
        Ok(Self { resolved, settings })
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let resolved = &self.resolved;
        let none = || "none".to_owned();
        writeln!(out, "command  {}", resolved.command.join(" "))?;
        writeln!(out, "file     {}", resolved.file.clone().unwrap_or_else(none))?;
        let profiles = resolved.profiles.join(", which inherits from ");
        writeln!(out, "profile  {}", Some(profiles).filter(|names| !names.is_empty()).unwrap_or_else(none))?;
        writeln!(out, "suite    {}\n", resolved.suite.clone().unwrap_or_else(none))?;
        let rows = self.settings.iter();
        let rows = rows.map(|one| vec![one.name.clone(), one.value.text(), one.origin.to_string()]);
        let lines = table(&["setting", "value", "from"], rows, |_| false);
        lines.lines().try_for_each(|line| writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(line)))?;
        for one in &resolved.overrides {
            if let Some(timeout) = one.timeout {
                let timeout = timeout.map_or(0, |timeout| timeout.as_secs());
                writeln!(out, "\ntimeout {timeout} for {} (line {})", one.files, one.line)?;
            }
            if let Some(dialect) = &one.dialect {
                writeln!(out, "\ndialect {dialect} for {} (line {})", one.files, one.line)?;
            }
        }
        for left in &resolved.left_out {
            let (flag, origin, by, by_origin) = (&left.flag, &left.origin, &left.by, &left.by_origin);
            writeln!(out, "\n{flag} of {origin} is ignored because of {by} ({by_origin})")?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let resolved = &self.resolved;
        let settings = self.settings.iter().map(
            |one| json!({ "setting": one.name, "value": one.value.json(), "from": origin(&one.origin) }),
        );
        let overrides = resolved.overrides.iter().map(|one| {
            let timeout = one.timeout.map(|timeout| timeout.map_or(0, |timeout| timeout.as_secs()));
            json!({ "files": one.files, "timeout": timeout, "dialect": one.dialect, "line": one.line })
        });
        let left_out = resolved.left_out.iter().map(|left| {
            json!({
                "setting": left.flag,
                "from": origin(&left.origin),
                "because_of": left.by,
                "because_of_from": origin(&left.by_origin),
            })
        });
        json!({
            "command": resolved.command.join(" "),
            "file": resolved.file,
            "profiles": resolved.profiles,
            "suite": resolved.suite,
            "settings": settings.collect::<Vec<_>>(),
            "overrides": overrides.collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
        })
    }
}

/// Flags that select the default are shown only if they are used.
fn is_compatibility(name: &str) -> bool {
    ["parallel", "force"].contains(&name)
}

fn origin(origin: &SettingOrigin) -> Value {
    match origin {
        SettingOrigin::CommandLine => json!({ "kind": "command line" }),
        SettingOrigin::Variable(name) => json!({ "kind": "environment", "variable": name }),
        SettingOrigin::File { file, section, line } => {
            let (kind, name) = match section {
                ConfigSection::Defaults => ("file", None),
                ConfigSection::Suite(name) => ("suite", Some(name)),
                ConfigSection::Profile(name) => ("profile", Some(name)),
            };
            json!({ "kind": kind, "name": name, "file": file, "line": line })
        }
        SettingOrigin::Default => json!({ "kind": "default" }),
    }
}

impl ShownSetting {
    fn new(arg: &Arg, matches: &ArgMatches, resolved: &ResolvedArguments) -> Self {
        let id = arg.get_id().as_str();
        let words = matches.get_raw(id).into_iter().flatten();
        let mut words: Vec<_> = words.map(|word| without_passwords(&word.to_string_lossy())).collect();
        let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
        let value = match arg.get_action() {
            clap::ArgAction::SetTrue | clap::ArgAction::SetFalse => {
                SettingValue::Switch(words.pop().is_some_and(|word| word == "true"))
            }
            clap::ArgAction::Append => SettingValue::List(words),
            _ if many => SettingValue::List(words),
            clap::ArgAction::Count => SettingValue::One(Some(matches.get_count(id).to_string())),
            _ => SettingValue::One(words.pop()),
        };
        let origin = resolved.origins.get(id).cloned().unwrap_or(SettingOrigin::Default);
        Self { name: arg.get_long().unwrap_or(id).to_owned(), value, origin }
    }
}

impl SettingValue {
    fn text(&self) -> String {
        match self {
            Self::Switch(is) => is.to_string(),
            Self::One(Some(word)) => word.clone(),
            Self::List(words) if !words.is_empty() => words.join(", "),
            Self::One(None) | Self::List(_) => "-".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Switch(is) => json!(is),
            Self::One(word) => json!(word),
            Self::List(words) => json!(words),
        }
    }
}
