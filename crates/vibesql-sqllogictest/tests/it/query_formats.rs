//! The formats in which `query` and `export` write rows.

use insta::assert_snapshot;
use proptest::prelude::*;
use vibesql_sqllogictest::results::ask::format::{Format, write};
use vibesql_sqllogictest::results::ask::{Answer, Value};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        prop::num::f64::NORMAL.prop_map(Value::Real),
        any::<String>().prop_map(Value::Text),
        "[a,\"\r\n\t |\\\\]{0,6}".prop_map(Value::Text),
    ]
}

/// An answer with rows of any width.
fn ragged() -> impl Strategy<Value = Answer> {
    let columns = prop::collection::vec("[ab]", 0..3);
    let rows = prop::collection::vec(prop::collection::vec(value(), 0..4), 0..4);
    (columns, rows).prop_map(|(columns, rows)| Answer { columns, rows })
}

fn answer() -> impl Strategy<Value = Answer> {
    (1_usize..4).prop_flat_map(|width| {
        let columns = prop::collection::vec("[ab,\"é]{1,2}", width);
        let rows = prop::collection::vec(prop::collection::vec(value(), width), 0..5);
        (columns, rows).prop_map(|(columns, rows)| Answer { columns, rows })
    })
}

fn written(answer: &Answer, format: Format) -> String {
    let mut text = String::new();
    write(&mut text, answer, format).unwrap();
    text
}

/// A reader of RFC 4180: each field, and whether it was quoted.
fn read_csv(text: &str) -> Vec<Vec<(String, bool)>> {
    let (mut lines, mut line, mut field) = (Vec::new(), Vec::new(), (String::new(), false));
    let mut rest = text.chars().peekable();
    let mut inside = false;
    while let Some(character) = rest.next() {
        match character {
            '"' if inside && rest.peek() == Some(&'"') => field.0.extend(rest.next()),
            '"' => (inside, field.1) = (!inside, true),
            ',' if !inside => line.push(std::mem::take(&mut field)),
            '\r' if !inside => {
                assert_eq!(rest.next(), Some('\n'));
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            other => field.0.push(other),
        }
    }
    assert!(line.is_empty() && field.0.is_empty() && !inside);
    lines
}

proptest! {
    #[test]
    fn csv_can_be_read_back(answer in answer()) {
        let mut lines = read_csv(&written(&answer, Format::Csv)).into_iter();
        let names: Vec<_> = lines.next().unwrap().into_iter().map(|(name, _)| name).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        prop_assert_eq!((names.len(), distinct.len()), (answer.columns.len(), answer.columns.len()));
        for row in &answer.rows {
            let line = lines.next().unwrap();
            prop_assert_eq!(line.len(), row.len());
            for (value, (field, quoted)) in row.iter().zip(line) {
                match value {
                    Value::Null => prop_assert!(field.is_empty() && !quoted),
                    Value::Integer(number) => prop_assert_eq!(field.parse(), Ok(*number)),
                    Value::Real(number) => prop_assert_eq!(field.parse(), Ok(*number)),
                    Value::Text(text) => prop_assert!(field == *text && (quoted || !text.is_empty())),
                    Value::Blob(_) => {}
                }
            }
        }
        prop_assert!(lines.next().is_none());
    }

    #[test]
    fn rows_of_any_width_are_written(answer in ragged()) {
        for format in [Format::Table, Format::Csv, Format::Json, Format::Jsonl, Format::Markdown] {
            written(&answer, format);
        }
    }

    #[test]
    fn json_can_be_read_back(answer in answer()) {
        let whole: Vec<serde_json::Map<_, _>> = serde_json::from_str(&written(&answer, Format::Json)).unwrap();
        let lines = written(&answer, Format::Jsonl);
        let lines: Vec<serde_json::Map<_, _>> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&whole, &lines);
        prop_assert_eq!(whole.len(), answer.rows.len());
        for (object, row) in whole.iter().zip(&answer.rows) {
            prop_assert_eq!(object.len(), row.len());
            for value in row {
                let is_there = object.values().any(|found| match value {
                    Value::Null => found.is_null(),
                    Value::Integer(number) => found.as_i64() == Some(*number),
                    // The reader rounds the last digit in its own way.
                    Value::Real(number) => found.as_f64().is_some_and(|found| (found / number - 1.0).abs() < 1e-15),
                    Value::Text(text) => found.as_str() == Some(text),
                    Value::Blob(_) => false,
                });
                prop_assert!(is_there, "{:?} in {:?}", value, object);
            }
        }
    }

    #[test]
    fn tables_have_a_line_for_each_row_and_move_no_cursor(answer in answer()) {
        for (format, besides) in [(Format::Table, 1), (Format::Markdown, 2)] {
            let text = written(&answer, format);
            prop_assert_eq!(text.lines().count(), answer.rows.len() + besides, "{:?}", text);
            prop_assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{:?}", text);
        }
    }
}

#[test]
fn the_formats() {
    let text = |text: &str| Value::Text(text.to_owned());
    let answer = Answer {
        columns: ["n", "n", "t|x"].map(str::to_owned).to_vec(),
        rows: vec![
            vec![Value::Integer(1), Value::Null, text("a\n\u{1b}[31m|b")],
            vec![Value::Real(2.5), Value::Real(f64::INFINITY), text("")],
            vec![Value::Blob(vec![0, 255]), Value::Real(3.0), text(&"x".repeat(200))],
        ],
    };
    assert_snapshot!(written(&answer, Format::Table), @r"
    n            n  t|x
    1         NULL  a\n\x1b[31m|b
    2.5   Infinity
    00ff       3.0  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    ");
    assert_snapshot!(written(&answer, Format::Markdown).replace(&"x".repeat(200), "x…"), @r"
    | n | n | t\|x |
    | --- | ---: | --- |
    | 1 | NULL | a<br>\\x1b[31m\|b |
    | 2.5 | Infinity |  |
    | 00ff | 3.0 | x… |
    ");
    assert_snapshot!(written(&answer, Format::Csv).replace('\r', "␍").replace(&"x".repeat(200), "x…"), @r#"
    n,n_2,t|x␍
    1,,"a
    [31m|b"␍
    2.5,Infinity,""␍
    00ff,3.0,x…␍
    "#);
    assert_snapshot!(written(&answer, Format::Jsonl).replace(&"x".repeat(200), "x…"), @r#"
    {"n":1,"n_2":null,"t|x":"a\n\u001b[31m|b"}
    {"n":2.5,"n_2":null,"t|x":""}
    {"n":"00ff","n_2":3.0,"t|x":"x…"}
    "#);
}
