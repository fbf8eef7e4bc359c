//! Findings as a SARIF 2.1.0 document, which code scanning of GitHub and others read.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::finding::{CheckFinding, CheckedFile, Severity, explain_refusal, refusals};
use slt_core::parser::{LintRule, defect_codes, explain_defect};

/// Returns the document with the findings of all files.
pub(super) fn document(files: &[CheckedFile]) -> String {
    let rules = rules();
    let index_of = |code: &str| rules.iter().position(|rule| rule["id"] == code);
    let results = files.iter().flat_map(|file| {
        let index_of = &index_of;
        file.findings.iter().map(move |finding| result(file, finding, index_of(finding.code)))
    });
    let results: Vec<_> = results.collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "vibesql-sqllogictest",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rules() -> Vec<Value> {
    let lints = LintRule::ALL.iter().map(|rule| {
        json!({
            "id": rule.code(),
            "shortDescription": { "text": rule.summary() },
            "fullDescription": { "text": rule.explanation() },
            "help": { "text": rule.help() },
            "defaultConfiguration": { "level": rule.level().word() },
        })
    });
    let errors = defect_codes().map(|code| (code, explain_defect(code)));
    let errors = errors.chain(refusals().map(|code| (code, explain_refusal(code))));
    let errors = errors.map(|(code, explanation)| {
        json!({
            "id": code,
            "shortDescription": { "text": explanation.unwrap_or(code) },
            "defaultConfiguration": { "level": Severity::Error.word() },
        })
    });
    lints.chain(errors).collect()
}

fn result(file: &CheckedFile, finding: &CheckFinding, rule: Option<usize>) -> Value {
    let help = finding.help.as_ref().map_or_else(String::new, |help| format!("\n{help}"));
    let mut place = json!({ "artifactLocation": { "uri": uri(&file.shown) } });
    if let Some(line) = finding.line {
        place["region"] = json!({ "startLine": line });
    }
    json!({
        "ruleId": finding.code,
        "ruleIndex": rule.map_or(json!(-1), |index| json!(index)),
        "level": finding.severity.word(),
        "message": { "text": format!("{}{help}", finding.text) },
        "locations": [{ "physicalLocation": place }],
    })
}

/// Returns a path as a URI: relative paths stay relative, as code scanning wants them.
fn uri(path: &str) -> String {
    let mut uri = if Path::new(path).is_absolute() { "file://".to_owned() } else { String::new() };
    let path = path.strip_prefix("./").unwrap_or(path);
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                uri.push(char::from(byte));
            }
            // Writing to text cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}
