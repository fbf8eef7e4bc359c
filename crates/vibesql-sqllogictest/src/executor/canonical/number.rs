//! Numbers as SQLite reads and prints them, which is neither C's way nor Rust's.
//!
//! SQLite decodes a double into 18 or 19 significant digits and rounds those, ties away from zero, so a number
//! may be rounded twice; what it prints has at most 16 digits that count (`%.3f`), or 17 of which it drops those
//! that a shorter text makes up for (text of a REAL). Source: the behaviour of SQLite 3.54; the tests compare
//! with the SQLite that this crate bundles. Outside of 1e-9 to 1e18 SQLite scales by powers of ten that are
//! themselves rounded; there the last digit that it prints may, rarely, be another one here.

/// A positive, finite double as decimal digits: 0.d₁d₂d₃… × 10^point.
struct Decimal {
    digits: [u8; 19],
    length: usize,
    point: i32,
}

impl Decimal {
    fn new(real: f64) -> Self {
        // SQLite scales by a power of ten that fits the power of two below the number: where a power of ten
        // lies between the two, there is one digit more than 18.
        let text = format!("{real:.17e}");
        let (_, exponent) = parts(&text);
        let power_of_two = floor_log2(real);
        if exponent > (power_of_two * 78_913) >> 18 {
            Self::from_parts(parts(&format!("{real:.18e}")))
        } else {
            Self::from_parts((parts(&text).0, exponent))
        }
    }

    /// Takes `d.ddd` and the exponent that goes with it.
    fn from_parts((mantissa, exponent): (&str, i32)) -> Self {
        let mut digits = [b'0'; 19];
        let mut length = 0;
        for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
            digits[length] = digit;
            length += 1;
        }
        Self { digits, length, point: exponent + 1 }
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

    /// The number that the first `length` digits make, plus `add` in the last of them, as a double.
    fn prefix(&self, length: usize, add: u64) -> Option<f64> {
        let digits =
            self.digits[..length].iter().fold(0, |number, &digit| number * 10 + u64::from(digit - b'0'));
        format!("{}e{}", digits + add, self.point - length as i32).parse().ok()
    }
}

/// Takes `d.ddde-5` apart.
fn parts(text: &str) -> (&str, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

/// The exponent of the greatest power of two that is not above a positive double.
fn floor_log2(real: f64) -> i32 {
    let bits = real.to_bits();
    match (bits >> 52) as i32 {
        0 => -1011 - bits.leading_zeros() as i32,
        exponent => exponent - 1023,
    }
}

/// Digits behind the point of an `R` column.
const DECIMALS: i32 = 3;
/// `%.3f` gives at most so many significant digits, then zeros.
const FIXED_DIGITS: i32 = 16;

/// Appends `real` as SQLite's `%.3f` prints it.
pub(super) fn write_fixed(out: &mut Vec<u8>, real: f64) {
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
pub(super) fn write_general(out: &mut Vec<u8>, real: f64) {
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

/// How many digits SQLite keeps: fewer than 17 when a run of nines or zeros near the end can be rounded away
/// and the shorter text still reads back as the same double.
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
    // SQLite has no NaN, it is NULL there.
    out.extend_from_slice(if real.is_nan() {
        b"NULL"
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

/// The integer that `text` begins with, or 0; beyond 64 bits the nearest that there is.
pub(super) fn leading_integer(text: &[u8]) -> i64 {
    let text = skip_space(text);
    let start = sign(text);
    let negative = text.first() == Some(&b'-');
    text[start..start + digits(&text[start..])].iter().fold(0_i64, |number, &digit| {
        let digit = i64::from(digit - b'0');
        let shifted = number.saturating_mul(10);
        if negative { shifted.saturating_sub(digit) } else { shifted.saturating_add(digit) }
    })
}

/// The number that `text` begins with, or 0.
pub(super) fn leading_real(text: &[u8]) -> f64 {
    let text = skip_space(text);
    let mut end = sign(text);
    let whole = digits(&text[end..]);
    end += whole;
    let mut fraction = 0;
    if text.get(end) == Some(&b'.') {
        fraction = digits(&text[end + 1..]);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0.0;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = sign(&text[end + 1..]);
        let exponent = digits(&text[end + 1 + sign..]);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    std::str::from_utf8(&text[..end]).ok().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}
