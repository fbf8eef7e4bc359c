//! JSON objects whose fields stay in the order in which they are written down.

use serde::{Serialize, Serializer};

/// A JSON object, made field by field.
#[derive(Default)]
pub struct Object<'f>(Vec<(&'static str, Box<dyn erased_serde::Serialize + 'f>)>);

impl<'f> Object<'f> {
    /// Adds a field.
    pub fn with(mut self, name: &'static str, value: impl Serialize + 'f) -> Self {
        self.0.push((name, Box::new(value)));
        self
    }

    /// Adds a field, if there is a value for it.
    pub fn with_some(self, name: &'static str, value: Option<impl Serialize + 'f>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list, if there is something in it.
    pub fn with_list(self, name: &'static str, list: Vec<impl Serialize + 'f>) -> Self {
        if list.is_empty() { self } else { self.with(name, list) }
    }

    /// Adds the fields of another object.
    pub fn with_all(mut self, mut other: Self) -> Self {
        self.0.append(&mut other.0);
        self
    }

    /// Writes the object over several lines.
    pub fn pretty(&self) -> String {
        // What can fail is a key that is no text, and there is none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A list whose items are made as they are written.
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
