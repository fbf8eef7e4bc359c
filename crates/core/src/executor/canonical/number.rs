//! Numbers as SQLite reads and prints them, which is neither C's way nor Rust's.
//!
//! SQLite scales a double by an approximated power of ten to 18 or 19 significant digits and rounds those, ties away from
//! zero, so a number may be rounded twice; what it prints has at most 16 digits that count (`%.3f`), or 17 of which it drops
//! those that a shorter text makes up for (text of a REAL). Source: the behaviour of SQLite 3.54; the tests compare with
//! the SQLite that this crate bundles.

use super::power_of_ten::{floor_log2_of_power_of_ten, floor_log10_of_power_of_two, power_of_ten};

/// A positive, finite double as decimal digits: 0.d₁d₂d₃… × 10^point.
struct Decimal {
    digits: [u8; 19],
    length: usize,
    point: i32,
}

impl Decimal {
    fn new(real: f64) -> Self {
        // The double is mantissa × 2^exponent, and the highest bit of the mantissa is set.
        let bits = real.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = match (bits >> 52) as i32 {
            0 => (fraction << fraction.leading_zeros(), -1074 - fraction.leading_zeros() as i32),
            biased => (fraction << 11 | 1 << 63, biased - 1086),
        };
        // Scaled by this power of ten it has 18 digits before the point, or 19.
        let scale = 17 - floor_log10_of_power_of_two(exponent + 63);
        let high = (u128::from(mantissa) * u128::from((power_of_ten(scale) >> 32) as u64)) >> 64;
        let twice = (high as u64) >> -(exponent + floor_log2_of_power_of_ten(scale) + 2);
        Self::of(twice / 2 + twice % 2, -scale)
    }

    /// Takes `number` × 10^`exponent`.
    fn of(mut number: u64, exponent: i32) -> Self {
        let mut digits = [b'0'; 19];
        let length = number.ilog10() as usize + 1;
        for digit in digits[..length].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        Self { digits, length, point: length as i32 + exponent }
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// Rounds to `length` digits, ties away from zero, and drops zeros at the end.
    fn round(&mut self, length: usize) {
        if length < self.length {
            let up = self.digits[length] >= b'5';
            self.length = length;
            if up {
                self.increment();
            }
        }
        while self.length > 1 && self.digits[self.length - 1] == b'0' {
            self.length -= 1;
        }
    }

    fn increment(&mut self) {
        for index in (0..self.length).rev() {
            if self.digits[index] < b'9' {
                self.digits[index] += 1;
                return;
            }
            self.digits[index] = b'0';
        }
        // All nines: the number is the next power of ten.
        self.digits[0] = b'1';
        self.length = self.length.max(1);
        self.point += 1;
    }

    /// Returns the number that the first `length` digits make, plus `add` in the last of them, as a double.
    fn prefix(&self, length: usize, add: u64) -> Option<f64> {
        let digits =
            self.digits[..length].iter().fold(0, |number, &digit| number * 10 + u64::from(digit - b'0'));
        format!("{}e{}", digits + add, self.point - length as i32).parse().ok()
    }
}

/// Digits after the point of an `R` column.
const DECIMALS: i32 = 3;
/// The maximum number of significant digits of `%.3f`, followed by zeros.
const FIXED_DIGITS: i32 = 16;

/// Appends `real` as SQLite's `%.3f` prints it.
pub(in crate::executor) fn write_fixed(out: &mut Vec<u8>, real: f64) {
    if write_special(out, real) {
        return;
    }
    if real == 0.0 {
        return out.extend_from_slice(b"0.000");
    }
    if real < 0.0 {
        out.push(b'-');
    }
    let mut number = Decimal::new(real.abs());
    let keep = number.point + DECIMALS;
    if keep > 0 {
        number.round(keep.min(FIXED_DIGITS) as usize);
    } else if keep == 0 && number.digits[0] >= b'5' {
        // Rounds up into the last decimal from the one behind it.
        (number.digits[0], number.length, number.point) = (b'1', 1, number.point + 1);
    }
    write_point(out, &number, DECIMALS as usize);
}

/// The significant digits of a REAL as text, before it is shortened.
const GENERAL_DIGITS: usize = 17;

/// Appends `real` as SQLite's text of a REAL: `1.0`, `0.1`, `1.0e+300`.
pub(in crate::executor) fn write_general(out: &mut Vec<u8>, real: f64) {
    if write_special(out, real) {
        return;
    }
    if real == 0.0 {
        return out.extend_from_slice(b"0.0");
    }
    if real < 0.0 {
        out.push(b'-');
    }
    let mut number = Decimal::new(real.abs());
    number.round(shortest(&number, real.abs()));
    let exponent = number.point - 1;
    if !(-4..GENERAL_DIGITS as i32).contains(&exponent) {
        return write_exponent(out, &number, exponent);
    }
    let decimals = (number.length as i32 - number.point).max(1);
    write_point(out, &number, decimals as usize);
}

/// Returns the number of digits that SQLite keeps: fewer than 17 when a run of nines or zeros near the end can be
/// rounded away and the shorter text still reads back as the same double.
fn shortest(number: &Decimal, real: f64) -> usize {
    let digits = &number.digits;
    if digits[14..16] == *b"99" {
        let kept = 14 - digits[..14].iter().rev().take_while(|&&digit| digit == b'9').count();
        let rounded = if kept == 0 {
            number.prefix(1, 10 - u64::from(digits[0] - b'0'))
        } else {
            number.prefix(kept, 1)
        };
        if rounded == Some(real) {
            return kept + 1;
        }
    } else if number.point >= number.length as i32 || digits[13..16] == *b"000" {
        let kept = 13 - digits[..13].iter().rev().take_while(|&&digit| digit == b'0').count();
        if number.prefix(kept, 0) == Some(real) {
            return kept + 1;
        }
    }
    GENERAL_DIGITS
}

fn write_special(out: &mut Vec<u8>, real: f64) -> bool {
    if real.is_finite() {
        return false;
    }
    // SQLite returns NULL for NaN, so this is another engine, and its NaN is not NULL.
    out.extend_from_slice(if real.is_nan() {
        b"NaN"
    } else if real > 0.0 {
        b"Inf"
    } else {
        b"-Inf"
    });
    true
}

fn write_point(out: &mut Vec<u8>, number: &Decimal, decimals: usize) {
    let digit = |place: i32| match usize::try_from(place) {
        Ok(index) => number.digits().get(index).copied().unwrap_or(b'0'),
        Err(_) => b'0',
    };
    if number.point <= 0 {
        out.push(b'0');
    }
    out.extend((0..number.point).map(digit));
    out.push(b'.');
    out.extend((number.point..number.point + decimals as i32).map(digit));
}

fn write_exponent(out: &mut Vec<u8>, number: &Decimal, exponent: i32) {
    let digits = number.digits();
    out.push(digits[0]);
    out.push(b'.');
    out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
}

/// SQLite adds no digit to a significand from here on, which keeps it in 64 bits.
const SIGNIFICAND_LIMIT: u64 = (u64::MAX - 9) / 10;

/// An exponent beyond it makes every number 0 or infinite.
const EXPONENT_LIMIT: i64 = 10_000;

fn skip_space(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r'));
    &text[start.unwrap_or(text.len())..]
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn sign(text: &[u8]) -> usize {
    usize::from(matches!(text.first(), Some(b'+' | b'-')))
}

/// Parses the integer at the beginning of `text`, or returns 0; numbers beyond 64 bits are capped.
pub(in crate::executor) fn leading_integer(text: &[u8]) -> i64 {
    integer(skip_space(text))
}

fn integer(text: &[u8]) -> i64 {
    let start = sign(text);
    let negative = text.first() == Some(&b'-');
    text[start..start + digits(&text[start..])].iter().fold(0_i64, |number, &digit| {
        let digit = i64::from(digit - b'0');
        let shifted = number.saturating_mul(10);
        if negative { shifted.saturating_sub(digit) } else { shifted.saturating_add(digit) }
    })
}

/// Returns the number that `text` begins with, or 0. Like SQLite (`sqlite3AtoF`), it
/// reads about 19 significant digits and ignores those behind them, so a long
/// text can be one unit in the last place away from the nearest double.
pub(in crate::executor) fn leading_real(text: &[u8]) -> f64 {
    let text = skip_space(text);
    let start = sign(text);
    let whole = &text[start..start + digits(&text[start..])];
    let mut rest = &text[start + whole.len()..];
    let mut fraction: &[u8] = b"";
    if let Some(behind_point) = rest.strip_prefix(b".") {
        fraction = &behind_point[..digits(behind_point)];
        rest = &behind_point[fraction.len()..];
    }
    let mut exponent = 0;
    if let [b'e' | b'E', behind_e @ ..] = rest {
        exponent = integer(behind_e).clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT);
    }

    let mut significand = 0_u64;
    for (index, &digit) in whole.iter().chain(fraction).enumerate() {
        if significand < SIGNIFICAND_LIMIT {
            significand = significand * 10 + u64::from(digit - b'0');
            exponent -= i64::from(index >= whole.len());
        } else {
            exponent += i64::from(index < whole.len());
        }
    }
    let real: f64 = format!("{significand}e{exponent}").parse().unwrap_or(0.0);
    if text.first() == Some(&b'-') { -real } else { real }
}
