//! The recorded counts, and the comparison with them.

use std::fmt;
use std::path::PathBuf;

/// The difference that is tolerated, up or down: other versions of the C library and the allocator's state change counts.
pub const TOLERANCE_PERCENT: u64 = 5;

/// What the counts depend on besides the source.
const BUILD: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// Recorded counts.
pub struct RecordedCounts {
    counts: Vec<(String, u64)>,
}

/// A case with its count in the baseline and now.
pub struct CountComparison<'c> {
    name: &'c str,
    recorded: Option<u64>,
    now: Option<u64>,
}

/// The judgement of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountVerdict {
    /// The counts are equal enough.
    Pass,
    /// There are more instructions, or one of the counts is missing.
    Fail,
    /// There are fewer instructions, so that the baseline would hide that some of them come back.
    Outdated,
}

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/instruction_counts/baseline.tsv"))
}

/// Returns the first line of the file, which names the build.
fn first_line() -> String {
    format!("# instructions, {} {BUILD}", std::env::consts::ARCH)
}

/// Records counts.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(counts: &[(&str, u64)]) -> std::io::Result<()> {
    let lines: Vec<String> = counts.iter().map(|(name, count)| format!("{name}\t{count}\n")).collect();
    std::fs::write(path(), format!("{}\n{}", first_line(), lines.concat()))
}

impl RecordedCounts {
    /// Reads the recorded counts.
    ///
    /// # Errors
    ///
    /// When there are none, or those of another build.
    pub fn read() -> Result<Self, String> {
        let text =
            std::fs::read_to_string(path()).map_err(|error| format!("cannot read the baseline: {error}"))?;
        let (first, lines) = text.split_once('\n').unwrap_or_default();
        if first != first_line() {
            return Err(format!("expected the baseline `{}`, found `{first}`", first_line()));
        }
        let counts = lines.lines().map(|line| {
            let (name, count) = line.split_once('\t')?;
            Some((name.to_owned(), count.parse().ok()?))
        });
        let counts: Option<_> = counts.collect();
        Ok(Self { counts: counts.ok_or("expected a name and a count on each line of the baseline")? })
    }

    /// Compares new counts with these, and finds those that are only in one of both.
    pub fn compare<'c>(&'c self, counts: &'c [(&'c str, u64)]) -> Vec<CountComparison<'c>> {
        let recorded =
            |name: &str| self.counts.iter().find(|(other, _)| other == name).map(|(_, count)| *count);
        let now = counts.iter().map(|&(name, now)| CountComparison {
            name,
            recorded: recorded(name),
            now: Some(now),
        });
        let gone = self.counts.iter().filter(|(name, _)| counts.iter().all(|(other, _)| other != name));
        let gone = gone.map(|(name, count)| CountComparison { name, recorded: Some(*count), now: None });
        now.chain(gone).collect()
    }
}

impl CountComparison<'_> {
    /// Judges the difference.
    pub fn verdict(&self) -> CountVerdict {
        match (self.recorded, self.now) {
            (Some(recorded), Some(now)) if now * 100 > recorded * (100 + TOLERANCE_PERCENT) => {
                CountVerdict::Fail
            }
            (Some(recorded), Some(now)) if now * 100 < recorded * (100 - TOLERANCE_PERCENT) => {
                CountVerdict::Outdated
            }
            (Some(_), Some(_)) => CountVerdict::Pass,
            _ => CountVerdict::Fail,
        }
    }
}

impl fmt::Display for CountComparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, note) = match (self.verdict(), self.recorded, self.now) {
            (CountVerdict::Pass, ..) => ("PASS", ""),
            (CountVerdict::Outdated, ..) => ("PASS", "  fewer: `just counts --accept` records it"),
            (CountVerdict::Fail, None, _) => ("FAIL", "  not in the baseline"),
            (CountVerdict::Fail, _, None) => ("FAIL", "  only in the baseline"),
            (CountVerdict::Fail, ..) => ("FAIL", ""),
        };
        let count = |count: Option<u64>| count.map_or_else(|| "none".to_owned(), |count| count.to_string());
        write!(f, "{word} {:<24} {:>9} -> {:>9}", self.name, count(self.recorded), count(self.now))?;
        if let (Some(recorded), Some(now)) = (self.recorded, self.now) {
            write!(f, " {:>+6.1} %", (now as f64 / recorded as f64 - 1.0) * 100.0)?;
        }
        f.write_str(note)
    }
}
