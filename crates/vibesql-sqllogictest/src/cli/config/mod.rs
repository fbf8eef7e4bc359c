//! Configuration: settings that are not typed each time, from the environment and from `sqllogictest.toml`.
//!
//! All of it becomes *arguments*. The command line is parsed once to see what was typed; whatever was not is looked up
//! in the layers below (docs/configuration.md), is written as `--flag=value` behind the command, and the whole is
//! parsed again. So a setting has one definition, that of the flag, with one default, one check and one help text, and
//! a new flag is a variable and a key of the file from the day it exists.

mod ci;
mod environment;
mod error;
mod file;
mod flags;
mod layers;
mod origin;
mod reader;
mod resolve;

#[cfg(test)]
mod tests;

pub(super) use environment::EnvironmentVariables;
pub(super) use error::FILE_NAME;
pub(super) use file::{TimeoutOverride, read};
pub(super) use flags::relaxed;
pub(super) use layers::IgnoredSetting;
pub(super) use origin::{ConfigSection, SettingOrigin};
pub(super) use resolve::{ResolveError, ResolvedArguments, resolve};
