//! Clusters of failures: every failing record is in exactly one, counts are right, and planted bugs are found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use proptest::prelude::*;
use vibesql_sqllogictest::analysis::{Analysis, NoText, Texts, analyze};
use vibesql_sqllogictest::engine::{
    Engine, EngineError, EngineIdentity, ExecuteError, RowSink, Session, SqlError,
};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{FileReport, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::value::{TypeTag, ValueRef};

use crate::support::run_on;

/// What is wrong with a piece of SQL, if anything is.
type Bugs = fn(&str) -> Option<&'static str>;

/// An engine whose every query has one row, 1, but for its bugs.
#[derive(Clone, Copy)]
struct Buggy<'b> {
    bugs: Bugs,
    /// Those that were fixed.
    fixed: &'b [&'static str],
}

impl Engine for Buggy<'_> {
    fn identity(&self) -> EngineIdentity {
        let name = "buggy".to_owned();
        EngineIdentity { labels: vec![name.clone()], name, version: "1".to_owned() }
    }

    fn open(&self) -> Result<Box<dyn Session>, EngineError> {
        Ok(Box::new(BuggySession { bugs: self.bugs, fixed: self.fixed.to_vec(), unmade: BTreeSet::new() }))
    }
}

struct BuggySession {
    bugs: Bugs,
    fixed: Vec<&'static str>,
    /// Tables that were not made.
    unmade: BTreeSet<String>,
}

impl Session for BuggySession {
    fn execute(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let error = |text: String| Err(ExecuteError::Sql(SqlError::new(text)));
        let is_query = sql.starts_with("SELECT");
        rows.columns(if is_query { &[TypeTag::Unknown] } else { &[] });
        if let Some(table) = self.unmade.iter().find(|table| sql.contains(table.as_str())) {
            return error(format!("no such table: {table}"));
        }
        match (self.bugs)(sql).filter(|bug| !self.fixed.contains(bug)) {
            Some("not made") => {
                self.unmade.insert(sql.split_whitespace().nth(2).unwrap_or_default().to_owned());
                return error("near \"WITHOUT\": syntax error".to_owned());
            }
            Some("error") => return error(format!("no such function: {}", &sql[7..10])),
            Some("form") => rows.row(&[ValueRef::Text(b"1.000")]),
            Some("missing") => rows.end_of_statement(),
            Some(_) => rows.row(&[ValueRef::Integer(sql.len() as i64 + 1)]),
            None if is_query => rows.row(&[ValueRef::Integer(1)]),
            None => rows.end_of_statement(),
        };
        rows.end_of_statement();
        Ok(())
    }
}

/// Texts in memory.
struct InMemory(HashMap<String, String>);

impl Texts for InMemory {
    fn text(&mut self, file: &FileReport) -> Result<Source, NoText> {
        let text = self.0.get(&file.file).ok_or(NoText::Unknown)?;
        Ok(Source::new(file.file.as_str(), text.as_str()))
    }
}

/// Makes the text of a file of SQL, of which queries expect one row.
fn text_of(sql: &[String]) -> String {
    sql.iter()
        .map(|sql| match sql.starts_with("SELECT") {
            true => format!("query T nosort\n{sql}\n----\n1\n\n"),
            false => format!("statement ok\n{sql}\n\n"),
        })
        .collect()
}

fn run(bugs: Bugs, files: &[(String, String)]) -> RunReport {
    run_with_fixes(bugs, &[], files)
}

fn run_with_fixes(bugs: Bugs, fixed: &[&'static str], files: &[(String, String)]) -> RunReport {
    let engine = Buggy { bugs, fixed };
    let reports = files.iter().map(|(name, text)| run_on(&engine, name, text.as_bytes(), false)).collect();
    let identity = engine.identity();
    let header =
        RunHeader { labels: identity.labels.clone(), engine: identity, exact: false, files: files.len() };
    RunReport { header, files: reports, elapsed: Duration::ZERO, end: RunEnd::Completed }
}

fn analysis_of(report: &RunReport, files: &[(String, String)]) -> Analysis {
    analyze(report, None, &mut InMemory(files.iter().cloned().collect()))
}

/// What must hold of every analysis.
fn check_counts(report: &RunReport, analysis: &Analysis) {
    let failing: Vec<_> = (0_u32..)
        .zip(&report.files)
        .flat_map(|(place, file)| file.failing.iter().map(move |&line| (place, line)))
        .collect();
    let assigned: Vec<_> = analysis.records.iter().map(|record| (record.file, record.line)).collect();
    assert_eq!(assigned, failing, "each failing record once");
    assert_eq!(analysis.failing, failing.len() as u64);
    let sum: u64 = analysis.clusters.iter().map(|cluster| cluster.records).sum();
    assert_eq!(sum, analysis.failing);
    let red = report.files.iter().filter(|file| !file.last_status().is_good()).count();
    assert_eq!(analysis.files.len(), red);
    let of_file: BTreeMap<usize, BTreeSet<usize>> =
        analysis.files.iter().map(|red| (red.file, red.clusters.iter().copied().collect())).collect();
    for (place, cluster) in analysis.clusters.iter().enumerate() {
        let own = analysis.records.iter().filter(|record| record.cluster as usize == place).count();
        assert_eq!(own as u64, cluster.records);
        let with_it = of_file.iter().filter(|(_, clusters)| clusters.contains(&place));
        assert_eq!(with_it.clone().map(|(&file, _)| file).collect::<Vec<_>>(), cluster.files);
        let alone = with_it.filter(|(_, clusters)| clusters.len() == 1).count();
        assert_eq!(alone as u64, cluster.only);
        // Those are green in which no record is in a cluster that is not fixed.
        let green = of_file.values().filter(|clusters| clusters.iter().all(|&one| one <= place)).count();
        assert_eq!(green as u64, cluster.green_after);
        assert!(cluster.consequences < cluster.records.max(1));
        // A file of which another tool tells only as a whole has no record to show.
        let has_record = analysis.records.iter().any(|one| one.cluster as usize == place && one.line > 0);
        assert_eq!(cluster.example.is_some(), has_record);
    }
}

/// A generator of SQL that looks like that of SQLite's random files.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn value(&mut self) -> String {
        match self.below(14) {
            0 => format!("CAST(col{} AS INTEGER)", self.below(3)),
            1 => "NULL".to_owned(),
            2 => format!("ABS(col{})", self.below(3)),
            3 => format!("COALESCE({}, col1)", self.below(90)),
            4 => format!("- col{}", self.below(3)),
            5 => format!("AVG(DISTINCT {})", self.below(90)),
            6 => format!("{} / col2", self.below(90)),
            7..10 => self.below(90).to_string(),
            _ => format!("col{}", self.below(3)),
        }
    }

    fn query(&mut self, tables: u64) -> String {
        let (one, two, three) = (self.value(), self.value(), self.value());
        let rest = match self.below(5) {
            0 => format!(" WHERE {one} NOT BETWEEN {two} AND {three}"),
            1 => format!(" WHERE {one} IN ({two}, {three})"),
            2 => format!(" WHERE NOT {one} > {two} AND {three} IS NULL"),
            3 => " CROSS JOIN tab0 AS cor0".to_owned(),
            _ => String::new(),
        };
        let sql = format!("SELECT {} + {} FROM tab{}{rest}", self.value(), self.value(), self.below(tables));
        if self.below(6) == 0 { format!("SELECT foo({}) FROM ({sql}) s", self.below(90)) } else { sql }
    }

    fn file(&mut self, number: u64) -> (String, String) {
        let mut sql = Vec::new();
        for table in 0..4 {
            let odd = if table == 3 && number.is_multiple_of(5) { " WITHOUT ROWID" } else { "" };
            sql.push(format!("CREATE TABLE tab{table} (col0 INTEGER, col1 INTEGER, col2 INTEGER){odd}"));
            sql.extend((0..4).map(|_| {
                format!("INSERT INTO tab{table} VALUES({}, {}, 3)", self.below(90), self.below(90))
            }));
        }
        // Every third file has less in it, so that some bugs are alone in a file.
        let plain = number % 3 == 1;
        sql.extend(
            (0..300)
                .map(|_| self.query(4))
                .filter(|sql| !plain || !sql.contains("foo") && !sql.contains("CAST")),
        );
        (format!("random/f{number:03}.test"), text_of(&sql))
    }
}

/// A cheap digest, so that chance is the same each time.
fn chance(sql: &str, of: u64) -> bool {
    let sum = sql.bytes().fold(7_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (sum >> 20).is_multiple_of(of)
}

/// Five bugs, and noise: the first that a text has is what goes wrong with it.
fn planted(sql: &str) -> Option<&'static str> {
    if sql.contains("WITHOUT") {
        return Some("not made");
    }
    if sql.contains("foo") {
        return Some("error");
    }
    if sql.contains("NOT BETWEEN") {
        return Some(if chance(sql, 2) { "missing" } else { "wrong" });
    }
    if sql.contains("CAST") {
        return Some("form");
    }
    // A bug that shows at some of the times only.
    if sql.contains("AVG(DISTINCT") && chance(sql, 3) {
        return Some("average");
    }
    chance(sql, 700).then_some("noise")
}

#[test]
fn planted_bugs_are_found() {
    let mut random = Random(20);
    let files: Vec<_> = (0..40).map(|number| random.file(number)).collect();
    let report = run(planted, &files);
    let analysis = analysis_of(&report, &files);
    check_counts(&report, &analysis);
    let truth = truth_of(&report, &files);
    // Of each bug its best cluster: which share of the cluster is it, and which share of it is in the cluster.
    let mut shares = Vec::new();
    for bug in ["not made", "error", "between", "form", "average"] {
        let own: Vec<_> =
            analysis.records.iter().filter(|record| truth[&(record.file, record.line)] == bug).collect();
        let mut clusters = BTreeMap::<u32, usize>::new();
        own.iter().for_each(|record| *clusters.entry(record.cluster).or_default() += 1);
        let (&best, &hits) = clusters.iter().max_by_key(|(_, hits)| **hits).unwrap();
        let (precision, recall) =
            (hits as f64 / analysis.clusters[best as usize].records as f64, hits as f64 / own.len() as f64);
        assert!(precision > 0.95 && recall > 0.95, "{bug}: {precision:.3} {recall:.3}\n{analysis:#?}");
        let cluster = &analysis.clusters[best as usize];
        let seen = format!("{} {}", cluster.symptom.kind, cluster.symptom.what);
        shares.push(format!("{bug}: {} | {seen}", cluster.features.join(", ")));
    }
    insta::assert_snapshot!(shares.join("\n"), @"
        not made: WITHOUT | unexpected_error near _: syntax error
        error: FOO() | unexpected_error no such function: foo
        between: NOT BETWEEN | wrong_result wrong values
        form: CAST AS INTEGER | wrong_result form of a number
        average: AVG() | wrong_result wrong values
        ");
    assert!(analysis.clusters.len() <= 7, "{:#?}", analysis.clusters);
    assert!(analysis.gaps.is_empty());
}

#[test]
fn fixes_turn_green_what_is_promised() {
    let mut random = Random(21);
    let files: Vec<_> = (0..40).map(|number| random.file(number)).collect();
    // Noise that looks like a bug would be taken for it.
    let mut fixed = vec!["noise"];
    let report = run_with_fixes(planted, &fixed, &files);
    let analysis = analysis_of(&report, &files);
    let truth = truth_of(&report, &files);
    for (place, cluster) in analysis.clusters.iter().enumerate() {
        // The bug that most of its records have.
        let mut bugs = BTreeMap::<&str, usize>::new();
        for record in analysis.records.iter().filter(|record| record.cluster as usize == place) {
            *bugs.entry(truth[&(record.file, record.line)]).or_default() += 1;
        }
        match *bugs.iter().max_by_key(|(_, records)| **records).unwrap().0 {
            "between" => fixed.extend(["missing", "wrong"]),
            "not made" => fixed.push("not made"),
            "error" => fixed.push("error"),
            "form" => fixed.push("form"),
            bug => {
                assert_eq!(bug, "average");
                fixed.push("average");
            }
        }
        let again = run_with_fixes(planted, &fixed, &files);
        let red =
            |report: &RunReport| report.files.iter().filter(|file| !file.last_status().is_good()).count();
        assert_eq!((red(&report) - red(&again)) as u64, cluster.green_after, "after {fixed:?}");
    }
    assert_eq!(fixed.len(), 7, "{fixed:?}");
}

/// The bug behind each failing record.
fn truth_of(report: &RunReport, files: &[(String, String)]) -> HashMap<(u32, u32), &'static str> {
    let mut truth = HashMap::new();
    for ((place, file), (_, text)) in (0_u32..).zip(&report.files).zip(files) {
        let lines: Vec<_> = text.lines().collect();
        let odd = text.contains("WITHOUT");
        for &line in &file.failing {
            let sql = lines[line as usize];
            let bug = match planted(sql) {
                _ if odd && sql.contains("tab3") => "not made",
                Some("missing" | "wrong") => "between",
                Some(bug) => bug,
                None => panic!("{sql} should not have failed"),
            };
            truth.insert((place, line), bug);
        }
    }
    truth
}

#[test]
fn lines_that_have_moved_are_found_and_gone_files_are_told() {
    let mut random = Random(3);
    let mut files: Vec<_> = (0..6).map(|number| random.file(number)).collect();
    let report = run(planted, &files);
    let before = analysis_of(&report, &files);
    // New lines on top, another record changed, another file away.
    files[1].1 = format!("# new\n\n{}", files[1].1);
    files[2].1 = files[2].1.replace("NOT BETWEEN", "NOT  BETWEEN").replace("CAST(", "CAST (");
    files.remove(4);
    let after = analysis_of(&report, &files);
    check_counts(&report, &after);
    let gone = &report.files[4];
    let of = |file: &str| after.gaps.iter().find(|gap| gap.file == file);
    assert_eq!(of(&report.files[1].file), None, "all records are found on their new lines");
    assert_eq!(of(&report.files[2].file), None, "details have the SQL of those that have changed");
    assert_eq!(of(&gone.file), None, "and of those whose file is gone");
    assert_eq!(after.clusters.len(), before.clusters.len());

    let without_details: Vec<_> =
        report.files.iter().map(|file| FileReport { details: Vec::new(), ..file.clone() }).collect();
    let report = RunReport { files: without_details, ..report };
    let after = analysis_of(&report, &files);
    check_counts(&report, &after);
    let gaps: BTreeMap<_, _> = after.gaps.iter().map(|gap| (gap.file.as_str(), gap)).collect();
    assert_eq!(gaps[report.files[4].file.as_str()].why, Some(NoText::Unknown));
    assert_eq!(gaps[report.files[4].file.as_str()].records, report.files[4].failing.len() as u64);
    let changed = gaps[report.files[2].file.as_str()];
    assert!(changed.why.is_none() && changed.records > 0);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn each_failing_record_is_in_one_cluster(seed in 0_u64..1000, count in 1_u64..8, gone in 0_usize..8, old in any::<bool>()) {
        let mut random = Random(seed);
        let mut files: Vec<_> = (0..count).map(|number| random.file(number)).collect();
        let mut report = run(planted, &files);
        if old {
            // As the first versions have written it.
            for file in &mut report.files {
                file.marks.clear();
                file.groups.clear();
                file.details.truncate(gone);
            }
        }
        files.retain(|(name, _)| !name.ends_with(&format!("{gone}.test")));
        check_counts(&report, &analysis_of(&report, &files));
    }
}

#[test]
fn nothing_wrong_is_no_cluster_and_whole_files_are_clusters() {
    use vibesql_sqllogictest::outcome::{FileEnd, FileProblem, FileStatus};

    let files = [("a.test".to_owned(), text_of(&["SELECT 1".to_owned()]))];
    let report = run(|_| None, &files);
    let analysis = analysis_of(&report, &files);
    check_counts(&report, &analysis);
    assert!(analysis.clusters.is_empty());

    let mut report = report;
    for name in ["b.test", "c.test"] {
        let end = FileEnd::NotStarted(FileProblem::Unreadable(format!("{name} is a folder")));
        report.files.push(FileReport::new(name, end));
    }
    report.files.push(FileReport::of_whole("d.test", FileStatus::Failed, Some("it's bad"), Duration::ZERO));
    let analysis = analysis_of(&report, &files);
    check_counts(&report, &analysis);
    let seen: Vec<_> =
        analysis.clusters.iter().map(|cluster| (cluster.symptom.what.as_str(), cluster.only)).collect();
    assert_eq!(seen, [("the file cannot be read", 2), ("it's bad", 1)]);
}
