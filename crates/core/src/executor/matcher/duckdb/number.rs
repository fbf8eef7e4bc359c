//! Numbers with different texts that are equal all the same.
//!
//! DuckDB's runner converts both sides to the type of the column: a whole or exact number is rounded to the number of
//! decimals, and floating-point numbers are equal within one percent.

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::executor) enum Equality {
    Equal,
    /// Equal only after rounding, or within one percent.
    WithinTolerance,
    Different,
}

/// Compares an exact number with an expected text.
pub(super) fn compare_exact(actual: &[u8], expected: &[u8]) -> Equality {
    let (Some(actual), Some(expected)) = (Digits::parse(actual), Digits::parse(expected)) else {
        return Equality::Different;
    };
    let rounded = expected.rounded(actual.decimals());
    match (actual.is_same(&expected), actual.is_same(&rounded)) {
        (true, _) => Equality::Equal,
        (false, true) => Equality::WithinTolerance,
        (false, false) => Equality::Different,
    }
}

/// Compares a floating-point number with an expected text.
pub(super) fn compare_real(actual: &[u8], expected: &[u8]) -> Equality {
    let (Some(actual), Some(expected)) = (real(actual), real(expected)) else { return Equality::Different };
    let difference = (expected - actual).abs();
    if actual == expected || actual.is_nan() && expected.is_nan() {
        Equality::Equal
    } else if difference.is_finite() && difference <= actual.abs() * 0.01 + 1e-8 {
        Equality::WithinTolerance
    } else {
        Equality::Different
    }
}

fn real(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim_ascii().parse().ok()
}

/// A number of any size as decimal digits.
#[derive(Debug, Clone)]
struct Digits {
    negative: bool,
    /// Without zeros in front.
    digits: Vec<u8>,
    /// The number of digits behind the point; negative for zeros before it.
    decimals: i32,
}

/// The largest exponent that is read: numbers of databases have none of this size.
const LARGEST_EXPONENT: i32 = 1000;

impl Digits {
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim_ascii();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = whole.len() + fraction.len() > 0
            && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !is_number || exponent.abs() > LARGEST_EXPONENT {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).skip_while(|&digit| digit == b'0').collect();
        Some(Self { negative, digits, decimals: i32::try_from(fraction.len()).ok()? - exponent })
    }

    fn decimals(&self) -> i32 {
        self.decimals.max(0)
    }

    /// Returns the number with at most this number of decimals; ties are rounded away from zero.
    fn rounded(&self, decimals: i32) -> Self {
        let Ok(dropped) = usize::try_from(self.decimals - decimals) else { return self.clone() };
        if dropped == 0 {
            return self.clone();
        }
        let Some(kept) = self.digits.len().checked_sub(dropped) else {
            return Self { digits: Vec::new(), decimals, ..*self };
        };
        let mut digits = self.digits[..kept].to_vec();
        if self.digits[kept] >= b'5' {
            let nines = digits.iter().rev().take_while(|&&digit| digit == b'9').count();
            digits.truncate(kept - nines);
            match digits.last_mut() {
                Some(last) => *last += 1,
                None => digits.push(b'1'),
            }
            digits.extend(std::iter::repeat_n(b'0', nines));
        }
        Self { digits, decimals, negative: self.negative }
    }

    fn is_same(&self, other: &Self) -> bool {
        let (one, other_digits) = (self.significant(), other.significant());
        one == other_digits && (one.0.is_empty() || self.negative == other.negative)
    }

    /// Returns the digits without zeros at the end, and the number of digits behind the point.
    fn significant(&self) -> (&[u8], i32) {
        let zeros = self.digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        let digits = &self.digits[..self.digits.len() - zeros];
        if digits.is_empty() {
            return (digits, 0);
        }
        (digits, self.decimals - i32::try_from(zeros).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Equality::{Different, Equal, WithinTolerance};

    #[test]
    fn exact_numbers_are_compared_with_their_decimals() {
        for (actual, expected, result) in [
            ("42", "042", Equal),
            ("42", " 42 ", Equal),
            ("42", "42.0", Equal),
            ("42", "4.2e1", Equal),
            ("42", "42.4", WithinTolerance),
            ("43", "42.5", WithinTolerance),
            ("42", "42.5", Different),
            ("-43", "-42.5", WithinTolerance),
            ("42", "-42", Different),
            ("0", "-0", Equal),
            ("0", "0.4", WithinTolerance),
            ("1", "0.5", WithinTolerance),
            ("100", "99.95", WithinTolerance),
            ("3.10", "3.1", Equal),
            ("3.10", "3.099", WithinTolerance),
            ("3.10", "3.11", Different),
            ("42", "42x", Different),
            ("42", "", Different),
            ("42", "NULL", Different),
            ("170141183460469231731687303715884105727", "170141183460469231731687303715884105726", Different),
        ] {
            assert_eq!(compare_exact(actual.as_bytes(), expected.as_bytes()), result, "{actual} {expected}");
        }
    }

    #[test]
    fn floating_point_numbers_are_equal_within_one_percent() {
        for (actual, expected, result) in [
            ("3.14", "3.140", Equal),
            ("3.14", "3.15", WithinTolerance),
            ("3.14", "3.20", Different),
            ("0.0", "0.000000009", WithinTolerance),
            ("0.0", "0.00000002", Different),
            ("nan", "nan", Equal),
            ("inf", "inf", Equal),
            ("inf", "-inf", Different),
            ("inf", "1e308", Different),
            ("1.0", "abc", Different),
        ] {
            assert_eq!(compare_real(actual.as_bytes(), expected.as_bytes()), result, "{actual} {expected}");
        }
    }
}
