//! Configuration: settings that are not typed each time, from the environment and from `sqllogictest.toml`.
//!
//! All of it becomes *arguments*. The command line is parsed once to find the flags that were typed. The others are looked
//! up in the layers below (docs/configuration.md) and inserted as `--flag=value` after the command, and the result is
//! parsed again. So a setting has one definition, that of the flag, with one default, one check and one help text, and
//! each new flag is a variable and a key of the file as well.

mod ci;
mod environment;
mod error;
mod file;
mod flags;
mod layers;
mod reader;
mod resolve;

#[cfg(test)]
mod tests;

pub(super) use ci::GroupSettings;
pub(super) use environment::EnvironmentVariables;
pub(super) use file::FILE_NAME;
pub(super) use flags::relaxed;
pub(super) use layers::{ConfigSection, SettingOrigin};
pub(super) use reader::read_text;
pub(super) use resolve::{ResolveError, ResolvedArguments, resolve};
