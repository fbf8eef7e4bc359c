use super::*;

fn found(name: &str, text: &str) -> String {
    match by_evidence(text.as_bytes(), name) {
        Ok((dialect, reason)) => format!("{dialect}: {reason}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn text_that_only_one_dialect_can_read_decides() {
    let cases = [
        ("loop i 0 3\n", "duckdb: `loop i 0 3` on line 1"),
        ("statement ok\nSELECT 1\n\nrequire json\n", "duckdb: `require json` on line 4"),
        ("mode skip\n", "duckdb: `mode skip` on line 1"),
        ("mode cockroach\n", "materialize: `mode cockroach` on line 1"),
        ("statement maybe\nSELECT 1\n----\n", "duckdb: `statement maybe` on line 1"),
        ("query I\nSELECT 1\n----\n<REGEX>:1.*\n", "duckdb: `<REGEX>:1.*` on line 4"),
        ("query T\nSELECT 1\n----\na <slt:ignore>\n", "rs: `a <slt:ignore>` on line 4"),
        ("control sortmode rowsort\n", "rs: `control sortmode rowsort` on line 1"),
        ("onlyif x\nsystem ok\nls\n", "rs: `system ok` on line 2"),
        ("include a\nconnection c\nstatement ok\nSELECT 1\n", "rs: `connection c` on line 2"),
        ("statement ok retry 3 backoff 1s\nSELECT 1\n", "rs: `statement ok retry 3 backoff 1s` on line 1"),
        ("let a\nSELECT 1\n", "rs: `let a` on line 1"),
        ("let $a\nSELECT 1\n", "cockroach: `let $a` on line 1"),
        ("query I colnames\nSELECT 1\n----\na\n1\n", "cockroach: `query I colnames` on line 1"),
        ("user root\n\nsimple\nSELECT 1\n----\n", "materialize: `simple` on line 3"),
        ("control substitution on\n\ndialect mysql\n", "vibesql: `dialect mysql` on line 3"),
    ];
    for (text, expected) in cases {
        for name in ["t.test", "t.slt", "t"] {
            let expected = if (name, text) == ("t.slt", "let $a\nSELECT 1\n")
                || (name == "t.slt" && text.contains("colnames"))
            {
                expected.replace("cockroach", "materialize")
            } else {
                expected.to_owned()
            };
            assert_eq!(found(name, text), expected, "{name}");
        }
    }
}

#[test]
fn headers_and_layouts_decide_what_is_left() {
    let cases = [
        ("query error no such\nSELECT\n", "rs: `query error no such` on line 1"),
        ("statement error no such table\nSELECT\n", "rs: `statement error no such table` on line 1"),
        ("statement count 3\nSELECT\n", "rs: `statement count 3` on line 1"),
        ("query ID\nSELECT 1\n----\n", "rs: `query ID` on line 1"),
        ("statement ok con1\nSELECT 1\n", "duckdb: `statement ok con1` on line 1"),
        (
            "# name: test/a.test\n# group: [a]\n\nstatement ok\nSELECT 1\n",
            "duckdb: `# name: test/a.test` on line 1",
        ),
        ("# LogicTest: local\n\nstatement ok\nSELECT 1\n", "cockroach: `# LogicTest: local` on line 1"),
        ("query IT\nSELECT 1, 'a'\n----\n1 a\n", "rs: `1 a` on line 4"),
        ("query TT\nSELECT 1, 'a'\n----\n1 a\n", "rs: `1 a` on line 4"),
        ("query TT\nSELECT 1, 'a'\n----\n1 a\n2 b\n", "sqlite: the default"),
        // Names of two words.
        ("query TT\nSELECT 1, 'a'\n----\na b\nc d\ne f\ng h\n", "sqlite: the default"),
        ("query IT valuesort\nSELECT 1, 'a'\n----\n1\nb a\n", "sqlite: the default"),
        ("query IT\nSELECT 1, 'a'\n----\n1\na b\n", "sqlite: the default"),
        ("query I nosort label-1\nSELECT 1\n----\n1\n", "sqlite: the default"),
        ("skipif mysql # why\nhalt\n", "sqlite: the default"),
        ("", "sqlite: the default"),
    ];
    for (text, expected) in cases {
        // A single line may be a mistake in a SQLite file, but a comment is not.
        let is_comment = expected.contains("`# ");
        assert_eq!(found("t.test", text), if is_comment { expected } else { "sqlite: the default" });
        let text = &format!("{text}\n{text}");
        assert_eq!(found("t.test", text), expected);
        assert_eq!(found("t.test", &text.replace('\n', "\r\n")), expected);
        assert_eq!(found("t.test", &format!("\u{feff}{text}")), expected);
    }
}

#[test]
fn the_ending_decides_last() {
    let text = "statement ok\nSELECT 1\n";
    assert_eq!(found("a/b.slt", text), "rs: the ending `.slt`");
    assert_eq!(found("a/b.slt.part", text), "rs: the ending `.part`");
    assert_eq!(found("a/b.test_slow", text), "duckdb: the ending `.test_slow`");
    assert_eq!(found("a/b", text), "sqlite: the default");
    let converted = "# name: test/a.test\n# group: [a]\n\nstatement ok\nSELECT 1\n";
    assert_eq!(found("a.slt", converted), "rs: the ending `.slt`");
}

#[test]
fn sql_and_values_are_no_evidence() {
    let cases = [
        "statement ok\nSELECT '\nloop i 0 3\ncontrol sortmode rowsort'\n",
        "query T\nSELECT 1\n----\nrequire json\ncontrol x y\n",
        "statement ok\nSELECT\n<REGEX>:a\n",
        "query T\nSELECT\n<REGEX>:a <slt:ignore>\n----\nx <REGEX>:a\n",
        "# control sortmode rowsort\n# loop i 0 3\n",
    ];
    for text in cases {
        assert_eq!(found("t.test", text), "sqlite: the default", "{text}");
    }
}

#[test]
fn a_file_of_two_families_is_refused() {
    let text = "control sortmode rowsort\n\nquery I\nSELECT 1\n----\n1\n\nloop i 0 3\n";
    let expected = "the file mixes dialects: `control sortmode rowsort` on line 1 is rs or vibesql, \
                    `loop i 0 3` on line 8 is duckdb";
    assert_eq!(found("t.test", text), expected);
    assert_eq!(found("t.slt", text), expected);
    // The second piece contradicts the first through a third: rs has no `dialect`.
    let text = "user a\n\nmode cockroach\n\ncontrol sortmode rowsort\n";
    assert!(
        found("t", text).contains("`user a` on line 1 is cockroach or materialize, `control"),
        "{}",
        found("t", text)
    );
}
