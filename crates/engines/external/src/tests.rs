//! Properties of the reader, and tables of messages.

use proptest::prelude::*;
use slt_core::value::ValueRef;

use crate::message::{DriverAnswer, Message};
use crate::reader::MessageReader;

fn message(json: &str) -> Result<Message<'_>, String> {
    Message::from_json(json.as_bytes())
}

/// Reads bytes in chunks of these sizes; a message that is refused ends it.
fn read(bytes: &[u8], mut chunks: impl Iterator<Item = usize>, lines: bool) -> Vec<Result<String, String>> {
    let mut reader = MessageReader::new(1000);
    if lines {
        reader.expect_lines();
    }
    let (mut messages, mut rest) = (Vec::new(), bytes);
    loop {
        match reader.find() {
            Ok(Some(found)) => {
                let message = Message::from_json(reader.message(found)).map(|message| format!("{message:?}"));
                let has_failed = message.is_err();
                messages.push(message);
                if has_failed {
                    return messages;
                }
            }
            Ok(None) if rest.is_empty() => return messages,
            Ok(None) => {
                let size = chunks.next().unwrap_or(1).clamp(1, rest.len());
                reader.space()[..size].copy_from_slice(&rest[..size]);
                reader.advance(size);
                rest = &rest[size..];
            }
            Err(what) => {
                messages.push(Err(what));
                return messages;
            }
        }
    }
}

fn read_whole(bytes: &[u8], lines: bool) -> Vec<Result<String, String>> {
    read(bytes, std::iter::repeat(bytes.len()), lines)
}

/// Text that is often a message, or nearly one.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let answer = r#"{"id":1,"result":[[1,"}\"\\",{"blob":"00"}]]}"#;
    let parts = prop_oneof![
        Just(answer.as_bytes().to_vec()),
        Just(br#"{"hello":2,"name":"x"}"#.to_vec()),
        Just(br#"{"err":"{"}"#.to_vec()),
        Just(b"\r\n".to_vec()),
        Just("\u{feff}".as_bytes().to_vec()),
        proptest::sample::select(br#"{}[]":,\ 1ne"#.to_vec()).prop_map(|byte| vec![byte]),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn messages_do_not_depend_on_how_they_arrive(
        bytes in output(), chunks in proptest::collection::vec(1..40_usize, 0..40), lines: bool
    ) {
        let kinds = |messages: Vec<Result<String, String>>| -> Vec<_> { messages.into_iter().map(Result::ok).collect() };
        prop_assert_eq!(kinds(read(&bytes, chunks.into_iter(), lines)), kinds(read_whole(&bytes, lines)));
    }

    #[test]
    fn an_answer_of_any_text_is_that_text(text: String, chunks in proptest::collection::vec(1..40_usize, 0..40)) {
        let json = serde_json::json!({"id": 7, "result": [[text]]}).to_string() + "\n";
        for lines in [false, true] {
            let mut found = read(json.as_bytes(), chunks.iter().copied(), lines);
            let message = found.pop().unwrap().unwrap();
            prop_assert!(found.is_empty() && message.contains(&format!("{text:?}")), "{}", message);
        }
    }
}

#[test]
fn output_that_is_no_message_is_refused() {
    let deep = |open: &str, close: &str| format!("{}{}\n", open.repeat(100), close.repeat(100));
    let cases = [
        ("nonsense\n".to_owned(), "something other than JSON (expected `{`): nonsense"),
        ("\u{feff}{\"result\":[]}\n".to_owned(), "something other than JSON (expected `{`)"),
        ("[]\n".to_owned(), "expected `{`"),
        ("{\"result\":[}]}\n".to_owned(), "something other than JSON"),
        ("{\"result\":[],}\n".to_owned(), "something other than JSON"),
        ("{\"result\":[[1e999]]}\n".to_owned(), "something other than JSON (number out of range"),
        (deep("[", "]"), "expected `{`"),
        (format!("{{\"other\":{}", deep("{\"a\":", "}")), "something other than JSON"),
        (format!("{{\"err\":\"{}\"}}\n", "x".repeat(1000)), "a message of more than 1000 bytes"),
        ("x".repeat(2000), "something other than JSON"),
        (format!("{{\"err\":\"{}", "x".repeat(1000)), "a message of more than 1000 bytes"),
    ];
    for (output, expected) in cases {
        for lines in [false, true] {
            let found = read_whole(output.as_bytes(), lines);
            let [Err(what)] = found.as_slice() else { panic!("{output}: {found:?}") };
            assert!(what.contains(expected), "{output}: {what}");
        }
    }
    for lines in [false, true] {
        let nested = format!("{{\"result\":{}", deep("[", "]").replace('\n', "}\n"));
        assert!(matches!(read_whole(nested.as_bytes(), lines).as_slice(), [Err(_)]));
        // The fuzzer found the second: a field without a meaning was skipped with its bytes.
        for output in [b"{\"err\":\"\xff\"}\n".as_slice(), b"{\"err\":\"x\",\"note\":\"\xff\"}\n"] {
            let found = read_whole(output, lines);
            assert!(matches!(found.as_slice(), [Err(what)] if what.contains("something other than JSON")));
        }
    }
}

#[test]
fn in_version_2_a_line_is_one_message() {
    let answer = r#"{"id":1,"result":[]}"#;
    let refused = [
        format!("{answer}{answer}\n"),
        format!("{answer} x\n"),
        format!("{answer},\n"),
        "{\"id\":1,\n\"result\":[]}\n".to_owned(),
    ];
    for output in refused {
        let found = read_whole(output.as_bytes(), true);
        assert!(matches!(found.as_slice(), [Err(_)]), "{output}: {found:?}");
    }
    for (output, number) in [
        (format!("{answer}\r\n"), 1),
        (format!(" {answer}\t\n\n \n{answer}\n"), 2),
        (answer.to_owned(), 0),
        (format!("{answer}\n{{\"id\":2"), 1),
    ] {
        let found = read_whole(output.as_bytes(), true);
        assert!(found.len() == number && found.iter().all(Result::is_ok), "{output}: {found:?}");
    }
}

#[test]
fn values_have_types() {
    let json = r#"{"result":[[null,true,-1,-9223372036854775808,18446744073709551615,0.5,1e3,"x","\u00e9\n",
        {"decimal":"1.10"},{"decimal":"-340282366920938463463374607431768211456"},{"blob":"00fF"},{"blob":""},
        {"real":"-inf"},{"real":"1e20"},{"other":"2020-01-01"}]]}"#;
    let Ok(Message::Answer(None, DriverAnswer::Results(results))) = message(json) else { panic!() };
    let values: Vec<_> = results[0].rows[0].iter().map(crate::JsonCell::value).collect();
    let expected = [
        ValueRef::Null,
        ValueRef::Boolean(true),
        ValueRef::Integer(-1),
        ValueRef::Integer(i64::MIN),
        ValueRef::Decimal("18446744073709551615"),
        ValueRef::Real(0.5),
        ValueRef::Real(1000.0),
        ValueRef::Text(b"x"),
        ValueRef::Text("\u{e9}\n".as_bytes()),
        ValueRef::Decimal("1.10"),
        ValueRef::Decimal("-340282366920938463463374607431768211456"),
        ValueRef::Blob(&[0, 255]),
        ValueRef::Blob(&[]),
        ValueRef::Real(f64::NEG_INFINITY),
        ValueRef::Real(1e20),
        ValueRef::Other("2020-01-01"),
    ];
    assert_eq!(values, expected);
}

#[test]
fn a_value_that_is_not_exact_is_refused() {
    for value in [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "[1]",
        "{}",
        r#"{"blob":"0"}"#,
        r#"{"blob":"+1"}"#,
        r#"{"blob":"é"}"#,
        r#"{"real":"x"}"#,
        r#"{"real":"1e999"}"#,
        r#"{"real":1}"#,
        r#"{"decimal":"1e5"}"#,
        r#"{"decimal":""}"#,
        r#"{"decimal":"1."}"#,
        r#"{"date":"2020-01-01"}"#,
        r#"{"other":"x","real":"1"}"#,
    ] {
        let json = format!(r#"{{"err":null,"result":[["text 1\"\\",{value}]]}}"#);
        let found = message(&json);
        assert!(
            found.as_ref().is_err_and(|what| what.contains("its message is invalid")),
            "{json}: {found:?}"
        );
    }
    // In a text, digits are digits.
    assert!(message(r#"{"result":[["\"123456789012345678901234567890",1234567890123456789012.5]]}"#).is_ok());
}

#[test]
fn an_answer_has_exactly_one_meaning() {
    let error = r#"{"err":"no","sqlstate":"42P01","result":null}"#;
    assert!(matches!(message(error), Ok(Message::Answer(None, DriverAnswer::Error { .. }))));
    let unsupported = r#"{"id":3,"unsupported":"COPY"}"#;
    assert!(matches!(message(unsupported), Ok(Message::Answer(Some(3), DriverAnswer::Unsupported(_)))));
    let several = r#"{"id":3,"results":[{"result":[]},{"result":[[1]]}]}"#;
    let Ok(Message::Answer(Some(3), DriverAnswer::Results(results))) = message(several) else { panic!() };
    assert_eq!(results.iter().map(|result| result.width()).collect::<Vec<_>>(), [None, Some(1)]);
    let answers =
        [r#""result":[]"#, r#""results":[]"#, r#""err":"x""#, r#""unsupported":"x""#, r#""hello":2"#];
    for (at, one) in answers.iter().enumerate() {
        for other in &answers[at..] {
            let json = format!(r#"{{"name":"x",{one},{other}}}"#);
            assert!(message(&json).is_err(), "{json}");
        }
    }
    for json in [
        "{}",
        r#"{"id":1}"#,
        r#"{"id":-1,"result":[]}"#,
        r#"{"id":1.5,"result":[]}"#,
        r#"{"id":18446744073709551616,"result":[]}"#,
        r#"{"id":1,"id":2,"result":[]}"#,
        r#"{"result":"x"}"#,
        r#"{"result":[1]}"#,
        r#"{"result":[[1],[1,2]]}"#,
        r#"{"result":[[1]],"columns":[]}"#,
        r#"{"result":[],"affected":-1}"#,
        r#"{"results":[{"columns":[]}]}"#,
        r#"{"hello":3,"name":"x"}"#,
        r#"{"hello":2}"#,
        r#"{"hello":2,"name":"x","capabilities":"cancel"}"#,
    ] {
        assert!(message(json).is_err(), "{json}");
    }
}

/// The messages of the transcript in the documentation are the ones that this crate sends and reads.
#[test]
fn the_documented_transcript_is_valid() {
    let document = include_str!("../../../../docs/engine-protocol.md");
    let answers: Vec<_> = document.lines().filter_map(|line| line.strip_prefix("← ")).collect();
    assert!(answers.len() >= 8, "{answers:?}");
    assert!(matches!(message(answers[0]), Ok(Message::Hello(_))), "{}", answers[0]);
    for answer in &answers[1..] {
        assert!(
            matches!(message(answer), Ok(Message::Answer(Some(_), _))),
            "{answer}: {:?}",
            message(answer)
        );
    }
    let fields = ["id", "sql", "connection", "connect", "user", "restart", "cancel", "shutdown"];
    for request in document.lines().filter_map(|line| line.strip_prefix("→ ")) {
        let request: serde_json::Map<String, serde_json::Value> = serde_json::from_str(request).unwrap();
        assert!(request.keys().all(|key| fields.contains(&key.as_str())), "{request:?}");
    }
}
