//! JSON objects that keep the order of their fields.

use serde::{Serialize, Serializer};

/// A JSON object.
#[derive(Default)]
pub struct Object<'f>(Vec<(&'static str, Box<dyn erased_serde::Serialize + 'f>)>);

impl<'f> Object<'f> {
    /// Adds a field.
    pub fn with(mut self, name: &'static str, value: impl Serialize + 'f) -> Self {
        self.0.push((name, Box::new(value)));
        self
    }

    /// Adds a field if it has a value.
    pub fn with_some(self, name: &'static str, value: Option<impl Serialize + 'f>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list if it is not empty.
    pub fn with_list(self, name: &'static str, list: Vec<impl Serialize + 'f>) -> Self {
        if list.is_empty() { self } else { self.with(name, list) }
    }

    /// Adds the fields of another object.
    pub fn with_all(mut self, mut other: Self) -> Self {
        self.0.append(&mut other.0);
        self
    }

    /// Formats the object on several lines.
    pub fn pretty(&self) -> String {
        // Only keys other than text could fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A list whose items are created during serialisation.
pub struct Each<F>(pub F);

impl<F: Fn() -> I, I: IntoIterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Makes an [`Object`] of fields.
#[macro_export]
macro_rules! object {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::text::object::Object::default()$(.with($name, $value))*
    };
}

pub use crate::object;
