//! A fast hash of many texts, which is the same on every machine and may be stored. It is not meant to resist anybody.

use std::hash::Hasher;

/// The hash of the texts that have been added, in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextHash(u64);

/// Odd numbers of evenly spread bits.
const KEYS: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

impl Default for TextHash {
    /// The hash of no text.
    fn default() -> Self {
        Self(KEYS[2])
    }
}

impl TextHash {
    /// Adds a text. Its length counts, so that different lists of texts differ.
    pub(super) fn add(&mut self, text: &[u8]) {
        let (chunks, rest) = text.as_chunks::<16>();
        chunks.iter().for_each(|chunk| self.add_chunk(chunk));
        if !rest.is_empty() {
            let mut chunk = [0; 16];
            chunk[..rest.len()].copy_from_slice(rest);
            self.add_chunk(&chunk);
        }
        self.add_number(text.len() as u64);
    }

    /// Adds a number.
    pub(super) fn add_number(&mut self, number: u64) {
        self.0 = mix(self.0 ^ KEYS[0], number ^ KEYS[1]);
    }

    /// Returns the hash of everything so far.
    pub(super) fn value(self) -> u64 {
        self.0
    }

    fn add_chunk(&mut self, chunk: &[u8; 16]) {
        let whole = u128::from_le_bytes(*chunk);
        self.0 = mix(whole as u64 ^ KEYS[0], (whole >> 64) as u64 ^ self.0);
    }
}

impl Hasher for TextHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.add(bytes);
    }

    fn write_usize(&mut self, number: usize) {
        self.add_number(number as u64);
    }
}

/// Multiplies, and adds the two halves of the product without a carry.
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hash(texts: &[&[u8]]) -> u64 {
        let mut hash = TextHash::default();
        texts.iter().for_each(|text| hash.add(text));
        hash.value()
    }

    #[test]
    fn different_lists_have_different_hashes() {
        let mut seen = HashSet::from([hash(&[])]);
        for length in 0..40 {
            let text = vec![b'a'; length];
            assert!(seen.insert(hash(&[&text])), "{length}");
            assert!(seen.insert(hash(&[&text, b""])), "{length}");
            for place in 0..length {
                for bit in 0..8 {
                    let mut other = text.clone();
                    other[place] ^= 1 << bit;
                    assert!(seen.insert(hash(&[&other])), "{length}, {place}, {bit}");
                }
            }
        }
        assert!(seen.insert(hash(&[b"ab", b"c"])) && seen.insert(hash(&[b"a", b"bc"])));
    }

    /// It is stored, so it must stay.
    #[test]
    fn the_hash_of_a_text_stays() {
        assert_eq!(hash(&[b"SELECT a, b FROM t WHERE c = 'x  y'", b""]), 0xeda7_4404_de4e_ec17);
    }
}
