//! From the name of an engine to the engine.

use super::Engine;

/// Creates an engine from the text after the colon of its name, which is empty without a colon.
type Factory = Box<dyn Fn(&str) -> Result<Box<dyn Engine>, RegistryError> + Send + Sync>;

struct RegisteredEngine {
    name: String,
    /// A short description.
    about: String,
    /// Whether lists omit it.
    hidden: bool,
    factory: Factory,
}

/// The engines that a program knows by name. An embedder adds its own.
#[derive(Default)]
pub struct EngineRegistry {
    entries: Vec<RegisteredEngine>,
    /// Names of engines that this build leaves out, with the cargo features that bring them.
    not_built: Vec<(&'static str, &'static str)>,
}

/// A name that leads to no engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// No engine has the name.
    #[error("unknown engine `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The known names.
        known: Vec<String>,
    },
    /// The engine exists, but this program was built without it.
    #[error("engine `{name}` is not part of this build")]
    NotBuilt {
        /// The name.
        name: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// The text after the colon is invalid.
    #[error("engine `{name}` takes {expected}, found `{found}`")]
    Argument {
        /// The engine.
        name: &'static str,
        /// The expected argument.
        expected: &'static str,
        /// The found argument.
        found: String,
    },
}

impl RegistryError {
    /// Returns an error unless `argument` is empty, for engines that take nothing after the colon.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Argument`] when there is an argument.
    pub fn unless_empty(name: &'static str, argument: &str) -> Result<(), Self> {
        if argument.is_empty() {
            return Ok(());
        }
        Err(Self::Argument { name, expected: "nothing behind a colon", found: argument.to_owned() })
    }
}

impl EngineRegistry {
    /// Returns a registry without engines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an engine under its own name.
    pub fn add(
        &mut self,
        name: &str,
        about: &str,
        make: impl Fn() -> Box<dyn Engine> + Send + Sync + 'static,
    ) {
        self.add_with(name, about, move |_| Ok(make()));
    }

    /// Adds an engine that takes an argument: `name:argument`.
    pub fn add_with(
        &mut self,
        name: &str,
        about: &str,
        factory: impl Fn(&str) -> Result<Box<dyn Engine>, RegistryError> + Send + Sync + 'static,
    ) {
        let (name, about) = (name.to_owned(), about.to_owned());
        self.entries.push(RegisteredEngine { name, about, hidden: false, factory: Box::new(factory) });
    }

    /// Makes the engine that `spec` names: `name` or `name:argument`.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when there is no such engine, or it does not take the argument.
    pub fn make(&self, spec: &str) -> Result<Box<dyn Engine>, RegistryError> {
        let (name, argument) = spec.split_once(':').unwrap_or((spec, ""));
        if let Some(entry) = self.entries.iter().rev().find(|entry| entry.name == name) {
            return (entry.factory)(argument);
        }
        match self.not_built.iter().find(|(left_out, _)| *left_out == name) {
            Some(&(name, feature)) => Err(RegistryError::NotBuilt { name, feature }),
            None => Err(RegistryError::Unknown {
                name: name.to_owned(),
                known: self.list().map(|(name, _)| name.to_owned()).collect(),
            }),
        }
    }

    /// Notes that this build leaves out the engine `name`, which the cargo feature `feature` brings.
    pub fn add_not_built(&mut self, name: &'static str, feature: &'static str) {
        self.not_built.push((name, feature));
    }

    /// Leaves the engine `name` out of lists. It can still be made.
    pub fn hide(&mut self, name: &str) {
        self.entries.iter_mut().filter(|entry| entry.name == name).for_each(|entry| entry.hidden = true);
    }

    /// Returns the engine to use where none is named: the first that is listed.
    pub fn default_name(&self) -> Option<&str> {
        self.list().next().map(|(name, _)| name)
    }

    /// Returns the names and descriptions of all engines that are not hidden.
    pub fn list(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = self.entries.iter().filter(|entry| !entry.hidden);
        shown.map(|entry| (entry.name.as_str(), entry.about.as_str()))
    }
}
