//! `run --output-dir`: writes all documents about a run to one directory, for the artifacts of a CI job.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::report::{DocumentOptions, DocumentSources, with_subject, write};
use crate::cli::args::ReportFormat;
use crate::cli::context::CommandContext;
use crate::cli::error::CliError;
use crate::cli::loaded_expectations::ExpectationsSource;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::ui::Ui;
use slt_insight::report::junit::UntestedResult;
use slt_runner::results::portable;

/// The documents, each with its fixed name.
const DOCUMENTS: [(&str, ReportFormat); 7] = [
    ("report.html", ReportFormat::Html),
    ("report.md", ReportFormat::Markdown),
    ("report.json", ReportFormat::Json),
    ("junit.xml", ReportFormat::Junit),
    ("summary.md", ReportFormat::Summary),
    ("comment.md", ReportFormat::Comment),
    ("badge.json", ReportFormat::Badge),
];
/// The run itself, as `store export --run` writes it.
const RUN: &str = "run.zst";
/// The maximum number of runs in the history, as of `report`.
const HISTORY: usize = 30;
/// The options of `report`, with their defaults.
const OPTIONS: DocumentOptions =
    DocumentOptions { junit_records: 0, junit_untested: UntestedResult::Error, annotations: 0 };

/// A directory for the documents, checked before the run.
pub(super) struct OutputDirectory {
    path: PathBuf,
    documents: Vec<(ReportFormat, OutputFile)>,
    run: OutputFile,
}

impl OutputDirectory {
    /// Creates the directory, and checks that its files can be written.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        let failed = |error| CliError::io("create the directory", &path.display().to_string(), &error);
        std::fs::create_dir_all(path).map_err(failed)?;
        let open = |name: &str| OutputFile::open(&path.join(name), ExistingFile::Replace);
        let documents = DOCUMENTS.iter().map(|(name, format)| Ok((*format, open(name)?)));
        Ok(Self {
            documents: documents.collect::<Result<_, CliError>>()?,
            run: open(RUN)?,
            path: path.to_owned(),
        })
    }

    /// Writes the documents about an ended run, and returns the path of the directory for a message.
    pub(super) fn fill(
        self,
        name: &str,
        baseline: Option<&str>,
        expectations: &ExpectationsSource,
        context: CommandContext<'_>,
        ui: &mut Ui,
    ) -> Result<String, CliError> {
        let CommandContext { location, environment, .. } = context;
        let results = location.results()?;
        let journal = results.journal(Some(name))?;
        let sources = DocumentSources {
            history: HISTORY,
            baseline,
            expectations,
            shows_expected: true,
            shows_causes: true,
        };
        let shown = self.path.display().to_string();
        let failed = |error| CliError::io("write to", &shown, &error);
        with_subject(&journal, sources, location, ui, |subject| {
            for (format, place) in self.documents {
                let document =
                    |out: &mut dyn Write| write(out, subject, format, OPTIONS, environment, &journal);
                place.write(|out| document(out).map_err(failed))?;
            }
            Ok(())
        })?;
        let path = self.path.join(RUN);
        self.run.write(|out| Ok(portable::write(results, &[name.to_owned()], out, &path)?))?;
        Ok(shown)
    }
}
