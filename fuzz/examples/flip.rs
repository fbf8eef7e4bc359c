//! Flips bytes in copies of real test files and holds the parser against its laws.
//!
//! `flip DIRECTORY SEED SECONDS` reads every `.test` file below the directory. A round flips a few bytes of a
//! file in memory and checks what comes out; the same seed makes the same rounds, and whatever breaks a law is
//! written to a file in the working directory, for the `parser` target to run on and to minimise.

use std::error::Error;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vibesql_sqllogictest_fuzz::text;

/// The most that is checked at once. Of a longer file a window is cut, so that long files do not take all time.
const WINDOW: u64 = 256 * 1024;

/// The most bytes flipped in a round.
const MOST_FLIPS: u64 = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, seed, seconds] = arguments.as_slice() else {
        return Err("usage: flip DIRECTORY SEED SECONDS".into());
    };
    let (mut random, limit) = (Random(seed.parse()?), Duration::from_secs(seconds.parse()?));
    let files = read_all(Path::new(directory))?;
    if files.is_empty() {
        return Err(format!("no `.test` file that is not empty below `{directory}`").into());
    }
    for (path, bytes) in &files {
        check(bytes, &format!("{} as it is", path.display()))?;
    }
    let (started, mut rounds, mut checked) = (now(), 0_u64, 0_u64);
    while started.elapsed() < limit {
        let (path, bytes) = &files[random.below(files.len() as u64) as usize];
        let flipped = flip(bytes, &mut random);
        check(&flipped, &format!("{}, round {rounds} of seed {seed}", path.display()))?;
        (rounds, checked) = (rounds + 1, checked + flipped.len() as u64);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} files whole, then {rounds} rounds, {} MiB in {seconds:.1} s ({:.0} rounds/s): no law broken",
        files.len(),
        checked >> 20,
        rounds as f64 / seconds
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "only how long to go on depends on it, never what is checked")]
fn now() -> Instant {
    Instant::now()
}

/// Checks `bytes`, and keeps them when a law is broken.
fn check(bytes: &[u8], shown: &str) -> Result<(), Box<dyn Error>> {
    if catch_unwind(|| text::check(bytes)).is_ok() {
        return Ok(());
    }
    let kept = "flip-finding.test";
    std::fs::write(kept, bytes)?;
    Err(format!("{shown} breaks a law; the bytes are in `{kept}`").into())
}

/// Copies a window of `bytes` and changes a few bytes in it, half of them by one bit only.
fn flip(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let length = bytes.len() as u64;
    let start = random.below(length.saturating_sub(WINDOW) + 1);
    let end = length.min(start + WINDOW);
    let mut copy = bytes[start as usize..end as usize].to_vec();
    for _ in 0..=random.below(MOST_FLIPS) {
        let at = random.below(end - start) as usize;
        let change = if random.below(2) == 0 { 1 << random.below(8) } else { 1 + random.below(255) as u8 };
        copy[at] ^= change;
    }
    copy
}

/// Paths and bytes.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// The files that have any bytes, in the order of their paths, which a seed relies on.
fn read_all(directory: &Path) -> Result<Files, Box<dyn Error>> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "test") {
                let bytes = std::fs::read(&path)?;
                files.push((path, bytes));
            }
        }
    }
    files.retain(|(_, bytes)| !bytes.is_empty());
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

/// SplitMix64: deterministic, and random enough to pick bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
