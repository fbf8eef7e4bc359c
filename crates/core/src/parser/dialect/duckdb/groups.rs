//! The values of `foreach`: words, groups of words by name, and exceptions.

use std::borrow::Cow;

/// The signed whole numbers.
const SIGNED: &[&str] = &["tinyint", "smallint", "integer", "bigint", "hugeint"];

/// The unsigned whole numbers.
const UNSIGNED: &[&str] = &["utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"];

const FLOATING: &[&str] = &["float", "double"];

const REMAINING: &[&str] = &["bool", "interval", "varchar"];

const COMPRESSIONS: &[&str] =
    &["none", "uncompressed", "rle", "bitpacking", "dictionary", "fsst", "dict_fsst", "alp", "alprd"];

/// The columns of DuckDB's table function `test_all_types`, in their order.
const COLUMNS: &[&str] = &[
    "bool",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "hugeint",
    "uhugeint",
    "utinyint",
    "usmallint",
    "uint",
    "ubigint",
    "date",
    "time",
    "timestamp",
    "timestamp_s",
    "timestamp_ms",
    "timestamp_ns",
    "time_tz",
    "timestamp_tz",
    "float",
    "double",
    "dec_4_1",
    "dec_9_4",
    "dec_18_6",
    "dec38_10",
    "uuid",
    "interval",
    "varchar",
    "blob",
    "bit",
    "small_enum",
    "medium_enum",
    "large_enum",
    "int_array",
    "double_array",
    "date_array",
    "timestamp_array",
    "timestamptz_array",
    "varchar_array",
    "nested_int_array",
    "struct",
    "struct_of_arrays",
    "array_of_structs",
    "map",
    "union",
    "fixed_int_array",
    "fixed_varchar_array",
    "fixed_nested_int_array",
    "fixed_nested_varchar_array",
    "fixed_struct_array",
    "struct_of_fixed_array",
    "fixed_array_of_int_list",
    "list_of_fixed_int_array",
];

/// Returns the lists of words that the name of a group stands for.
fn group(name: &[u8]) -> Option<&'static [&'static [&'static str]]> {
    Some(match name.to_ascii_lowercase().as_slice() {
        b"<signed>" => &[SIGNED],
        b"<unsigned>" => &[UNSIGNED],
        b"<integral>" => &[SIGNED, UNSIGNED],
        b"<numeric>" => &[SIGNED, UNSIGNED, FLOATING],
        b"<alltypes>" => &[SIGNED, UNSIGNED, FLOATING, REMAINING],
        b"<compression>" => &[COMPRESSIONS],
        b"<all_types_columns>" => &[COLUMNS],
        _ => return None,
    })
}

/// Returns the values that the words of a `foreach` stand for. `!x` removes an earlier `x`; without one
/// it is a value itself.
pub(super) fn values<'s>(words: &[&'s [u8]]) -> Vec<Cow<'s, [u8]>> {
    let mut values: Vec<Cow<'s, [u8]>> = Vec::new();
    for &word in words {
        if let Some(lists) = group(word) {
            values.extend(lists.iter().flat_map(|list| list.iter()).map(|one| Cow::Borrowed(one.as_bytes())));
            continue;
        }
        let excepted =
            word.strip_prefix(b"!").and_then(|name| values.iter().position(|value| **value == *name));
        match excepted {
            Some(place) => drop(values.remove(place)),
            None => values.push(Cow::Borrowed(word)),
        }
    }
    values
}
