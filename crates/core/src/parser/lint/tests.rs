use super::*;
use crate::location::Source;
use crate::parser::{parse, profile};

/// The lines and the codes of all findings.
fn found(dialect: &str, text: &str) -> Vec<(u32, &'static str)> {
    let source = Source::new("t", text);
    let profile = profile(dialect, false).expect("a known dialect");
    find_lints(&parse(&source, profile)).iter().map(|finding| (finding.line, finding.rule.code())).collect()
}

fn sqlite(text: &str) -> Vec<(u32, &'static str)> {
    found("sqlite", text)
}

#[test]
fn rows_that_are_never_in_this_order() {
    let query = |sort: &str, values: &str| format!("query IT {sort}\nSELECT\n----\n{values}");
    assert_eq!(sqlite(&query("rowsort", "1\nb\n2\na\n")), []);
    assert_eq!(sqlite(&query("rowsort", "2\na\n1\nb\n")), [(1, "unsorted-rowsort")]);
    assert_eq!(sqlite(&query("rowsort", "1\nb\n1\na\n")), [(1, "unsorted-rowsort")]);
    // As text, and by bytes.
    assert_eq!(sqlite(&query("rowsort", "10\na\n9\na\n")), []);
    assert_eq!(sqlite(&query("rowsort", "9\na\n10\na\n")), [(1, "unsorted-rowsort")]);
    assert_eq!(sqlite(&query("valuesort", "1\n2\na\nb\n")), []);
    assert_eq!(sqlite(&query("valuesort", "1\na\n2\nb\n")), [(1, "unsorted-rowsort")]);
    assert_eq!(sqlite(&query("nosort", "2\na\n1\nb\n")), []);
    // Not rows: another rule.
    assert_eq!(sqlite(&query("rowsort", "2\na\n1\n")), [(1, "wrong-type-count")]);
    assert_eq!(sqlite(&query("rowsort", "")), []);
}

#[test]
fn rows_of_several_words() {
    let query = |sort: &str, rows: &str| found("rs", &format!("query IT {sort}\nSELECT\n----\n{rows}"));
    assert_eq!(query("rowsort", "1 b\n2 a\n"), []);
    assert_eq!(query("rowsort", "2 a\n1 b\n"), [(1, "unsorted-rowsort")]);
    assert_eq!(query("rowsort", "2   a\n1\tb\n"), [(1, "unsorted-rowsort")]);
    // Where a value with blanks ends, nobody knows.
    assert_eq!(query("rowsort", "2 a b\n1 b\n"), []);
    assert_eq!(query("rowsort", "2 <slt:ignore>\n1 b\n"), []);
    assert_eq!(query("rowsort", "1\n2\n"), [(1, "wrong-type-count")]);
}

#[test]
fn an_order_that_nothing_defines() {
    let query = |header: &str, sql: &str| sqlite(&format!("query {header}\n{sql}\n----\n1\n2\n"));
    assert_eq!(query("I", "SELECT a FROM t"), [(1, "no-order")]);
    assert_eq!(query("I", "  with x as (select 1)\nselect * from x"), [(1, "no-order")]);
    assert_eq!(query("I nosort", "SELECT a FROM t"), []);
    assert_eq!(query("I rowsort", "SELECT a FROM t"), []);
    assert_eq!(query("I", "SELECT a FROM t ORDER\nBY a"), []);
    assert_eq!(query("I", "select sum(a) over(order by a) from t"), []);
    assert_eq!(query("II", "SELECT a, b FROM t"), []);
    assert_eq!(query("I", "PRAGMA table_info(t)"), []);
    let hash = format!("query II\nSELECT a, b FROM t\n----\n10 values hashing to {:032x}\n", 1);
    assert_eq!(sqlite(&hash), [(1, "no-order")]);
}

#[test]
fn labels_that_contradict_each_other_and_labels_alone() {
    let query = |label: &str, value: &str| format!("query I nosort {label}\nSELECT\n----\n{value}\n\n");
    assert_eq!(sqlite(&(query("a", "1") + &query("a", "1"))), []);
    assert_eq!(sqlite(&(query("a", "1") + &query("a", "2"))), [(6, "contradictory-labels")]);
    assert_eq!(sqlite(&(query("a", "1") + &query("b", "2"))), [(1, "unused-label"), (6, "unused-label")]);
    let hash =
        format!("hash-threshold 1\n\n{}", query("a", "2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0"));
    let contradicts = |found: Vec<(u32, &str)>| found.contains(&(8, "contradictory-labels"));
    assert!(!contradicts(sqlite(&(hash.clone() + &query("a", "1\n2")))));
    assert!(contradicts(sqlite(&(hash + &query("a", "1\n3")))));
}

#[test]
fn records_that_nothing_reaches() {
    let statement = "statement ok\nSELECT 1\n\n";
    assert_eq!(sqlite(&format!("{statement}halt\n\n{statement}{statement}")), [(6, "unreachable")]);
    assert_eq!(sqlite(&format!("{statement}onlyif x\nhalt\n\n{statement}")), []);
    assert_eq!(sqlite(&format!("{statement}halt\n")), []);
    assert_eq!(sqlite(&format!("unknown\n\n{statement}")), [(3, "unreachable")]);
    let source = Source::new("t", format!("halt\n\n{statement}{statement}"));
    let findings = find_lints(&parse(&source, profile("sqlite", false).expect("the default")));
    assert_eq!(findings[0].text, "2 records after the `halt` on line 1 are never executed");
}

#[test]
fn settings_for_nothing() {
    let statement = "statement ok\nSELECT 1\n\n";
    assert_eq!(sqlite(&format!("{statement}hash-threshold 3\n")), [(4, "dangling-setting")]);
    assert_eq!(sqlite(&format!("hash-threshold 3\n\n{statement}")), []);
    // A file of settings is for files that include it.
    assert_eq!(sqlite("hash-threshold 3\n"), []);
}

#[test]
fn records_behind_a_missing_blank_line() {
    let text = "query I rowsort\nSELECT 1\n----\n1\nquery I\nSELECT 2\n----\n2\n";
    for dialect in crate::parser::DIALECTS {
        assert!(found(dialect, text).contains(&(5, "header-in-values")), "{dialect}");
        let text = text.replace("1\nquery", "1\n\nquery");
        assert!(!found(dialect, &text).iter().any(|(_, code)| *code == "header-in-values"), "{dialect}");
    }
    let text = "statement error\nSELECT * FROM t\n----\nwrong\n\nquery I\nSELECT 1\n----\n1\n";
    assert!(found("rs", text).contains(&(6, "header-in-values")));
    let text = "system ok\nls\n----\na\n\nstatement ok\nSELECT 1\n";
    assert!(found("vibesql", text).contains(&(6, "header-in-values")));
}

#[test]
fn hashes_beside_thresholds() {
    let hash = |values: u64| format!("query I nosort\nSELECT\n----\n{values} values hashing to {:032x}\n", 1);
    assert_eq!(sqlite(&hash(9)), []);
    assert_eq!(sqlite(&hash(8)), [(1, "hash-below-threshold")]);
    assert_eq!(sqlite(&format!("hash-threshold 0\n\n{}", hash(9))), [(3, "hash-below-threshold")]);
    assert_eq!(found("rs", &hash(9)), [(1, "hash-without-threshold")]);
    assert_eq!(found("rs", &format!("hash-threshold 8\n\n{}", hash(9))), []);
    let values = "query I nosort\nSELECT\n----\n".to_owned() + &"1\n".repeat(9);
    assert_eq!(sqlite(&values), [(1, "values-above-threshold")]);
    assert_eq!(sqlite(&format!("hash-threshold 9\n\n{values}")), []);
}

#[test]
fn type_letters_that_fit_nothing() {
    let hash = |types: &str| format!("query {types} nosort\nSELECT\n----\n9 values hashing to {:032x}\n", 1);
    assert_eq!(sqlite(&hash("III")), []);
    assert_eq!(sqlite(&hash("II")), [(1, "wrong-type-count")]);
    assert_eq!(sqlite("query II nosort\nSELECT\n----\n1\n2\n3\n"), [(1, "wrong-type-count")]);
}

#[test]
fn words_that_resemble_a_sort_mode() {
    let query = |label: &str| {
        let text =
            format!("query I nosort {label}\nSELECT\n----\n1\n\nquery I nosort {label}\nSELECT\n----\n1\n");
        sqlite(&text).first().map(|(_, code)| *code)
    };
    for label in ["rowsrot", "rowsort", "rowsor", "nosrot", "valuesrot", "vluesort", "rowosrt", "Rowsort"] {
        let expected = (label != "rowsort").then_some("misspelt-sort-mode");
        assert_eq!(query(label), expected, "{label}");
    }
    for label in ["label-1", "sorted", "rows", "x", "arrowsorted"] {
        assert_eq!(query(label), None, "{label}");
    }
}

#[test]
fn text_of_another_dialect() {
    let text = "statement ok\nSELECT 1\n\ncontrol sortmode rowsort\n";
    // The record is malformed, which says more.
    assert_eq!(sqlite(text), []);
    assert_eq!(found("rs", "query IT\nSELECT\n----\n1 <REGEX>:a\n"), []);
    assert!(found("rs", "query T\nSELECT\n----\n<REGEX>:a\n").contains(&(4, "mixed-dialects")));
}

#[test]
fn comments_silence_rules() {
    let query = "query I rowsort x\nSELECT\n----\n2\n1\n";
    assert_eq!(sqlite(query), [(1, "unsorted-rowsort"), (1, "unused-label")]);
    // Above the record: for it alone.
    let text = format!("# slt-allow: unsorted-rowsort\n{query}\n# why\n# slt-allow: unused-label\n{query}");
    assert_eq!(sqlite(&text), [(10, "unsorted-rowsort")]);
    // In the head: for the file.
    let text = format!("# slt-allow: unsorted-rowsort, unused-label\n\n{query}\n{query}");
    assert_eq!(sqlite(&text), []);
    let text = format!("statement ok\nSELECT 1\n\n# slt-allow: unsorted-rowsort, unused-label\n\n{query}");
    assert_eq!(
        sqlite(&text),
        [(6, "unsorted-rowsort"), (6, "unused-label")],
        "the head ends with the first record"
    );
}

#[test]
fn each_code_has_one_meaning_and_an_explanation() {
    let mut codes: Vec<_> = LintRule::ALL.iter().map(|rule| rule.code()).chain(defect_codes()).collect();
    for rule in LintRule::ALL {
        assert_eq!(LintRule::from_code(rule.code()), Some(rule));
        assert!(rule.explanation().len() > rule.summary().len(), "{}", rule.code());
        assert!(!rule.help().is_empty(), "{}", rule.code());
    }
    assert!(defect_codes().all(|code| explain_defect(code).is_some()));
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
    let is_kebab = |code: &&str| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    assert!(codes.iter().all(is_kebab));
}
