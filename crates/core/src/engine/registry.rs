//! From the name of an engine to the engine.

use super::Engine;

/// Creates an engine from the text after the colon of its name.
type Factory = Box<dyn Fn(&EngineArgument<'_>) -> Result<Box<dyn Engine>, RegistryError> + Send + Sync>;

/// The text after the colon in `NAME:ARGUMENT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineArgument<'a> {
    /// The text; empty without a colon.
    pub text: &'a str,
    /// What messages and results may show of it. It differs if the text comes from an environment variable, because then
    /// it may contain a password.
    pub shown: &'a str,
}

/// The name that takes an engine from an environment variable: `env:VARIABLE`.
const FROM_ENVIRONMENT: &str = "env";

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
    /// The environment variable of `env:VARIABLE` is not set, or is not text.
    #[error("cannot take the engine from the environment variable `{variable}`: it is {problem}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The address contains a password, which lists of processes and results would show.
    #[error(
        "the address of engine `{name}` contains a password, which other users can see in the list of processes"
    )]
    Password {
        /// The name of the engine.
        name: String,
    },
    /// The address of a server is invalid.
    #[error("engine `{name}`: {problem}")]
    Address {
        /// The engine.
        name: &'static str,
        /// What is wrong; it does not contain the address, which may contain a password.
        problem: String,
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
    pub fn unless_empty(name: &'static str, argument: &EngineArgument<'_>) -> Result<(), Self> {
        if argument.text.is_empty() {
            Ok(())
        } else {
            Err(argument.unexpected(name, "nothing behind a colon"))
        }
    }
}

impl EngineArgument<'_> {
    /// Returns the error for an invalid argument.
    pub fn unexpected(&self, name: &'static str, expected: &'static str) -> RegistryError {
        RegistryError::Argument { name, expected, found: self.shown.to_owned() }
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
        factory: impl Fn(&EngineArgument<'_>) -> Result<Box<dyn Engine>, RegistryError> + Send + Sync + 'static,
    ) {
        let (name, about) = (name.to_owned(), about.to_owned());
        self.entries.push(RegisteredEngine { name, about, hidden: false, factory: Box::new(factory) });
    }

    /// Makes the engine that `spec` names: `name`, `name:argument`, or `env:VARIABLE` for an environment variable that
    /// contains one of these.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when there is no such engine, it does not take the argument, or `spec` contains a password that
    /// does not come from an environment variable.
    pub fn make(&self, spec: &str) -> Result<Box<dyn Engine>, RegistryError> {
        match spec.split_once(':') {
            Some((FROM_ENVIRONMENT, variable)) => {
                let problem = |problem| RegistryError::Variable { variable: variable.to_owned(), problem };
                let value = variable_of(variable).map_err(|error| match error {
                    std::env::VarError::NotPresent => problem("not set"),
                    std::env::VarError::NotUnicode(_) => problem("not UTF-8"),
                })?;
                let (name, text) = value.split_once(':').unwrap_or((&value, ""));
                let shown = if text.is_empty() { "" } else { spec };
                self.make_named(name, &EngineArgument { text, shown }).map_err(|error| match error {
                    // The value is not shown: it may be a password.
                    RegistryError::Unknown { .. } => problem("not an engine"),
                    error => error,
                })
            }
            Some((name, text)) if without_passwords(text) != text => {
                Err(RegistryError::Password { name: name.to_owned() })
            }
            Some((name, text)) => self.make_named(name, &EngineArgument { text, shown: text }),
            None => self.make_named(spec, &EngineArgument { text: "", shown: "" }),
        }
    }

    fn make_named(
        &self,
        name: &str,
        argument: &EngineArgument<'_>,
    ) -> Result<Box<dyn Engine>, RegistryError> {
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

#[expect(clippy::disallowed_methods, reason = "a value with a password is read only where it is used")]
fn variable_of(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}

/// Returns an engine as it can be shown: with `…` in place of each password in an address, `//user:password@host`.
pub fn without_passwords(spec: &str) -> String {
    let mut shown = String::with_capacity(spec.len());
    for (place, part) in spec.split("//").enumerate() {
        if place > 0 {
            shown += "//";
        }
        let authority = part.split(['/', '?', '#', ' ', '\t', '\n']).next().unwrap_or_default();
        let login = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
        match login.filter(|(_, password)| place > 0 && !password.is_empty()) {
            Some((user, password)) => {
                shown += user;
                shown += ":…";
                shown += &part[user.len() + 1 + password.len()..];
            }
            None => shown += part,
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_hidden() {
        let cases = [
            ("//u:p@h", "//u:…@h"),
            ("//u:p@h:1/d", "//u:…@h:1/d"),
            ("//:p@h", "//:…@h"),
            ("//u:p@x@h", "//u:…@h"),
            ("cmd mysql://a//u:p@h/d -x", "cmd mysql://a//u:…@h/d -x"),
            ("//u:p@[::1]//v:q@i", "//u:…@[::1]//v:…@i"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_passwords(text), shown);
        }
        for text in ["", "//h:5432/d", "//u@h:5432", "//u:@h", "//h/d?a=b:c@d", "a:b@c", "//h:1 u@h"] {
            assert_eq!(without_passwords(text), text);
        }
    }
}
