//! Sizes as they are typed: `512M`.

use std::str::FromStr;

/// A number of bytes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct ByteSize(pub(in crate::cli) u64);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let shift =
            match word[digits.len()..].to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
                "" => 0,
                "k" => 10,
                "m" => 20,
                "g" => 30,
                "t" => 40,
                _ => 64,
            };
        let bytes = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(1_u64.checked_shl(shift)?));
        let bytes = bytes.filter(|&bytes| bytes > 0);
        bytes.map(Self).ok_or_else(|| "expected a size like 512M or 2G".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (word, bytes) in
            [("1", 1), ("512M", 512 << 20), ("2g", 2 << 30), ("3KiB", 3072), ("1TB", 1 << 40)]
        {
            assert_eq!(word.parse(), Ok(ByteSize(bytes)), "{word}");
        }
        for wrong in ["", "M", "0", "1.5G", "2X", "99999999T", "-1"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }
}
