//! Decimal digits of integers, by table.

/// The room that [`write_integer`] writes in.
pub(super) const ROOM: usize = 32;

/// The digits of each number below 1,000, with zeros in front, and an LF: their bytes from the lowest one on.
static TRIPLES: [u32; 1000] = {
    let mut triples = [0; 1000];
    let mut number = 0_u32;
    while number < 1000 {
        let digits = [number / 100, number / 10 % 10, number % 10];
        let zeros = 0x0a30_3030;
        triples[number as usize] = zeros + digits[0] + (digits[1] << 8) + (digits[2] << 16);
        number += 1;
    }
    triples
};

/// The lowest three bytes: the digits without the LF.
const DIGITS: u32 = 0x00ff_ffff;

/// Writes the digits of `number` and an LF at the beginning of `slot`; returns the number of digits, with the sign. What
/// stands in the slot behind the LF is of no meaning.
#[inline]
pub(super) fn write_integer(slot: &mut [u8; ROOM], number: i64) -> usize {
    let size = number.unsigned_abs();
    if size >= 1_000_000 {
        return write_long(slot, number);
    }
    let (mut word, mut length) = short(size as u32);
    if number < 0 {
        (word, length) = (word << 8 | u64::from(b'-'), length + 1);
    }
    slot[..8].copy_from_slice(&word.to_le_bytes());
    length
}

/// Returns the digits of a number below a million with an LF behind them, from the lowest byte on, and how many they are.
fn short(number: u32) -> (u64, usize) {
    let (thousands, rest) = (number / 1000, number % 1000);
    if thousands == 0 {
        let (digits, length) = leading(number);
        return (u64::from(digits), length);
    }
    let (digits, length) = leading(thousands);
    let word =
        u64::from(digits & (DIGITS >> (24 - 8 * length))) | u64::from(TRIPLES[rest as usize]) << (8 * length);
    (word, length + 3)
}

/// Returns the digits of a number below 1,000 without zeros in front, with the LF, and how many they are.
fn leading(number: u32) -> (u32, usize) {
    let zeros = usize::from(number < 100) + usize::from(number < 10);
    (TRIPLES[number as usize] >> (8 * zeros), 3 - zeros)
}

fn write_long(slot: &mut [u8; ROOM], number: i64) -> usize {
    // The longest number has 19 digits and a sign.
    let mut text = [b'\n'; 24];
    let (mut rest, mut start) = (number.unsigned_abs(), text.len() - 1);
    while rest >= 1000 {
        start -= 3;
        text[start..start + 3].copy_from_slice(&TRIPLES[(rest % 1000) as usize].to_le_bytes()[..3]);
        rest /= 1000;
    }
    let (digits, length) = leading(rest as u32);
    start -= length;
    text[start..start + length].copy_from_slice(&digits.to_le_bytes()[..length]);
    if number < 0 {
        start -= 1;
        text[start] = b'-';
    }
    let length = text.len() - start;
    slot[..length].copy_from_slice(&text[start..]);
    length - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(number: i64) {
        let mut slot = [b'x'; ROOM];
        let length = write_integer(&mut slot, number);
        assert_eq!(String::from_utf8_lossy(&slot[..=length]), format!("{number}\n"));
    }

    #[test]
    fn numbers_around_powers_of_ten_have_their_digits() {
        for power in 0..19 {
            for number in [10_i64.pow(power) - 1, 10_i64.pow(power), 10_i64.pow(power) + 1] {
                check(number);
                check(-number);
            }
        }
        (-12_000..12_000).for_each(check);
        [i64::MIN, i64::MIN + 1, i64::MAX].into_iter().for_each(check);
    }

    proptest! {
        #[test]
        fn any_number_has_the_digits_of_the_standard_library(number: i64, shift in 0..64_u32) {
            check(number >> shift);
        }
    }
}
