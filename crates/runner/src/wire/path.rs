//! The forms of paths and identities of files: text without loss.

use serde::{Deserialize as _, Deserializer, Serializer};

use super::form::forms;
use slt_core::location::FileId;

/// Fields with one path, for serde.
pub(crate) mod path_field {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize as _, Deserializer, Serializer};
    use slt_core::location::path_text;

    /// Writes the text of the path.
    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&path_text::of(path))
    }

    /// Reads the text of a path.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        String::deserialize(deserializer).map(|text| path_text::path(&text))
    }
}

/// Fields with the paths of many files, for serde.
pub(crate) mod path_map {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use serde::{Deserialize as _, Deserializer, Serializer};
    use slt_core::location::{FileId, path_text};

    /// Writes the texts of the paths.
    pub(crate) fn serialize<S: Serializer>(
        paths: &BTreeMap<FileId, PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(paths.iter().map(|(file, path)| (file.to_text(), path_text::of(path))))
    }

    /// Reads the texts of the paths.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<FileId, PathBuf>, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(|(file, text)| (FileId::from_text(&file), path_text::path(&text))).collect())
    }
}

/// The form of the identity of a file: [`FileId::to_text`].
pub(crate) struct FileIdForm;

impl FileIdForm {
    pub(crate) fn serialize<S: Serializer>(file: &FileId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&file.to_text())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FileId, D::Error> {
        String::deserialize(deserializer).map(|text| FileId::from_text(&text))
    }
}

forms! {
    FileIdForm => FileId,
}
