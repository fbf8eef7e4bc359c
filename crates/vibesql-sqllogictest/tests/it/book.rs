//! The documentation is a book whose links lead somewhere, and whose command lines the program accepts.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Output, Sandbox};
use crate::support::manifest;

/// The documents with their paths; none in a package from a registry, which has no repository around it.
fn documents() -> Vec<(PathBuf, String)> {
    let repository = manifest().join("../..");
    let folders = ["", "docs", "docs/dialects"].map(|folder| repository.join(folder));
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let markdown = paths.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    markdown.map(|path| (path.canonicalize().unwrap(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// The targets of the links of a text, without those to other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|behind| behind.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

/// The anchors of the headings of a text, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let documents = documents();
    let mut broken = Vec::new();
    for (path, text) in &documents {
        for link in links(text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let Ok(target) = target.canonicalize() else {
                broken.push(format!("{}: {link}: there is no such file", path.display()));
                continue;
            };
            let of_document = documents.iter().find(|(path, _)| *path == target);
            if !anchor.is_empty() && of_document.is_some_and(|(_, text)| !anchors(text).contains(anchor)) {
                broken.push(format!("{}: {link}: there is no such heading", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_book_has_every_page_and_links_to_nothing_outside() {
    let documents = documents();
    let Some((summary, contents)) = documents.iter().find(|(path, _)| path.ends_with("docs/SUMMARY.md"))
    else {
        return;
    };
    let folder = summary.parent().unwrap();
    let listed: BTreeSet<PathBuf> = links(contents).map(|link| folder.join(link)).collect();
    let pages = documents.iter().filter(|(path, _)| path.starts_with(folder) && path != summary);
    let all: BTreeSet<PathBuf> = pages.clone().map(|(path, _)| path.clone()).collect();
    assert_eq!(listed, all, "docs/SUMMARY.md, and the pages in docs");
    let is_outside = |path: &Path, link: &str| {
        path.parent()
            .unwrap()
            .join(link.split('#').next().unwrap())
            .canonicalize()
            .is_ok_and(|target| !target.starts_with(folder))
    };
    let outside: Vec<_> = pages
        .flat_map(|(path, text)| {
            links(text).filter(|link| is_outside(path, link)).map(move |link| (path, link))
        })
        .collect();
    assert!(outside.is_empty(), "{outside:#?}");
}

/// The command lines in the shell blocks of a text, without what their output goes to.
fn command_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut in_shell = false;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            in_shell = !in_shell && matches!(language, "sh" | "bash" | "console" | "text" | "");
        }
        let line = line.trim_start().trim_start_matches("$ ");
        if in_shell && line.starts_with("vibesql-sqllogictest ") {
            let end = [" | ", " |\n", " > ", " && ", " <("].iter().filter_map(|end| line.find(end)).min();
            lines.push(line[..end.unwrap_or(line.len())].trim_end_matches(" |").to_owned());
        }
    }
    lines
}

#[test]
fn the_program_accepts_the_command_lines() {
    let documents = documents();
    let lines: BTreeSet<String> = documents.iter().flat_map(|(_, text)| command_lines(text)).collect();
    // A program without the store has no `query` and no `store`.
    let is_there = |line: &&String| {
        cfg!(feature = "store") || !["query", "store"].contains(&line.split(' ').nth(1).unwrap())
    };
    // Help is printed only if all words before it are accepted.
    let mut script = "accepts() { \"$PROGRAM\" \"$@\" --help >/dev/null 2>message || { echo \"$line\"; cat message; }; }\n".to_owned();
    for line in lines.iter().filter(is_there) {
        let words = line.trim_start_matches("vibesql-sqllogictest");
        writeln!(script, "line='{}'\naccepts{words}", line.replace('\'', "'\\''")).unwrap();
    }
    let sandbox = Sandbox::new();
    let mut shell = Command::new("/bin/sh");
    shell.current_dir(sandbox.path()).env_clear().env("HOME", sandbox.home());
    shell.env("PROGRAM", env!("CARGO_BIN_EXE_vibesql-sqllogictest")).arg("-c").arg(script);
    let output = Output::of(&mut shell);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output}");
    assert!(documents.is_empty() || lines.len() > 50, "found only {} command lines", lines.len());
}
