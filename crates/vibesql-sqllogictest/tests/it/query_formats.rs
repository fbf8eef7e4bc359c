//! The formats in which `query` and `export` write rows.

use insta::assert_snapshot;
use proptest::prelude::*;
use vibesql_sqllogictest::results::ask::Answer;
use vibesql_sqllogictest::results::ask::format::{AnswerFormat, to_text};
use vibesql_sqllogictest::results::store::Cell;

fn value() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        any::<i64>().prop_map(Cell::Integer),
        prop::num::f64::NORMAL.prop_map(Cell::Real),
        any::<String>().prop_map(Cell::text),
        "[a,\"\r\n\t |\\\\]{0,6}".prop_map(Cell::text),
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

fn written(answer: &Answer, format: AnswerFormat) -> String {
    to_text(answer, format)
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
        let mut lines = read_csv(&written(&answer, AnswerFormat::Csv)).into_iter();
        let names: Vec<_> = lines.next().unwrap().into_iter().map(|(name, _)| name).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        prop_assert_eq!((names.len(), distinct.len()), (answer.columns.len(), answer.columns.len()));
        for row in &answer.rows {
            let line = lines.next().unwrap();
            prop_assert_eq!(line.len(), row.len());
            for (value, (field, quoted)) in row.iter().zip(line) {
                match value {
                    Cell::Null => prop_assert!(field.is_empty() && !quoted),
                    Cell::Integer(number) => prop_assert_eq!(field.parse(), Ok(*number)),
                    Cell::Real(number) => prop_assert_eq!(field.parse(), Ok(*number)),
                    Cell::Text(text) => prop_assert!(*field == **text && (quoted || !text.is_empty())),
                    Cell::Blob(_) => {}
                }
            }
        }
        prop_assert!(lines.next().is_none());
    }

    #[test]
    fn rows_of_any_width_are_written(answer in ragged()) {
        for format in [AnswerFormat::Table, AnswerFormat::Csv, AnswerFormat::Json, AnswerFormat::Jsonl, AnswerFormat::Markdown] {
            written(&answer, format);
        }
    }

    #[test]
    fn json_can_be_read_back(answer in answer()) {
        let whole: Vec<serde_json::Map<_, _>> = serde_json::from_str(&written(&answer, AnswerFormat::Json)).unwrap();
        let lines = written(&answer, AnswerFormat::Jsonl);
        let lines: Vec<serde_json::Map<_, _>> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&whole, &lines);
        prop_assert_eq!(whole.len(), answer.rows.len());
        for (object, row) in whole.iter().zip(&answer.rows) {
            prop_assert_eq!(object.len(), row.len());
            for value in row {
                let is_there = object.values().any(|found| match value {
                    Cell::Null => found.is_null(),
                    Cell::Integer(number) => found.as_i64() == Some(*number),
                    // The reader rounds the last digit in its own way.
                    Cell::Real(number) => found.as_f64().is_some_and(|found| (found / number - 1.0).abs() < 1e-15),
                    Cell::Text(text) => found.as_str() == Some(&**text),
                    Cell::Blob(_) => false,
                });
                prop_assert!(is_there, "{:?} in {:?}", value, object);
            }
        }
    }

    #[test]
    fn tables_have_a_line_for_each_row_and_move_no_cursor(answer in answer()) {
        for (format, besides) in [(AnswerFormat::Table, 1), (AnswerFormat::Markdown, 2)] {
            let text = written(&answer, format);
            prop_assert_eq!(text.lines().count(), answer.rows.len() + besides, "{:?}", text);
            prop_assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{:?}", text);
        }
    }
}

#[test]
fn the_formats() {
    let text = |text: &str| Cell::from(text);
    let answer = Answer {
        columns: ["n", "n", "t|x"].map(str::to_owned).to_vec(),
        rows: vec![
            vec![Cell::Integer(1), Cell::Null, text("a\n\u{1b}[31m|b")],
            vec![Cell::Real(2.5), Cell::Real(f64::INFINITY), text("")],
            vec![Cell::Blob(vec![0, 255]), Cell::Real(3.0), text(&"x".repeat(200))],
        ],
    };
    assert_snapshot!(written(&answer, AnswerFormat::Table), @r"
    n            n  t|x
    1         NULL  a\n\x1b[31m|b
    2.5   Infinity
    00ff       3.0  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    ");
    assert_snapshot!(written(&answer, AnswerFormat::Markdown).replace(&"x".repeat(200), "x…"), @r"
    | n | n | t\|x |
    | --- | ---: | --- |
    | 1 | NULL | a<br>\\x1b[31m\|b |
    | 2.5 | Infinity |  |
    | 00ff | 3.0 | x… |
    ");
    assert_snapshot!(written(&answer, AnswerFormat::Csv).replace('\r', "␍").replace(&"x".repeat(200), "x…"), @r#"
    n,n_2,t|x␍
    1,,"a
    [31m|b"␍
    2.5,Infinity,""␍
    00ff,3.0,x…␍
    "#);
    assert_snapshot!(written(&answer, AnswerFormat::Jsonl).replace(&"x".repeat(200), "x…"), @r#"
    {"n":1,"n_2":null,"t|x":"a\n\u001b[31m|b"}
    {"n":2.5,"n_2":null,"t|x":""}
    {"n":"00ff","n_2":3.0,"t|x":"x…"}
    "#);
}
