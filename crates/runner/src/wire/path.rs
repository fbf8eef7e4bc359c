//! The forms of paths: texts, without loss.

/// Fields with one path, for serde.
pub(crate) mod path_field {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize as _, Deserializer, Serializer};
    use slt_core::location::path_text;

    /// Writes the text of the path.
    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&path_text::of(path))
    }

    /// Reads a text, and returns the path that it names.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        String::deserialize(deserializer).map(|text| path_text::path(&text))
    }
}

/// Fields with many paths by their names, for serde.
pub(crate) mod path_map {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use serde::{Deserialize as _, Deserializer, Serializer};
    use slt_core::location::path_text;

    /// Writes the texts of the paths.
    pub(crate) fn serialize<S: Serializer>(
        paths: &BTreeMap<String, PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(paths.iter().map(|(name, path)| (name, path_text::of(path))))
    }

    /// Reads texts, and returns the paths that they name.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, PathBuf>, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(|(name, text)| (name, path_text::path(&text))).collect())
    }
}
