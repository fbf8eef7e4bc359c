//! The punchlist: files in the order in which fixes turn them green.
//!
//! Layout and fields are those of VibeSQL's earlier scripts (`sqllogictest_punchlist.md`, `.csv`, `.json`), which
//! ordered the files by estimated effort.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

use super::AnalysisView;
use super::markdown::fixes;
use super::words::{limits, punchline};
use crate::report::cluster::{title, wrong};
use slt_core::outcome::{FileReport, FileStatus, FlakyResult, category_of, subcategory_of};
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::csv::field;
use slt_runner::text::markdown::code;
use slt_runner::text::object::{Object, object};

/// The categories of the earlier scripts, in their order; others follow them.
const CATEGORIES: [&str; 6] = ["index", "evidence", "select", "random", "ddl", "other"];
/// The number of files and commands in the next steps, as in the earlier scripts.
const MOST_NEXT: usize = 10;

/// A run and its analysis, with additional data.
pub struct Punchlist<'v> {
    /// The analysis.
    pub view: AnalysisView<'v>,
    /// When the run began, in milliseconds since 1970.
    pub started: i64,
    /// The files of the run without a result.
    pub untested: Vec<&'v str>,
    /// The name of the program.
    pub program: &'v str,
}

/// A file with its place in the order.
struct PunchlistRow<'v> {
    file: &'v str,
    /// What its category comes from.
    own_path: &'v str,
    status: &'static str,
    priority: u8,
    /// The report of the file, if it was tested.
    report: Option<&'v FileReport>,
    /// The fixes that it needs.
    fixes: Vec<usize>,
}

/// Returns the priority of a file. A file without executed records counts as untested.
fn priority(report: &FileReport, flaky: FlakyResult) -> u8 {
    match report.status() {
        FileStatus::Passed => 3,
        FileStatus::Flaky if report.is_good(flaky) => 3,
        FileStatus::Empty => 2,
        _ => 1,
    }
}

impl<'v> Punchlist<'v> {
    /// Returns all files: failing ones in the order of fixes, those without a result, and the others.
    fn rows(&self) -> Vec<PunchlistRow<'v>> {
        let files = &self.view.report.files;
        let row = |report: &'v FileReport, fixes| PunchlistRow {
            file: report.file.path(),
            own_path: report.file.own_path(),
            status: report.status().label(),
            priority: priority(report, self.view.report.header.flaky),
            report: Some(report),
            fixes,
        };
        let red = self.view.analysis.files.iter();
        let mut rows: Vec<_> = red
            .map(|red| row(&files[red.file], red.clusters.iter().map(|place| place + 1).collect()))
            .collect();
        let others = || files.iter().filter(|file| file.last_status().is_good());
        // Flaky files that passed in the end have no known fix.
        rows.extend(others().filter(|file| !file.status().is_good()).map(|file| row(file, Vec::new())));
        rows.extend(self.untested.iter().map(|&file| PunchlistRow {
            file,
            own_path: file,
            status: "UNTESTED",
            priority: 2,
            report: None,
            fixes: Vec::new(),
        }));
        for status in [FileStatus::Empty, FileStatus::Passed] {
            rows.extend(others().filter(|file| file.status() == status).map(|file| row(file, Vec::new())));
        }
        rows
    }

    fn time(&self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.started).unwrap_or_default();
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Returns the counts of each category, in the order of the earlier scripts.
    fn by_category(&self) -> Vec<(&'v str, CategorySums)> {
        let mut categories = BTreeMap::<&str, CategorySums>::new();
        for row in self.rows() {
            categories.entry(category_of(row.own_path)).or_default().add(row.priority);
        }
        let mut categories: Vec<_> = categories.into_iter().collect();
        let order =
            |name: &str| CATEGORIES.iter().position(|known| *known == name).unwrap_or(CATEGORIES.len());
        categories.sort_by_key(|(name, _)| (order(name), *name));
        categories
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
struct CategorySums {
    total: u64,
    passed: u64,
    failed: u64,
    untested: u64,
}

impl CategorySums {
    fn add(&mut self, priority: u8) {
        self.total += 1;
        *match priority {
            1 => &mut self.failed,
            2 => &mut self.untested,
            _ => &mut self.passed,
        } += 1;
    }

    fn rate(&self) -> String {
        percent((self.total > 0).then(|| self.passed as f64 / self.total as f64))
    }
}

fn sum(categories: &[(&str, CategorySums)]) -> CategorySums {
    categories.iter().fold(CategorySums::default(), |sum, (_, one)| CategorySums {
        total: sum.total + one.total,
        passed: sum.passed + one.passed,
        failed: sum.failed + one.failed,
        untested: sum.untested + one.untested,
    })
}

/// Writes the list as Markdown.
pub fn markdown(out: &mut String, list: &Punchlist<'_>) -> fmt::Result {
    let categories = list.by_category();
    let all = sum(&categories);
    writeln!(out, "# SQLLogicTest Punchlist\n")?;
    writeln!(out, "Last updated: {}  ", list.time())?;
    writeln!(
        out,
        "Source: run {} on {}  ",
        code(list.view.run),
        code(&list.view.report.header.engine.to_string())
    )?;
    writeln!(out, "Pass rate: {} ({}/{} files)\n", all.rate(), all.passed, all.total)?;
    punchline(&list.view).iter().try_for_each(|line| writeln!(out, "**{line}**  "))?;
    for limit in limits(&list.view) {
        writeln!(out, "\n> {}", code(&limit))?;
    }
    writeln!(out, "\n## Progress by Category\n")?;
    for (name, category) in &categories {
        let done = if category.passed == category.total { "x" } else { " " };
        writeln!(
            out,
            "- [{done}] {}: {} ({}/{})",
            code(name),
            category.rate(),
            category.passed,
            category.total
        )?;
    }
    if !list.view.analysis.clusters.is_empty() {
        fixes(out, &list.view)?;
    }
    let rows = list.rows();
    failing(out, list, &rows, &categories)?;
    untested(out, &rows)?;
    next_steps(out, list, &rows)
}

fn failing(
    out: &mut String,
    list: &Punchlist<'_>,
    rows: &[PunchlistRow<'_>],
    categories: &[(&str, CategorySums)],
) -> fmt::Result {
    let failing = || rows.iter().filter(|row| row.priority == 1);
    writeln!(out, "\n## Failing Files ({})\n", failing().count())?;
    writeln!(out, "In each category first those that turn green first.")?;
    for (category, _) in categories {
        let own: Vec<_> = failing().filter(|row| category_of(row.own_path) == *category).collect();
        if own.is_empty() {
            continue;
        }
        writeln!(out, "\n### {}\n", code(&format!("{category}/")))?;
        for row in own {
            let fixes: Vec<_> = row.fixes.iter().map(usize::to_string).collect();
            let fixes = match fixes.as_slice() {
                [] => String::new(),
                fixes => format!("fix {}: ", fixes.join(", ")),
            };
            writeln!(out, "- [ ] {} - {fixes}{}", code(row.file), reason(list, row))?;
        }
    }
    Ok(())
}

/// Returns the first known failing record of a file, and the number of failing records.
fn reason(list: &Punchlist<'_>, row: &PunchlistRow<'_>) -> String {
    let Some(report) = row.report else { return String::new() };
    let records = plural(report.failures.len() as u64, "record");
    let first = report.details().next().map(wrong);
    let title = || {
        let cluster = row.fixes.first().and_then(|fix| list.view.analysis.clusters.get(fix - 1));
        cluster.map(title)
    };
    match first.or_else(title) {
        Some(what) => format!("{}, {records}, {}", row.status, code(&what)),
        None => format!("{}, {records}", row.status),
    }
}

fn untested(out: &mut String, rows: &[PunchlistRow<'_>]) -> fmt::Result {
    let untested: Vec<_> = rows.iter().filter(|row| row.priority == 2).collect();
    if untested.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Untested Files ({})\n", untested.len())?;
    untested.iter().try_for_each(|row| writeln!(out, "- [ ] {}", code(row.file)))
}

fn next_steps(out: &mut String, list: &Punchlist<'_>, rows: &[PunchlistRow<'_>]) -> fmt::Result {
    writeln!(out, "\n## Next Steps\n")?;
    let clusters = list.view.analysis.clusters.iter().enumerate();
    let commands = clusters.filter_map(|(place, cluster)| {
        let again = list.view.again(&list.view.sample(cluster)?);
        (!again.is_empty()).then(|| (place, title(cluster), again))
    });
    for (place, title, again) in commands.take(MOST_NEXT) {
        writeln!(out, "{}. {}: {}", place + 1, code(&title), code(&again))?;
    }
    let files = |priority| rows.iter().filter(move |row| row.priority == priority).take(MOST_NEXT);
    for (priority, what) in [(1, "files that turn green first"), (2, "untested files")] {
        let names: Vec<_> = files(priority).map(|row| code(row.file)).collect();
        if !names.is_empty() {
            writeln!(out, "\nThe first {what}: {}", names.join(", "))?;
        }
    }
    let program = list.program;
    writeln!(out, "\n{} runs again what has not passed.", code(&format!("{program} run --failed")))
}

/// Writes the list as CSV: `file,category,subcategory,status,priority`, the most important file first.
pub fn csv(out: &mut String, list: &Punchlist<'_>) -> fmt::Result {
    out.write_str("file,category,subcategory,status,priority\n")?;
    for row in list.rows() {
        let words =
            [row.file, category_of(row.own_path), subcategory_of(row.own_path), row.status].map(field);
        writeln!(out, "{},{}", words.join(","), row.priority)?;
    }
    Ok(())
}

/// Makes the list as JSON, with the fields of the earlier `sqllogictest_punchlist.json` and `sqllogictest_summary.json`.
pub fn json<'v>(list: &'v Punchlist<'v>) -> Object<'v> {
    let rows = list.rows();
    let with = |priority| -> Vec<_> {
        rows.iter().filter(|row| row.priority == priority).map(|row| row.file).collect()
    };
    let categories = list.by_category();
    let all = sum(&categories);
    let by_category: BTreeMap<_, _> = categories.iter().copied().collect();
    // The files with a status that the lists do not show.
    let others = rows.iter().filter(|row| !["PASS", "FAIL", "UNTESTED"].contains(&row.status));
    let fixes = list.view.analysis.clusters.iter().enumerate().map(|(place, cluster)| {
        let files = list.view.analysis.files.iter().filter(|red| red.fixes() == place + 1);
        object! {
            "fix": place + 1,
            "title": title(cluster),
            "records": cluster.records,
            "green_after": cluster.green_after,
            "turns_green": files.map(|red| list.view.report.files[red.file].file.path()).collect::<Vec<_>>(),
        }
    });
    object! {
        "timestamp": list.time(),
        "run": list.view.run,
        "total_files": all.total,
        "summary": object! { "passed": all.passed, "failed": all.failed, "untested": all.untested },
        "by_category": by_category,
        "passed_files": with(3),
        "failed_files": with(1),
        "untested_files": with(2),
        "statuses": others.map(|row| (row.file, row.status)).collect::<BTreeMap<_, _>>(),
        "fixes": fixes.collect::<Vec<_>>(),
    }
}

/// A summary of the list in one sentence, for a list that is written to a file.
impl fmt::Display for Punchlist<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = sum(&self.by_category());
        let (failed, untested) = (thousands(all.failed), thousands(all.untested));
        write!(f, "{}: {failed} failing, {untested} untested", plural(all.total, "file"))
    }
}
