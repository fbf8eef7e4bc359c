//! Formats all records of one cluster: as places, as JSON, and as entries of expected failures.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::AnalysisView;
use crate::expectations::{
    DocumentFiles, EntryDetails, ExpectationEntry, ExpectationKind, ExpectationScope, FileMatcher,
    write_entry,
};
use crate::report::cluster::{notes, title};
use slt_core::outcome::{FailingRecord, FileReport};
use slt_runner::text::count::plural;
use slt_runner::text::failure::place_of;
use slt_runner::text::object::{Object, object};
use slt_runner::text::style::Role;

/// A record of the cluster.
struct ClusterMember<'v> {
    file: &'v FileReport,
    record: &'v FailingRecord,
}

fn members<'v>(view: &AnalysisView<'v>, place: usize) -> impl Iterator<Item = ClusterMember<'v>> + use<'v> {
    let files = &view.report.files;
    let of_cluster = view.analysis.records.iter().filter(move |record| record.cluster as usize == place);
    of_cluster.map(|record| {
        let file = &files[record.file as usize];
        ClusterMember { file, record: &file.failures[record.place as usize] }
    })
}

/// Writes one record per line, in a form for the command line. `place` is the place of the cluster in the analysis.
pub fn text(out: &mut String, view: &AnalysisView<'_>, place: usize) -> fmt::Result {
    let cluster = &view.analysis.clusters[place];
    let name = format!("fix {}: {}", place + 1, title(cluster));
    writeln!(out, "{}", Role::Strong.paint(name))?;
    let (records, files) = (plural(cluster.records, "record"), plural(cluster.files.len() as u64, "file"));
    writeln!(out, "{records} in {files}")?;
    notes(cluster).iter().try_for_each(|note| writeln!(out, "{note}"))?;
    writeln!(out)?;
    let mut members = members(view, place);
    members.try_for_each(|ClusterMember { file, record }| writeln!(out, "{}", place_of(file, &record.id)))
}

/// Makes the JSON document of a cluster's records.
pub fn json<'v>(view: &AnalysisView<'v>, place: usize) -> Object<'v> {
    let records = members(view, place).map(|ClusterMember { file, record }| {
        let key = record.key.map(|key| format!("{:016x}", key.0));
        object! { "file": file.file.path(), "line": record.id.line, "key": key }
    });
    object! {
        "format": super::json::FORMAT,
        "run": view.run,
        "fix": place + 1,
        "title": title(&view.analysis.clusters[place]),
        "records": records.collect::<Vec<_>>(),
    }
}

/// Writes entries for `expectations.toml` by which these records are expected to fail.
pub fn toml(out: &mut String, view: &AnalysisView<'_>, place: usize) -> fmt::Result {
    let reason = title(&view.analysis.clusters[place]);
    let mut members = members(view, place).peekable();
    while let Some(first) = members.next() {
        let file = first.file;
        let mut of_file = vec![first];
        while let Some(next) = members.next_if(|next| std::ptr::eq(next.file, file)) {
            of_file.push(next);
        }
        let name = |member: &ClusterMember<'_>| member.record.name();
        let files = FileMatcher::one(file.file.path());
        let whole = of_file.iter().any(|member| member.record.id.is_whole_file());
        let names = of_file.iter().map(name).collect();
        let entry = ExpectationEntry {
            document: Arc::from(""),
            line: 0,
            files: DocumentFiles::named(BTreeMap::new()),
            what: ExpectationKind::Xfail,
            engine: Some(view.report.header.engine.qualified_name()),
            scope: if whole {
                ExpectationScope::Files(files)
            } else {
                ExpectationScope::Records(files, names)
            },
            details: EntryDetails { reason: Some(reason.clone()), ..EntryDetails::default() },
        };
        write_entry(out, &entry)?;
    }
    Ok(())
}
