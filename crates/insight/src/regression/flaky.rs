//! Detects flaky files and records: their results differ between runs of the same code.
//!
//! Two results show flakiness if they have the same *state*: the same commit without changes, the same engine, the same
//! build. Between two states a change is a regression or a fix. The caller determines the state; an incompletely known
//! state equals no other.

use indexmap::IndexMap;

/// A result of a file, or of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateResult<'h> {
    /// The state, under any name.
    pub state: &'h str,
    /// Whether it was good.
    pub good: bool,
}

/// The health of a file or record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// Its results differ without a change.
    Flaky,
    /// It does not pass.
    Broken,
    /// It passes.
    Healthy,
}

/// The judgement of a series of results.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability<'h> {
    /// The health.
    pub health: Health,
    /// The number of results with another result of the same state.
    pub repeated: u64,
    /// The number of deviating results: the minority in their state.
    pub deviating: u64,
    /// The number of states with both results.
    pub mixed: u64,
    /// Changes between states, the oldest first, if each state has one result.
    pub turns: Vec<StateChange<'h>>,
}

/// A change from one state to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange<'h> {
    /// The last state before.
    pub from: &'h str,
    /// The first state after.
    pub to: &'h str,
    /// Whether it passes since then; otherwise it has regressed.
    pub good: bool,
}

impl Stability<'_> {
    /// Returns the share of repeated results that deviate, between 0 and 1; `None` without repeated results.
    pub fn rate(&self) -> Option<f64> {
        (self.repeated > 0).then(|| self.deviating as f64 / self.repeated as f64)
    }

    /// Returns the 95 % confidence interval of the rate.
    pub fn interval(&self) -> Option<(f64, f64)> {
        (self.repeated > 0).then(|| wilson(self.deviating, self.repeated))
    }
}

/// A series less likely than this is not chance.
const CHANCE: f64 = 0.01;

/// Judges results, given the oldest first; `None` without results.
///
/// | states with both results | the last results | health |
/// |---|---|---|
/// | none | good | healthy |
/// | none | bad | broken |
/// | some | good, in a row too long for chance | healthy |
/// | some | bad, in a row too long for chance | broken |
/// | some | any other | flaky |
///
/// A row is too long for chance if its probability is under one in a hundred, given the failure rate between the first
/// and the last state with both results. Turns are reported only if no state has both results.
pub fn stability<'h>(seen: &[StateResult<'h>]) -> Option<Stability<'h>> {
    let last = seen.last()?.good;
    let mut states = IndexMap::<&str, [u64; 2]>::new();
    for one in seen {
        states.entry(one.state).or_default()[usize::from(one.good)] += 1;
    }
    let states: Vec<_> = states.into_iter().collect();
    let counts = || states.iter().map(|(_, counts)| *counts);
    let mixed = || counts().filter(|[bad, good]| *bad > 0 && *good > 0);
    let repeated = counts().map(|[bad, good]| bad + good).filter(|&count| count > 1).sum();
    let deviating = mixed().map(|[bad, good]| bad.min(good)).sum();
    let is_mixed = |(_, [bad, good]): &(&str, [u64; 2])| *bad > 0 && *good > 0;
    let (first, end) = (states.iter().position(is_mixed), states.iter().rposition(is_mixed));
    let span = first.zip(end).map_or(&[][..], |(first, end)| &states[first..=end]);
    let (bad, all) =
        span.iter().fold((0, 0), |(bad, all), (_, [more, good])| (bad + more, all + more + good));
    let steady = if span.is_empty() { states.as_slice() } else { &[] };
    let turns = steady.windows(2).filter(|pair| (pair[0].1[0] == 0) != (pair[1].1[0] == 0));
    let turn = |pair: &[(&'h str, [u64; 2])]| StateChange {
        from: pair[0].0,
        to: pair[1].0,
        good: pair[1].1[0] == 0,
    };
    let turns = turns.map(turn).collect();
    let in_a_row = seen.iter().rev().take_while(|one| one.good == last).count();
    let is_steady = all == 0 || {
        let share = bad as f64 / all as f64;
        let same = if last { 1.0 - share } else { share };
        same.powf(in_a_row as f64) < CHANCE
    };
    let health = match (is_steady, last) {
        (false, _) => Health::Flaky,
        (true, true) => Health::Healthy,
        (true, false) => Health::Broken,
    };
    Some(Stability { health, repeated, deviating, mixed: mixed().count() as u64, turns })
}

/// Returns the Wilson interval, at 95 %, for `some` successes of `all`.
pub fn wilson(some: u64, all: u64) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    let (share, all) = (some as f64 / all as f64, all as f64);
    let middle = share + Z * Z / (2.0 * all);
    let spread = Z * (share * (1.0 - share) / all + Z * Z / (4.0 * all * all)).sqrt();
    let scale = 1.0 + Z * Z / all;
    (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results as letters: a state, in capitals if it was good.
    fn check(results: &str) -> Stability<'static> {
        const STATES: [&str; 26] = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
            "t", "u", "v", "w", "x", "y", "z",
        ];
        let seen = |letter: u8| StateResult {
            state: STATES[usize::from(letter.to_ascii_lowercase() - b'a')],
            good: letter.is_ascii_uppercase(),
        };
        let seen: Vec<_> = results.bytes().map(seen).collect();
        stability(&seen).unwrap()
    }

    #[test]
    fn health() {
        let health = |results| check(results).health;
        assert_eq!(health("A"), Health::Healthy);
        assert_eq!(health("a"), Health::Broken);
        assert_eq!(health("AaA"), Health::Flaky);
        assert_eq!(health("ABCdef"), Health::Broken, "that is a regression");
        assert_eq!(health("AaBb"), Health::Flaky);
        assert_eq!(health("AaBBBBBB"), Health::Flaky, "that can be chance");
        assert_eq!(health("AaBBBBBBB"), Health::Healthy);
        assert_eq!(health("Aabcdefg"), Health::Broken);
        // A state that comes back is the same one.
        assert_eq!(health("ABa"), Health::Flaky);
    }

    #[test]
    fn rates() {
        let stability = check("AAAAAAAAAaBCc");
        assert_eq!((stability.repeated, stability.deviating, stability.mixed), (12, 2, 2));
        let (low, high) = stability.interval().unwrap();
        assert!((low - 0.047).abs() < 0.001 && (high - 0.448).abs() < 0.001, "{low} {high}");
        assert_eq!(check("AbC").rate(), None);
        assert_eq!(wilson(0, 10).0, 0.0);
        assert!((wilson(10, 10).1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn between_states_it_is_a_turn() {
        let turns = check("AABBccd").turns;
        assert_eq!(turns, [StateChange { from: "b", to: "c", good: false }]);
        assert_eq!(check("AABBccdD").turns, []);
        assert_eq!(check("abC").turns, [StateChange { from: "b", to: "c", good: true }]);
    }
}
