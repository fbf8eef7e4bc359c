use proptest::prelude::*;

use super::*;
use crate::parser::{HashLine, SortMode};

fn rendered(letter: u8, value: ValueRef<'_>) -> String {
    let mut out = Vec::new();
    render(&mut out, letter, &value);
    let mut text = text::RenderedText::default();
    text.push_value(letter, &value);
    assert_eq!(text.as_bytes(), [&out[..], b"\n"].concat(), "the short way differs for {value:?}");
    String::from_utf8(out).unwrap()
}

#[test]
fn null_wins_over_every_letter() {
    for letter in *b"TIR" {
        assert_eq!(rendered(letter, ValueRef::Null), "NULL");
    }
}

#[test]
fn integers_are_converted_and_cut_to_32_bits() {
    let cases = [
        (ValueRef::Integer(-7), "-7"),
        (ValueRef::Integer(4_294_967_297), "1"),
        (ValueRef::Integer(2_147_483_648), "-2147483648"),
        (ValueRef::Real(2.9), "2"),
        (ValueRef::Real(-2.9), "-2"),
        (ValueRef::Real(1e300), "-1"),
        (ValueRef::Real(f64::NAN), "NaN"),
        (ValueRef::Text(b" 12abc"), "12"),
        (ValueRef::Text(b"1.5e3"), "1"),
        (ValueRef::Text(b"x"), "0"),
        (ValueRef::Blob(b"-3"), "-3"),
        (ValueRef::Boolean(true), "1"),
        (ValueRef::Decimal("12345678901234567890123.9"), "-1"),
    ];
    for (value, expected) in cases {
        assert_eq!(rendered(b'I', value), expected, "{value:?}");
    }
}

#[test]
fn reals_have_three_decimals() {
    let cases = [
        (0.0625, "0.063"),
        (0.3125, "0.313"),
        (-0.0, "0.000"),
        (-0.0001, "-0.000"),
        (0.0005, "0.001"),
        (0.9999, "1.000"),
        (99999.9996, "100000.000"),
        (9_223_372_036_854_775_808.0, "9223372036854776000.000"),
        (-9_223_372_036_854_775_808.0, "-9223372036854776000.000"),
        (12_345_678_901_234.568, "12345678901234.570"),
        (1.0005, "1.000"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ];
    for (real, expected) in cases {
        assert_eq!(rendered(b'R', ValueRef::Real(real)), expected, "{real:?}");
    }
    assert_eq!(rendered(b'R', ValueRef::Text(b"2.5 apples")), "2.500");
    assert_eq!(rendered(b'R', ValueRef::Text(b"1e2x")), "100.000");
    assert_eq!(rendered(b'R', ValueRef::Text(b".5e")), "0.500");
    assert_eq!(rendered(b'R', ValueRef::Real(1e300)).len(), 199);
}

#[test]
fn text_is_printable_ascii() {
    let cases = [
        (ValueRef::Text(b""), "(empty)"),
        (ValueRef::Text(b"\0hidden"), "(empty)"),
        (ValueRef::Text(b"a\0b"), "a"),
        (ValueRef::Text("a\tb\né\x7f".as_bytes()), "a@b@@@@"),
        (ValueRef::Text(b" a  b "), " a  b "),
        (ValueRef::Integer(-1), "-1"),
        (ValueRef::Real(1.0), "1.0"),
        (ValueRef::Real(1e300), "1.0e+300"),
        (ValueRef::Real(0.1), "0.1"),
        (ValueRef::Real(-1.5e-7), "-1.5e-07"),
        (ValueRef::Other("2024-01-01"), "2024-01-01"),
    ];
    for (value, expected) in cases {
        assert_eq!(rendered(b'T', value), expected, "{value:?}");
    }
}

fn arranged(rows: &[&[&str]], sort: SortMode) -> String {
    let mut buffer = ResultBuffer::default();
    buffer.start(sort, KeptValues::All);
    for row in rows {
        let values: Vec<_> = row.iter().map(|text| ValueRef::Text(text.as_bytes())).collect();
        buffer.push_row(&vec![b'T'; row.len()], &values);
    }
    let output = buffer.arrange();
    assert_eq!(output.values(), rows.iter().map(|row| row.len() as u64).sum::<u64>());
    output.lines().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_are_sorted_column_by_column_and_values_one_by_one() {
    let rows: &[&[&str]] = &[&["b", "1"], &["a", "z"], &["a b", "0"], &["10", "x"], &["9", "y"]];
    assert_eq!(arranged(rows, SortMode::NoSort), "b 1 a z a b 0 10 x 9 y");
    assert_eq!(arranged(rows, SortMode::RowSort), "10 x 9 y a z a b 0 b 1");
    assert_eq!(arranged(rows, SortMode::ValueSort), "0 1 10 9 a a b b x y z");
}

/// Found by fuzzing.
#[test]
fn rows_without_columns_can_be_sorted() {
    let mut buffer = ResultBuffer::default();
    buffer.start(SortMode::RowSort, KeptValues::All);
    buffer.push_row(b"", &[]);
    buffer.push_row(b"", &[]);
    assert_eq!(buffer.arrange().values(), 0);
}

#[test]
fn the_digest_is_md5_of_values_and_line_feeds() {
    let mut buffer = ResultBuffer::default();
    // The MD5 of nothing, and of "1\n2\n" (printf '1\n2\n' | md5sum).
    let empty = buffer.arrange().hash_line().to_string();
    assert_eq!(empty, "0 values hashing to d41d8cd98f00b204e9800998ecf8427e");
    buffer.push_row(b"II", &[ValueRef::Integer(1), ValueRef::Integer(2)]);
    let line = buffer.arrange().hash_line().to_string();
    assert_eq!(line, "2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0");
    assert_eq!(HashLine::parse(line.as_bytes()).unwrap().to_string(), line);
    assert_eq!(digest_of_lines([b"1".as_slice(), b"2"].into_iter()).to_string(), line[line.len() - 32..]);
}

proptest! {
    #[test]
    fn sorting_rows_is_sorting_their_columns(rows in prop::collection::vec(("[ -~]{1,3}", "[a-c]{1,10}"), 0..40)) {
        let texts: Vec<[&str; 2]> = rows.iter().map(|(a, b)| [a.as_str(), b.as_str()]).collect();
        let given: Vec<&[&str]> = texts.iter().map(|row| row.as_slice()).collect();
        let mut sorted = texts.clone();
        sorted.sort();
        let expected = sorted.concat().join(" ");
        prop_assert_eq!(arranged(&given, SortMode::RowSort), expected);
    }
}

/// Any value of an engine, mostly usual ones.
fn any_value() -> impl Strategy<Value = OwnedValue> {
    prop_oneof![
        Just(OwnedValue::Null),
        any::<i64>().prop_map(OwnedValue::Integer),
        (-2000..2_000_000_i64).prop_map(OwnedValue::Integer),
        any::<f64>().prop_map(OwnedValue::Real),
        (-20_000_000..20_000_000_i64, 0..5).prop_map(|(a, b)| OwnedValue::Real(a as f64 / 10_f64.powi(b))),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(OwnedValue::Text),
        "[ -~]{0,40}".prop_map(|text| OwnedValue::Text(text.into_bytes())),
    ]
}

#[derive(Debug, Clone)]
enum OwnedValue {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
}

impl OwnedValue {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text),
        }
    }
}

proptest! {
    #[test]
    fn the_short_way_renders_what_the_long_way_renders(letter in prop::sample::select(b"TIR".to_vec()), value in any_value()) {
        rendered(letter, value.as_ref());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_result_of_any_order_is_what_its_sorted_lines_are(
        rows in prop::collection::vec((any_value(), any_value()), 0..40),
        letters in prop::sample::select(vec![b"TI", b"IR", b"RT", b"TT"]),
        copies in prop::sample::select(vec![1_usize, 1, 1, 1, 1, 1, 1, 1500]),
        kept in 0..100_u64,
        limit in 0..10_usize,
    ) {
        let lines: Vec<[String; 2]> = rows
            .iter()
            .map(|(a, b)| [rendered(letters[0], a.as_ref()) + "\n", rendered(letters[1], b.as_ref()) + "\n"])
            .collect();
        let mut buffer = ResultBuffer::default();
        for sort in [SortMode::NoSort, SortMode::RowSort, SortMode::ValueSort] {
            let mut lines: Vec<_> = std::iter::repeat_n(&lines, copies).flatten().cloned().collect();
            if sort == SortMode::RowSort {
                lines.sort();
            }
            let mut values = lines.concat();
            if sort == SortMode::ValueSort {
                values.sort();
            }
            let expected = values.concat();
            let plain = Output::new(values.len() as u64, expected.as_bytes());
            for kept in [KeptValues::All, KeptValues::First(kept)] {
                buffer.start(sort, kept);
                for _ in 0..copies {
                    rows.iter().for_each(|(a, b)| buffer.push_row(letters, &[a.as_ref(), b.as_ref()]));
                }
                let found = buffer.arrange();
                prop_assert_eq!(found.hash_line(), plain.hash_line());
                match kept {
                    KeptValues::All => prop_assert!(found.lines().eq(plain.lines())),
                    KeptValues::First(kept) => {
                        let kept = kept as usize;
                        prop_assert!(found.lines().take(kept).eq(plain.lines().take(kept)));
                        let limit = limit.min(kept);
                        let from = (kept - limit) as u64;
                        prop_assert_eq!(found.excerpt(from, limit), plain.excerpt(from, limit));
                    }
                }
            }
        }
    }
}

/// The memory that a result takes is not part of it: nothing changes when text is given up, or is needed after all.
#[test]
fn a_long_result_is_what_its_lines_are() {
    let long = "a row that is longer than any number";
    for (count, last) in [(200_000, None), (200_000, Some(long)), (200_000, Some("12 bytes"))] {
        let mut lines: Vec<String> =
            (0..count).map(|number| format!("{}\n", number * 7919 % 200_003)).collect();
        lines.extend(last.map(|last| format!("{last}\n")));
        for sort in [SortMode::NoSort, SortMode::RowSort, SortMode::ValueSort] {
            let mut buffer = ResultBuffer::default();
            buffer.start(sort, KeptValues::First(10));
            for number in 0..count {
                buffer.push_row(b"I", &[ValueRef::Integer(number * 7919 % 200_003)]);
            }
            last.iter().for_each(|last| buffer.push_row(b"T", &[ValueRef::Text(last.as_bytes())]));
            if sort != SortMode::NoSort {
                lines.sort();
            }
            let text = lines.concat();
            let (found, expected) = (buffer.arrange(), Output::new(lines.len() as u64, text.as_bytes()));
            assert_eq!(found.hash_line(), expected.hash_line(), "{sort:?}, {last:?}");
            assert!(found.lines().take(10).eq(expected.lines().take(10)));
            assert_eq!(found.excerpt(3, 7), expected.excerpt(3, 7));
        }
    }
}

/// SQLite itself is the oracle for numbers.
mod as_sqlite_does {
    use super::*;

    thread_local! {
        static CONNECTION: rusqlite::Connection = rusqlite::Connection::open_in_memory().unwrap();
    }

    /// SQLite's text of a REAL, and its `%.3f` as far as the runner prints it.
    fn sqlite(real: f64) -> (String, String) {
        let (general, mut fixed): (String, String) = CONNECTION.with(|connection| {
            let sql = "SELECT CAST(?1 AS TEXT), printf('%.3f', ?1)";
            connection.query_row(sql, [real], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        });
        fixed.truncate(LONGEST_REAL);
        (general, fixed)
    }

    fn check(real: f64) -> Result<(), TestCaseError> {
        let (general, fixed) = sqlite(real);
        prop_assert_eq!(rendered(b'T', ValueRef::Real(real)), general, "{:?}", real);
        prop_assert_eq!(rendered(b'R', ValueRef::Real(real)), fixed, "{:?}", real);
        Ok(())
    }

    /// The text in a column of reals as SQLite renders it, and as this crate does.
    fn text_as_real(text: &str) -> (String, String) {
        let sql = "SELECT printf('%.3f', CAST(?1 AS REAL))";
        let mut fixed: String = CONNECTION.with(|it| it.query_row(sql, [text], |row| row.get(0)).unwrap());
        fixed.truncate(LONGEST_REAL);
        (fixed, rendered(b'R', ValueRef::Text(text.as_bytes())))
    }

    #[test]
    fn digits_behind_the_nineteenth_are_ignored() {
        for text in [
            "300000089893.97585101E9",
            "3500000000000000.2500001",
            "-0",
            "-x",
            ".",
            "1e99999999999999999999",
            "-1e-400",
            "0e999",
            "1e 2",
            "1e+",
            "1e+2",
        ] {
            let (expected, found) = text_as_real(text);
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn any_double(bits: u64) {
            let real = f64::from_bits(bits);
            prop_assume!(real.is_finite());
            check(real)?;
            prop_assert_eq!(rendered(b'T', ValueRef::Real(real)).parse::<f64>().unwrap(), real);
        }

        #[test]
        fn text_in_a_column_of_reals(text in r"[+-]?[0-9]{0,12}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?x?") {
            let (expected, found) = text_as_real(&text);
            prop_assert_eq!(found, expected, "{}", text);
        }

        #[test]
        fn long_text_in_a_column_of_reals(text in r"-?[0-9]{1,24}\.[0-9]{0,24}(e-?[0-9]{1,2})?") {
            let (expected, found) = text_as_real(&text);
            prop_assert_eq!(found, expected, "{}", text);
        }

        #[test]
        fn doubles_of_ordinary_size(mantissa in 1.0..10.0_f64, exponent in -9..17) {
            check(mantissa * 10_f64.powi(exponent))?;
            check(-mantissa * 10_f64.powi(exponent))?;
        }

        #[test]
        fn doubles_of_few_digits(mantissa in -100_000_000_000_i64..100_000_000_000, scale in 0..12) {
            check(mantissa as f64 / 10_f64.powi(scale))?;
        }

        #[test]
        fn results_of_arithmetic(a in -1000_i32..1000, b in 1..1000, c in -1000_i32..1000) {
            check(f64::from(a) / f64::from(b) + f64::from(c) / 7.0)?;
            check(f64::from(a) / f64::from(b) * 1e6)?;
        }
    }

    /// The number of doubles that are compared; SLT_REALS names another number.
    const REALS: u64 = 1_000_000;

    /// Splitmix64: every bit pattern of a double is as likely as any other.
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    #[test]
    fn random_bit_patterns_have_the_text_that_sqlite_gives_them() {
        #[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
        let count = std::env::var("SLT_REALS").ok().map_or(REALS, |count| count.parse().unwrap());
        let mut state = 1;
        let reals =
            std::iter::repeat_with(|| f64::from_bits(random(&mut state))).filter(|real| real.is_finite());
        let mut differences = Vec::new();
        for real in reals.take(count as usize) {
            let (general, fixed) = sqlite(real);
            let value = ValueRef::Real(real);
            if rendered(b'T', value) != general || rendered(b'R', value) != fixed {
                differences.push((real, rendered(b'T', value), general));
            }
        }
        assert_eq!(differences, [], "{} of {count}", differences.len());
    }

    #[test]
    fn doubles_at_the_ends_of_their_range_have_the_text_that_sqlite_gives_them() {
        let powers = (-1074..1024).map(|exponent| 2_f64.powi(exponent));
        let tens = (-323..309).map(|exponent| format!("1e{exponent}").parse::<f64>().unwrap());
        for real in powers.chain(tens).chain([f64::MAX, f64::MIN_POSITIVE, -1.397736961784769e268]) {
            for real in [real, real.next_up(), real.next_down()].into_iter().filter(|real| real.is_finite()) {
                check(real).unwrap();
                check(-real).unwrap();
            }
        }
    }
}
