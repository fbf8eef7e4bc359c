//! The same calls on this crate and on the original.

use std::path::Path;

/// The calls, on this crate.
mod ours {
    use sqllogictest as slt;
    include!("scripted.rs");
    include!("scenarios.rs");
}

/// The calls, on the original.
mod theirs {
    use reference as slt;
    include!("scripted.rs");
    include!("scenarios.rs");
}

/// Asserts that both give the same lines.
fn assert_same(ours: &[String], theirs: &[String]) {
    for (own, their) in ours.iter().zip(theirs) {
        assert_eq!(own, their);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Asserts that both give the same text for each script.
fn assert_same_for(scripts: &[&str], ours: fn(&str) -> String, theirs: fn(&str) -> String) {
    for script in scripts {
        assert_eq!(ours(script), theirs(script), "{script}");
    }
}

#[test]
fn errors_have_the_texts_of_the_original() {
    assert_same(&ours::error_texts(), &theirs::error_texts());
}

#[test]
fn expected_errors_accept_the_same() {
    // The pattern that the original makes of this text is read again with one blank.
    let (differing, same): (Vec<_>, Vec<_>) = ours::expected_errors()
        .into_iter()
        .zip(theirs::expected_errors())
        .partition(|(own, _)| own.starts_with("\"a  b\""));
    for (own, their) in &same {
        assert_eq!(own, their);
    }
    assert!(differing.iter().all(|(own, _)| own.ends_with("(multiline) a  b")), "{differing:#?}");
}

#[test]
fn the_default_comparisons_are_the_same() {
    assert_same(&ours::comparisons(), &theirs::comparisons());
}

#[test]
fn records_have_the_same_verdicts() {
    assert_same_for(VERDICTS, ours::run, theirs::run);
}

#[test]
fn records_have_the_same_outputs() {
    assert_same_for(OUTPUTS, ours::outputs, theirs::outputs);
}

#[test]
fn outputs_update_records_in_the_same_way() {
    for script in UPDATES {
        assert_same(&ours::updated(script), &theirs::updated(script));
    }
}

#[test]
fn scripts_have_the_same_records() {
    assert_same_for(RECORDS, ours::parsed, theirs::parsed);
}

#[test]
fn texts_that_are_no_scripts_have_the_same_errors() {
    assert_same_for(ERRORS, ours::parsed, theirs::parsed);
}

/// Writes files below a directory.
fn write(directory: &Path, files: &[(&str, &str)]) {
    std::fs::create_dir_all(directory.join("sub")).unwrap();
    for (name, text) in files {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn included_files_have_the_same_records() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            (
                "main.slt",
                "statement ok\nX\n\nskipif scripted\nconnection q\ninclude sub/*.slt\n\nstatement ok\nY\n",
            ),
            ("sub/b.slt", "# b\nstatement ok\nB\n\ninclude c.txt\n"),
            ("sub/c.txt", "statement ok\nC\n\nquery T\ntexts 1\n----\n2"),
            ("sub/z.slt", "statement ok\nZ\n"),
            ("halts.slt", "statement ok\nX\n\ninclude sub/halt.txt\n\nstatement ok\nY\n"),
            ("sub/halt.txt", "statement ok\nZ\n\nhalt\n\nstatement ok\nW\n"),
            ("none.slt", "\n\ninclude missing*\n"),
            ("bad_pattern.slt", "\n\ninclude [\n"),
            ("bad_line.slt", "include sub/bad_line.txt\n"),
            ("sub/bad_line.txt", "statement ok\nX\n\nbad\n"),
        ],
    );
    for name in ["main.slt", "halts.slt", "none.slt", "bad_pattern.slt", "bad_line.slt", "missing.slt"] {
        assert_eq!(ours::file(directory.path(), name), theirs::file(directory.path(), name), "{name}");
    }
}

#[test]
fn files_are_updated_in_the_same_way() {
    for text in FILES_TO_UPDATE {
        let included = "query T\ntexts 5\n----\n6\n\nhalt\n\nquery T\ntexts 5\n----\n7\n\n\n";
        let updated = [ours::update_file, theirs::update_file].map(|update| {
            let directory = tempfile::tempdir().unwrap();
            write(directory.path(), &[("main.slt", text), ("sub/halt.txt", included)]);
            let result = update(&directory.path().join("main.slt"));
            let files = ["main.slt", "sub/halt.txt"]
                .map(|name| std::fs::read_to_string(directory.path().join(name)).unwrap());
            let paths = std::fs::read_dir(directory.path()).unwrap().count();
            (result.replace(&*directory.path().to_string_lossy(), ""), files, paths)
        });
        let [own, their] = updated;
        assert_eq!(own, their, "{text}");
    }
}

/// Lines of generated scripts; those with SQL come often.
const LINES: &[&str] = &[
    "",
    "",
    "",
    "",
    " ",
    "# comment",
    "----",
    "----",
    "---- ",
    "skipif scripted",
    "skipif other",
    "onlyif scripted",
    "onlyif label",
    "onlyif other",
    "skipif a b",
    "connection a",
    "connection default",
    "statement ok",
    "statement ok",
    " statement  ok ",
    "statement error",
    "statement error o+m",
    "statement error (12345)",
    "statement count 2",
    "statement ok retry 2 backoff 1ns",
    "statement error retry 2 backoff 1ns",
    "statement",
    "query",
    "query T",
    "query T",
    "query TT rowsort",
    "query TT valuesort",
    "query TT nosort label",
    "query T label",
    "query T label more",
    "query error",
    "query error bo",
    "query T retry 2 backoff 1ns",
    "let x",
    "let x, y",
    "let 1",
    "halt",
    "subtest s",
    "sleep 1ns",
    "sleep",
    "hash-threshold 1",
    "hash-threshold 0",
    "control sortmode rowsort",
    "control resultmode valuewise",
    "control resultmode rowwise",
    "control substitution on",
    "control substitution off",
    "include other.slt",
    "X",
    "texts 1",
    "texts 1",
    "texts b,a/d,c",
    "texts $x",
    "texts ${y:2}",
    "count 2",
    "error boom",
    "error state=12345",
    "nth 2",
    "1",
    "1",
    "2",
    "b a",
    "d c",
    "boom",
    "a <slt:ignore>",
];

#[test]
fn generated_scripts_have_the_same_records_and_verdicts() {
    let mut state = 15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut parsed, mut passed) = (0, 0);
    for _ in 0..20_000 {
        let lines: Vec<_> = (0..=next(12)).map(|_| LINES[next(LINES.len())]).collect();
        let script = lines.join(["\n", "\r\n"][next(8) / 7]) + ["\n", ""][next(8) / 7];
        assert_eq!(ours::records(&script), theirs::records(&script), "{script}");
        let (own, their) = (ours::run(&script), theirs::run(&script));
        assert_eq!(own, their, "{script}");
        parsed += usize::from(!own.starts_with("cannot be parsed"));
        passed += usize::from(own.starts_with("passes"));
    }
    assert!(parsed > 1_000 && passed > 300, "{parsed} could be parsed, {passed} passed");
}

include!("scripts.rs");
