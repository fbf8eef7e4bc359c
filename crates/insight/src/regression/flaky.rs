//! Which files, and which records, end one time so and another time otherwise, though nothing has changed.
//!
//! Two results tell of flakiness if they are of one *state*: the same commit without changes, the same engine, the same
//! build. Between two states a change is a regression, or a fix. What the state was is the caller's to say; a state of
//! which not all is known is no other's.

use std::collections::HashMap;

/// A result of a file, or of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'h> {
    /// The state, by whatever name.
    pub state: &'h str,
    /// Whether it was good.
    pub good: bool,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// It ends one time so and another time otherwise.
    Flaky,
    /// It does not pass.
    Broken,
    /// It passes.
    Healthy,
}

/// What the results of something tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Steadiness<'h> {
    /// How it stands.
    pub health: Health,
    /// The results that have another of the same state.
    pub repeated: u64,
    /// Those of them that deviate: they are the fewer of their state.
    pub deviating: u64,
    /// In how many states there were both.
    pub mixed: u64,
    /// Changes between states, the oldest first, of something that has one result in each.
    pub turns: Vec<Turn<'h>>,
}

/// A change from one state to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'h> {
    /// The last state before.
    pub from: &'h str,
    /// The first state after.
    pub to: &'h str,
    /// Whether it passes since; else it has regressed.
    pub good: bool,
}

impl Steadiness<'_> {
    /// The share of the repeated results that deviate, between 0 and 1; nothing, if none is repeated.
    pub fn rate(&self) -> Option<f64> {
        (self.repeated > 0).then(|| self.deviating as f64 / self.repeated as f64)
    }

    /// The interval in which the rate is, at 95 %.
    pub fn interval(&self) -> Option<(f64, f64)> {
        (self.repeated > 0).then(|| wilson(self.deviating, self.repeated))
    }
}

/// Results in a row that are less likely than this are no chance.
const CHANCE: f64 = 0.01;

/// Judges results, which come the oldest first; nothing of nothing.
///
/// | states with both results | the last results | health |
/// |---|---|---|
/// | none | good | healthy |
/// | none | bad | broken |
/// | some | good, so many in a row that something flaky would hardly do it | healthy |
/// | some | bad, so many in a row that something flaky would hardly do it | broken |
/// | some | any other | flaky |
///
/// Hardly is less than one time in a hundred, for something that fails as often as this did from the first of the states
/// with both results to the last. Of something that ever had both no turns are told.
pub fn steadiness<'h>(seen: &[Seen<'h>]) -> Option<Steadiness<'h>> {
    let last = seen.last()?.good;
    let mut places = HashMap::<&str, usize>::new();
    let mut states = Vec::<(&str, [u64; 2])>::new();
    for one in seen {
        let place = *places.entry(one.state).or_insert_with(|| {
            states.push((one.state, [0; 2]));
            states.len() - 1
        });
        states[place].1[usize::from(one.good)] += 1;
    }
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
    let turn =
        |pair: &[(&'h str, [u64; 2])]| Turn { from: pair[0].0, to: pair[1].0, good: pair[1].1[0] == 0 };
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
    Some(Steadiness { health, repeated, deviating, mixed: mixed().count() as u64, turns })
}

/// The interval of Wilson, at 95 %, of a share of which so many of all were seen.
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
    fn check(results: &str) -> Steadiness<'static> {
        const STATES: [&str; 26] = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
            "t", "u", "v", "w", "x", "y", "z",
        ];
        let seen = |letter: u8| Seen {
            state: STATES[usize::from(letter.to_ascii_lowercase() - b'a')],
            good: letter.is_ascii_uppercase(),
        };
        let seen: Vec<_> = results.bytes().map(seen).collect();
        steadiness(&seen).unwrap()
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
        let steadiness = check("AAAAAAAAAaBCc");
        assert_eq!((steadiness.repeated, steadiness.deviating, steadiness.mixed), (12, 2, 2));
        let (low, high) = steadiness.interval().unwrap();
        assert!((low - 0.047).abs() < 0.001 && (high - 0.448).abs() < 0.001, "{low} {high}");
        assert_eq!(check("AbC").rate(), None);
        assert_eq!(wilson(0, 10).0, 0.0);
        assert!((wilson(10, 10).1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn between_states_it_is_a_turn() {
        let turns = check("AABBccd").turns;
        assert_eq!(turns, [Turn { from: "b", to: "c", good: false }]);
        assert_eq!(check("AABBccdD").turns, []);
        assert_eq!(check("abC").turns, [Turn { from: "b", to: "c", good: true }]);
    }
}
