//! The context of a command.

use super::config::{EnvironmentVariables, ResolvedArguments};
use super::results_location::ResultsLocation;
use slt_core::engine::EngineRegistry;

/// The context of a command, besides its own arguments.
#[derive(Clone, Copy)]
pub(super) struct CommandContext<'c> {
    pub(super) location: &'c ResultsLocation,
    pub(super) environment: &'c EnvironmentVariables,
    /// The origins of the arguments.
    pub(super) resolved: &'c ResolvedArguments,
    pub(super) registry: &'c EngineRegistry,
}
