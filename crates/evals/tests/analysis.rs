//! Clusters of failures: every failing record is in exactly one, counts are right, and planted bugs are found.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use slt_core::location::FileId;
use slt_core::outcome::{Difference, FileReport, RunReport};
use slt_insight::analysis::{Analysis, RecordCluster, TextError, analyze};

use slt_evals::bugs::{GeneratedSuite, NOISE, ResultForm, TextsInMemory, five_bugs, form, without};
use slt_evals::clusters::{best_cluster, bug_of};
use slt_evals::planted::Random;

fn analysis_of(report: &RunReport, files: &[(String, String)]) -> Analysis {
    analyze(report, None, &mut TextsInMemory::new(files))
}

/// Checks the invariants of every analysis.
fn check_counts(report: &RunReport, analysis: &Analysis) {
    let failing: Vec<_> = (0_u32..)
        .zip(&report.files)
        .flat_map(|(number, file)| (0..file.failures.len() as u32).map(move |place| (number, place)))
        .collect();
    let assigned: Vec<_> = analysis.records.iter().map(|record| (record.file, record.place)).collect();
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
        // A file that another tool reports only as a whole has no record for an example.
        let is_record = |one: &RecordCluster| {
            let failing = &report.files[one.file as usize].failures[one.place as usize];
            !failing.id.is_whole_file()
        };
        let mut own = analysis.records.iter().filter(|one| one.cluster as usize == place);
        let has_record = own.any(is_record);
        assert_eq!(cluster.example.is_some(), has_record);
    }
}

#[test]
fn planted_bugs_are_found() {
    let suite = GeneratedSuite::new(&mut Random::new(20), 40, 300, ResultForm::Value);
    let bugs = five_bugs();
    let report = suite.run(&bugs);
    let analysis = analysis_of(&report, &suite.texts());
    check_counts(&report, &analysis);
    let truth = suite.truth(&bugs);
    let failing: usize = report.files.iter().map(|file| file.failures.len()).sum();
    assert_eq!(truth.len(), failing, "it is known of each failing record why it fails");
    // Of each bug its best cluster: which share of the cluster is it, and which share of it is in the cluster.
    let mut shares = Vec::new();
    for bug in ["not made", "error", "between", "form", "average"] {
        let (best, hits) = best_cluster(&analysis, &truth, bug).unwrap();
        let all = truth.values().filter(|of| **of == bug).count();
        let cluster = &analysis.clusters[best];
        let (precision, recall) = (hits as f64 / cluster.records as f64, hits as f64 / all as f64);
        assert!(precision > 0.95 && recall > 0.95, "{bug}: {precision:.3} {recall:.3}\n{analysis:#?}");
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
fn of_hashes_no_value_is_known() {
    let suite = GeneratedSuite::new(&mut Random::new(22), 4, 100, ResultForm::Hash);
    let analysis = analysis_of(&suite.run(&[form()]), &suite.texts());
    let classes: Vec<_> = analysis.clusters.iter().map(|cluster| &cluster.classes).collect();
    assert_eq!(classes, [&[(Difference::Hash, analysis.failing)]]);
}

#[test]
fn fixes_turn_green_what_is_promised() {
    let suite = GeneratedSuite::new(&mut Random::new(21), 40, 300, ResultForm::Value);
    // Noise that looks like a bug would be taken for it.
    let bugs = without(&five_bugs(), &[NOISE]);
    let report = suite.run(&bugs);
    let analysis = analysis_of(&report, &suite.texts());
    let truth = suite.truth(&bugs);
    let mut fixed = Vec::new();
    for (place, cluster) in analysis.clusters.iter().enumerate() {
        fixed.push(bug_of(&analysis, &truth, place));
        let again = suite.run(&without(&bugs, &fixed));
        let red =
            |report: &RunReport| report.files.iter().filter(|file| !file.last_status().is_good()).count();
        assert_eq!((red(&report) - red(&again)) as u64, cluster.green_after, "after {fixed:?}");
    }
    fixed.sort_unstable();
    assert_eq!(fixed, ["average", "between", "error", "form", "not made"]);
}

#[test]
fn lines_that_have_moved_are_found_and_gone_files_are_told() {
    let suite = GeneratedSuite::new(&mut Random::new(3), 6, 300, ResultForm::Value);
    let mut files = suite.texts();
    let report = suite.run(&five_bugs());
    let before = analysis_of(&report, &files);
    // New lines on top, another record changed, another file away.
    files[1].1 = format!("# new\n\n{}", files[1].1);
    files[2].1 = files[2].1.replace("NOT BETWEEN", "NOT  BETWEEN").replace("CAST(", "CAST (");
    files.remove(4);
    let after = analysis_of(&report, &files);
    check_counts(&report, &after);
    let gone = &report.files[4];
    let of = |file: &FileId| after.gaps.iter().find(|gap| gap.file == file.path());
    assert_eq!(of(&report.files[1].file), None, "all records are found on their new lines");
    assert_eq!(of(&report.files[2].file), None, "details have the SQL of those that have changed");
    assert_eq!(of(&gone.file), None, "and of those whose file is gone");
    assert_eq!(after.clusters.len(), before.clusters.len());

    let mut report = report;
    let failures = report.files.iter_mut().flat_map(|file| &mut file.failures);
    failures.for_each(|record| record.detail = None);
    let after = analysis_of(&report, &files);
    check_counts(&report, &after);
    let gaps: BTreeMap<_, _> = after.gaps.iter().map(|gap| (gap.file.as_str(), gap)).collect();
    assert_eq!(gaps[report.files[4].file.path()].why, Some(TextError::Unknown));
    assert_eq!(gaps[report.files[4].file.path()].records, report.files[4].failures.len() as u64);
    let changed = gaps[report.files[2].file.path()];
    assert!(changed.why.is_none() && changed.records > 0);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn each_failing_record_is_in_one_cluster(seed in 0_u64..1000, count in 1_u64..8, gone in 0_usize..8, old in any::<bool>()) {
        let suite = GeneratedSuite::new(&mut Random::new(seed), count, 300, ResultForm::Value);
        let mut files = suite.texts();
        let mut report = suite.run(&five_bugs());
        if old {
            // The report as another program writes it.
            for file in &mut report.files {
                file.groups.clear();
                for (place, record) in file.failures.iter_mut().enumerate() {
                    (record.key, record.group) = (None, None);
                    record.detail = record.detail.take().filter(|_| place < gone);
                }
            }
        }
        files.retain(|(name, _)| !name.ends_with(&format!("{gone}.test")));
        check_counts(&report, &analysis_of(&report, &files));
    }
}

#[test]
fn nothing_wrong_is_no_cluster_and_whole_files_are_clusters() {
    use slt_core::outcome::{FileEnd, FileProblem, FileStatus};

    let files = vec![("a.test".to_owned(), vec!["SELECT 1".to_owned()])];
    let suite = GeneratedSuite { files, written: ResultForm::Value };
    let report = suite.run(&[]);
    let files = suite.texts();
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
