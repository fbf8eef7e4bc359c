//! Numbers in the notations of Go, Rust and PostgreSQL.

use std::io::Write as _;

/// Writes the shortest text of a finite number, with an exponent below -4 and from `largest` on.
pub(super) fn write_float(out: &mut Vec<u8>, real: f64, largest: i32) {
    let scientific = format!("{real:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Writing to a vector cannot fail.
    let _ = if exponent < -4 || exponent >= largest {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs())
    } else {
        write!(out, "{real}")
    };
}

/// Rounds a decimal number to `places` digits after the point, half away from zero, or toward zero. `None` if the
/// text is not a decimal number.
pub(super) fn round_decimal(text: &str, places: usize, truncates: bool) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = fraction.get(..places).unwrap_or(fraction);
    let mut number: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    number.resize(whole.len() + places, b'0');
    if !truncates && fraction.as_bytes().get(places).is_some_and(|digit| *digit >= b'5') {
        let last = number.iter().rposition(|digit| *digit != b'9');
        let nines = last.map_or(0, |last| last + 1);
        number[nines..].fill(b'0');
        match last {
            Some(last) => number[last] += 1,
            None => number.insert(0, b'1'),
        }
    }
    let point = number.len() - places;
    let zero = number.iter().all(|digit| *digit == b'0');
    let sign = if zero { "" } else { sign };
    let text = String::from_utf8(number).ok()?;
    let (whole, fraction) = text.split_at(point);
    Some(if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_an_exponent_when_they_are_small_or_large() {
        for (real, largest, expected) in [
            (1.0, 21, "1"),
            (1e20, 21, "100000000000000000000"),
            (1e21, 21, "1e+21"),
            (1e15, 15, "1e+15"),
            (0.0001, 15, "0.0001"),
            (0.000012, 15, "1.2e-05"),
            (-2.5e-300, 21, "-2.5e-300"),
        ] {
            let mut out = Vec::new();
            write_float(&mut out, real, largest);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn decimals_are_rounded_as_text() {
        for (text, places, truncates, expected) in [
            ("1.5", 0, false, "2"),
            ("1.5", 0, true, "1"),
            ("-0.4", 0, false, "0"),
            ("999.9996", 3, false, "1000.000"),
            ("-1.0005", 3, false, "-1.001"),
            ("12", 3, false, "12.000"),
        ] {
            assert_eq!(round_decimal(text, places, truncates).as_deref(), Some(expected));
        }
        assert_eq!(round_decimal("NaN", 3, false), None);
    }
}
