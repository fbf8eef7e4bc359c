//! JSON of this program and of VibeSQL's earlier scripts. Its fields identify the format.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::mended::mended;
use super::{ImportError, ImportResult, punchlist, report, results};

/// The fields that identify a format.
#[derive(Deserialize)]
struct JsonShape {
    format: Option<IgnoredAny>,
    engine: Option<IgnoredAny>,
    files: Option<IgnoredAny>,
    tested_files: Option<IgnoredAny>,
    detailed_failures: Option<IgnoredAny>,
    passed_files: Option<IgnoredAny>,
    failed_files: Option<IgnoredAny>,
    untested_files: Option<IgnoredAny>,
    #[serde(rename = "schemaVersion")]
    schema_version: Option<IgnoredAny>,
    summary: Option<IgnoredAny>,
}

/// | it has | it is |
/// |---|---|
/// | `format`, `engine`, `tested_files` and `files` | a report of this program |
/// | `tested_files` or `detailed_failures` | results |
/// | one of `passed_files`, `failed_files`, `untested_files` | a punchlist |
/// | `schemaVersion` | a badge, which has no file |
/// | `summary` | sums, without a file |
pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let text = &*mended(text);
    let shape: JsonShape = serde_json::from_str(text).map_err(ImportError::Json)?;
    let own = [&shape.format, &shape.engine, &shape.tested_files, &shape.files];
    if own.iter().all(|field| field.is_some()) {
        report::read(text, changed)
    } else if shape.tested_files.or(shape.detailed_failures).is_some() {
        results::read(text, changed)
    } else if shape.passed_files.or(shape.failed_files).or(shape.untested_files).is_some() {
        punchlist::read(text, changed)
    } else if shape.schema_version.is_some() {
        Err(ImportError::Sums("a badge"))
    } else if shape.summary.is_some() {
        Err(ImportError::Sums("the summary of a run"))
    } else {
        Err(ImportError::Nothing("`tested_files` or `failed_files`"))
    }
}
