//! The causes of the failures.

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use super::{LIMITS, evidence, more};
use crate::analysis::Cluster;
use crate::report::cluster::{ClusterSample, fix_columns, gaps, notes, title, wrong};
use crate::report::subject::{Subject, clipped};
use slt_runner::text::count::plural;
use slt_runner::text::markdown::{cell, code, fenced, html};
use slt_runner::text::written;

/// Writes the clusters in the order of fixes.
pub(super) fn causes(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let Some(analysis) = subject.analysis.filter(|analysis| !analysis.clusters.is_empty()) else {
        return Ok(());
    };
    let clusters = &analysis.clusters;
    writeln!(out, "\n### What to fix, in this order\n")?;
    let (records, files) = (plural(analysis.failing, "failing record"), analysis.files.len() as u64);
    let what = plural(clusters.len() as u64, "cluster");
    writeln!(out, "{records} in {} that have not passed: {what}.\n", plural(files, "file"))?;
    writeln!(out, "| fix | records | files | alone | green | what | for instance |")?;
    writeln!(out, "| ---: | ---: | ---: | ---: | ---: | --- | --- |")?;
    for (place, cluster) in clusters.iter().take(most).enumerate() {
        writeln!(
            out,
            "| {} | {} | {} |",
            fix_columns(place, cluster).join(" | "),
            cell(&clipped(&title(cluster), LIMITS.values)),
            cell(&clipped(&instance(subject, cluster), LIMITS.values))
        )?;
    }
    more(out, clusters.len(), most, "cluster")?;
    writeln!(out, "\n*alone*: files that it turns green by itself; *green*: files that are green after it.")?;
    gaps(&analysis.gaps)
        .iter()
        .try_for_each(|gaps| writeln!(out, "\n{}.", code(&clipped(gaps, LIMITS.characters))))
}

/// Returns the location of the smallest record, or the first file that fails as a whole.
fn instance(subject: &Subject<'_>, cluster: &Cluster) -> String {
    let file = |place: usize| &subject.report.files[place];
    match &cluster.example {
        Some(example) => {
            let file = file(example.file);
            format!("{}:{}", file.file, file.failures[example.place].id)
        }
        None => cluster.files.first().map_or_else(String::new, |&place| file(place).file.path().to_owned()),
    }
}

/// Formats the smallest records of the first clusters. Also returns the places of their files, and their places there.
pub(super) fn examples(subject: &Subject<'_>, most: usize) -> (String, HashSet<(usize, usize)>) {
    let (mut text, mut told) = (String::new(), HashSet::new());
    for (place, cluster) in subject.clusters().iter().take(most).enumerate() {
        if let Some((sample, known)) =
            ClusterSample::new(cluster, subject.report).zip(cluster.example.as_ref())
        {
            text += &written(|out| example(out, subject, place, cluster, &sample));
            told.insert((known.file, known.place));
        }
    }
    (text, told)
}

fn example(
    out: &mut String,
    subject: &Subject<'_>,
    place: usize,
    cluster: &Cluster,
    sample: &ClusterSample<'_>,
) -> fmt::Result {
    let title = html(&clipped(&title(cluster), LIMITS.values));
    writeln!(out, "\n<details><summary>Fix {}: {title}</summary>\n", place + 1)?;
    for note in notes(cluster) {
        writeln!(out, "- {}", code(&clipped(&note, LIMITS.characters)))?;
    }
    writeln!(out, "- fingerprint {}\n", code(&format!("{:016x}", cluster.fingerprint)))?;
    writeln!(out, "{}\n", code(&clipped(&sample.place(), LIMITS.values)))?;
    if let Some(sql) = sample.sql {
        fenced(out, "sql", &clipped(sql, LIMITS.characters))?;
    }
    if let Some(detail) = sample.detail {
        writeln!(out, "{}\n", code(&clipped(&wrong(detail), LIMITS.characters)))?;
        evidence(out, detail)?;
    }
    if let Some(again) = (subject.again)(sample.file, &sample.id) {
        fenced(out, "sh", &again)?;
    }
    writeln!(out, "</details>")
}
