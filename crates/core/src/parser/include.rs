//! Files that include others.

use super::control::Control;
use super::dialect::{IncludeRule, Profile};
use super::error::ParseErrorKind;
use super::grammar::parse;
use super::record::{Defect, DefectEffect, IncludedScripts, Item, Record, RecordKind, Script};
use crate::location::{Source, text_of};

/// Finds the files that a record includes.
pub trait IncludeFinder {
    /// Returns the files that `pattern` names in the file `from`, in the order of their execution.
    ///
    /// # Errors
    ///
    /// [`IncludeError`] when no file matches, or when one cannot be read or is not allowed.
    fn find(&self, from: &Source, pattern: &[u8]) -> Result<Vec<Source>, IncludeError>;
}

/// The reason why files are not included.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncludeError {
    /// The user has not allowed to read them; the text says how to.
    #[error("{0}")]
    NotAllowed(String),
    /// There are none, or they cannot be read.
    #[error("{0}")]
    Failed(String),
}

/// A test file with all files that it includes, from which a script borrows.
#[derive(Debug)]
pub struct SourceTree {
    source: Source,
    included: Vec<IncludedSources>,
}

/// The files that one record includes.
#[derive(Debug)]
struct IncludedSources {
    line: u32,
    found: Result<Vec<SourceTree>, IncludeError>,
}

/// The number of files that may include each other in turn.
const DEEPEST: usize = 32;

/// The number of files that one file may include, itself and through others.
const MOST: usize = 10_000;

impl SourceTree {
    /// Reads the files that `source` includes, and those that they include.
    pub fn load(source: Source, profile: &'static Profile, finder: &dyn IncludeFinder) -> Self {
        Self::load_below(source, profile, finder, &[], &mut MOST.clone())
    }

    fn load_below(
        source: Source,
        profile: &'static Profile,
        finder: &dyn IncludeFinder,
        including: &[&str],
        left: &mut usize,
    ) -> Self {
        let mut included = Vec::new();
        // Most files include nothing, and need not be parsed twice.
        if profile.includes != IncludeRule::None && memchr::memmem::find(source.bytes(), b"include").is_some()
        {
            let chain: Vec<&str> = including.iter().copied().chain([source.name()]).collect();
            let script = parse(&source, profile);
            for (line, pattern) in script.records().filter_map(included_pattern) {
                let found = finder.find(&source, pattern).and_then(|found| {
                    let load = |source: Source| {
                        if chain.contains(&source.name()) {
                            return Err(format!("`{}` includes itself", source.name()));
                        }
                        if chain.len() >= DEEPEST {
                            return Err(format!("more than {DEEPEST} files include each other"));
                        }
                        *left = left
                            .checked_sub(1)
                            .ok_or_else(|| format!("more than {MOST} files are included"))?;
                        Ok(Self::load_below(source, profile, finder, &chain, left))
                    };
                    found.into_iter().map(load).collect::<Result<_, _>>().map_err(IncludeError::Failed)
                });
                included.push(IncludedSources { line, found });
            }
        }
        Self { source, included }
    }

    /// Returns the file itself.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Parses the file and all that it includes. A record whose files cannot be included is malformed.
    pub fn parse(&self, profile: &'static Profile) -> Script<'_> {
        let mut script = self.parse_parts(profile);
        if let Some(complete) = profile.complete {
            complete(&mut script);
        }
        script
    }

    fn parse_parts(&self, profile: &'static Profile) -> Script<'_> {
        let mut script = parse(&self.source, profile);
        for IncludedSources { line, found } in &self.included {
            match found {
                Ok(trees) => {
                    let scripts = trees.iter().map(|tree| tree.parse_parts(profile)).collect();
                    script.included.push(IncludedScripts { line: *line, scripts });
                }
                Err(error) => refuse(&mut script, *line, error),
            }
        }
        script
    }
}

fn included_pattern<'s>(record: &Record<'s>) -> Option<(u32, &'s [u8])> {
    match record.kind {
        RecordKind::Control(Control::Include(pattern)) if record.defect.is_none() => {
            Some((record.line, pattern))
        }
        _ => None,
    }
}

/// Replaces what the record on `line` would do: it is not allowed, or malformed.
fn refuse(script: &mut Script<'_>, line: u32, error: &IncludeError) {
    for item in &mut script.items {
        if let Item::Record(record) = item
            && record.line == line
            && let Some((_, pattern)) = included_pattern(record)
        {
            match error {
                IncludeError::NotAllowed(why) => {
                    record.kind = RecordKind::Control(Control::RefusedInclude(why.as_str().into()));
                }
                IncludeError::Failed(why) => {
                    let text = format!("cannot include `{}`: {why}", text_of(pattern));
                    let kind = ParseErrorKind::Other { text };
                    record.defect = Some(Defect::new(script.source.at(line), kind, DefectEffect::Dropped));
                }
            }
        }
    }
}
