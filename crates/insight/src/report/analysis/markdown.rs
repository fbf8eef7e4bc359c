//! Formats an analysis as Markdown. Text from outside is formatted as code, so it cannot become markup.

use std::fmt::{self, Write as _};

use super::words::{limits, punchline, selected, trend};
use super::{AnalysisSection, AnalysisView, coverage};
use crate::report::cluster::{fix_columns, notes, title, wrong};
use crate::report::runs;
use slt_runner::text::count::{duration, percent, thousands};
use slt_runner::text::markdown::{block, cell, code};

const ALL: [AnalysisSection; 5] = [
    AnalysisSection::Fixes,
    AnalysisSection::Patterns,
    AnalysisSection::Examples,
    AnalysisSection::Trend,
    AnalysisSection::Coverage,
];

/// Writes the sections; all of them if none is named.
pub fn write(out: &mut String, view: &AnalysisView<'_>, sections: &[AnalysisSection]) -> fmt::Result {
    writeln!(out, "# SQLLogicTest failure analysis\n")?;
    writeln!(out, "Run {} on {}\n", code(view.run), code(&view.report.header.engine.to_string()))?;
    if let Some(selection) = view.selection {
        writeln!(out, "{}\n", code(&selected(selection, view)))?;
    }
    punchline(view).iter().try_for_each(|line| writeln!(out, "**{line}**  "))?;
    if let Some(trend) = trend(view) {
        writeln!(out, "{trend}  ")?;
    }
    for limit in limits(view) {
        writeln!(out, "\n> {}", code(&limit))?;
    }
    let sections = if sections.is_empty() { &ALL } else { sections };
    for section in sections {
        match section {
            AnalysisSection::Fixes => fixes(out, view)?,
            AnalysisSection::Patterns => patterns(out, view)?,
            AnalysisSection::Examples => examples(out, view)?,
            AnalysisSection::Trend => history(out, view)?,
            AnalysisSection::Coverage => {
                view.coverage.into_iter().try_for_each(|map| coverage::markdown(out, map, view))?;
            }
        }
    }
    Ok(())
}

pub(super) fn fixes(out: &mut String, view: &AnalysisView<'_>) -> fmt::Result {
    writeln!(out, "\n## What to fix, in this order\n")?;
    writeln!(out, "| fix | records | files | alone | green | what |\n|---:|---:|---:|---:|---:|---|")?;
    for (place, cluster) in view.analysis.clusters.iter().enumerate() {
        writeln!(out, "| {} | {} |", fix_columns(place, cluster).join(" | "), cell(&title(cluster)))?;
    }
    writeln!(out, "\n*alone*: files that it turns green by itself; *green*: files that are green after it.")
}

fn patterns(out: &mut String, view: &AnalysisView<'_>) -> fmt::Result {
    writeln!(out, "\n## Patterns, by records\n")?;
    writeln!(out, "| records | share | files | fix | what | besides |\n|---:|---:|---:|---:|---|---|")?;
    view.by_records().iter().try_for_each(|(columns, _, cluster)| {
        let notes = notes(cluster).join("; ").replace('|', "\\|");
        writeln!(out, "| {} | {} | {notes} |", columns.join(" | "), cell(&title(cluster)))
    })
}

fn examples(out: &mut String, view: &AnalysisView<'_>) -> fmt::Result {
    writeln!(out, "\n## The smallest example of each")?;
    for (place, cluster) in view.analysis.clusters.iter().enumerate() {
        writeln!(out, "\n### {}. {}\n", place + 1, code(&title(cluster)))?;
        let Some(sample) = view.sample(cluster) else {
            let files = cluster.files.iter().map(|&file| code(&view.report.files[file].shown));
            writeln!(out, "{}", files.collect::<Vec<_>>().join(", "))?;
            continue;
        };
        writeln!(out, "{}", code(&sample.place()))?;
        if let Some(sql) = sample.sql {
            writeln!(out, "\n{}", block("sql", sql))?;
        }
        if let Some(detail) = sample.detail {
            writeln!(out, "\n{}", code(&wrong(detail)))?;
        }
        let again = view.again(&sample);
        if !again.is_empty() {
            writeln!(out, "\n{}", block("sh", &again))?;
        }
    }
    Ok(())
}

fn history(out: &mut String, view: &AnalysisView<'_>) -> fmt::Result {
    writeln!(out, "\n## Trend\n")?;
    writeln!(out, "| run | files | passed | rate | records | passed | rate | time |")?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
    for run in &view.trend.runs {
        let (totals, records) = (&run.totals, &run.totals.records);
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&run.name),
            thousands(totals.files),
            thousands(totals.passed_with(run.header.flaky)),
            percent(totals.pass_rate_with(run.header.flaky)),
            thousands(records.total),
            thousands(records.passed),
            percent(records.pass_rate()),
            duration(run.elapsed)
        )?;
    }
    let rates = view.trend.rates();
    if rates.len() > 1 {
        writeln!(out, "\n{}", runs::sparkline(&rates))?;
    }
    view.trend.markdown(out)
}
