//! The pass rates of recent runs, of all files and by category.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::report::runs::sparkline;
use slt_core::location::FileId;
use slt_core::outcome::{Counts, Totals, category_of};
use slt_runner::results::{PastRun, RunSummary};
use slt_runner::text::count::{percent, thousands};
use slt_runner::text::markdown::cell;
use slt_runner::text::object::{Object, object};
use slt_runner::text::table::table;

/// The records of recent runs, the oldest run first.
#[derive(Debug, Default)]
pub struct PassRateTrend {
    /// The runs, with the totals of the selected files.
    pub runs: Vec<RunSummary>,
    /// The records of each category, in each of the runs with this category.
    categories: BTreeMap<String, Vec<(usize, Counts)>>,
}

const HEADERS: [&str; 6] = ["category", "trend", "records", "passed", "rate", "change"];

/// The trend of a category.
struct CategoryTrend<'t> {
    name: &'t str,
    /// The counts of the last run with the category.
    last: &'t Counts,
    rates: Vec<f64>,
}

impl PassRateTrend {
    /// Adds a run that is younger than all others, with its selected files only.
    pub fn push(&mut self, past: PastRun, is_selected: impl Fn(&FileId) -> bool) {
        let PastRun { mut run, mut files, .. } = past;
        files.retain(|file| is_selected(&file.file));
        let mut categories = BTreeMap::<&str, Counts>::new();
        for file in &files {
            *categories.entry(category_of(file.file.own_path())).or_default() += file.counts;
        }
        for (name, counts) in categories {
            self.categories.entry(name.to_owned()).or_default().push((self.runs.len(), counts));
        }
        run.totals = Totals::from_summaries(&files);
        run.header.files = files.len();
        self.runs.push(run);
    }

    /// Returns the pass rates of all selected records.
    pub(super) fn rates(&self) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.totals.records.pass_rate()).collect()
    }

    /// Returns the categories of the last run: first those whose pass rate fell, then the others by name.
    fn categories(&self) -> Vec<CategoryTrend<'_>> {
        let known = self.categories.iter().filter_map(|(name, counts)| {
            let (_, last) = counts.last().filter(|(run, _)| run + 1 == self.runs.len())?;
            let rates = counts.iter().filter_map(|(_, counts)| counts.pass_rate()).collect();
            Some(CategoryTrend { name, last, rates })
        });
        let mut categories: Vec<_> = known.collect();
        categories.sort_by(|one, other| one.drop().total_cmp(&other.drop()));
        categories
    }

    /// Writes the categories for the screen.
    pub(super) fn text(&self, out: &mut String) -> fmt::Result {
        let rows = self.categories().into_iter().map(|category| category.columns().to_vec());
        writeln!(out, "\n{}", table(&HEADERS, rows, |column| column > 1))
    }

    /// Writes the categories as a table in Markdown.
    pub(super) fn markdown(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "\n| {} |\n|---|---|---:|---:|---:|---:|", HEADERS.join(" | "))?;
        for category in self.categories() {
            let [name, others @ ..] = category.columns();
            writeln!(out, "| {} | {} |", cell(&name), others.join(" | "))?;
        }
        Ok(())
    }

    /// Makes the list of categories for programs.
    pub(super) fn json(&self) -> Vec<Object<'_>> {
        let category = |(name, counts): (&'_ String, &'_ Vec<(usize, Counts)>)| {
            let runs = counts.iter().map(|(run, counts)| {
                object! {
                    "run": self.runs[*run].name.clone(),
                    "records": counts.total,
                    "passed": counts.passed,
                    "pass_rate": counts.pass_rate().map(|rate| rate * 100.0),
                }
            });
            object! { "category": name.clone(), "runs": runs.collect::<Vec<_>>() }
        };
        self.categories.iter().map(category).collect()
    }
}

impl CategoryTrend<'_> {
    /// Returns the change since the run before, in percentage points.
    fn change(&self) -> Option<f64> {
        let [.., before, last] = self.rates.as_slice() else { return None };
        Some((last - before) * 100.0)
    }

    /// Returns the change, if the pass rate fell; otherwise 0.
    fn drop(&self) -> f64 {
        self.change().unwrap_or(0.0).min(0.0)
    }

    fn columns(&self) -> [String; 6] {
        [
            self.name.to_owned(),
            sparkline(&self.rates),
            thousands(self.last.total),
            thousands(self.last.passed),
            percent(self.rates.last().copied()),
            self.change().map_or_else(|| "-".to_owned(), |change| format!("{change:+.2}")),
        ]
    }
}
