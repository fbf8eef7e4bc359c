//! The flight recorder: the current record of a worker, in memory that outlives the worker.
//!
//! A slot is a small file mapped into worker and orchestrator. The worker updates it before and after each record
//! without a system call. After the worker has died, the orchestrator reads the record that was running.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};

use slt_core::outcome::{Counts, RecordId};

pub(super) use self::sharing::{HelpRequest, SlotClaims, WorkerUse};

mod sharing;

/// Item, line and start of the record, the counts of the file, the number of records that run at the same time, the number
/// of allowed claims, and what processes that share a file tell each other.
const WORDS: usize = ALLOWED + 1 + sharing::WORDS;
const RUNNING: usize = 3 + Counts::FIELDS;
const ALLOWED: usize = RUNNING + 1;
const SHARING: usize = ALLOWED + 1;
const BYTES: usize = WORDS * size_of::<AtomicU64>();

/// The interval at which a waiting worker looks whether it may go on.
const LOOK_FOR_TURN: Duration = Duration::from_micros(200);

/// A mapped slot.
#[derive(Debug)]
pub(super) struct Slot {
    map: MmapRaw,
}

/// The contents of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InFlight {
    /// The item, if one is running.
    pub(super) item: Option<usize>,
    /// The running record; `None` between records.
    pub(super) record: Option<RecordId>,
    /// The number of records that run at the same time, in a concurrent loop. The first one of them is named.
    pub(super) running: u64,
    /// The start of the record, by the clock that processes share.
    pub(super) since: Duration,
    /// The counts of the file before the record.
    pub(super) counts: Counts,
}

impl InFlight {
    /// Returns the state of `item`, or `None` if the worker was running another item.
    pub(super) fn of(self, item: usize) -> Self {
        let (since, counts) = (self.since, Counts::default());
        if self.item == Some(item) {
            return self;
        }
        Self { item: Some(item), record: None, running: 0, since, counts }
    }

    /// Adds the included file and the iteration of the running record, which the slot does not have.
    pub(super) fn in_scope(mut self, scope: &RecordId) -> Self {
        self.record = self.record.map(|record| RecordId { line: record.line, ..scope.clone() });
        self
    }
}

impl Slot {
    /// Creates or empties the file of a slot, and maps it.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(BYTES as u64)?;
        Ok(Self { map: MmapOptions::new().len(BYTES).map_raw(&file)? })
    }

    /// Maps an existing slot.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if file.metadata()?.len() != BYTES as u64 {
            return Err(io::Error::other("the slot has another size than this program's"));
        }
        Ok(Self { map: MmapOptions::new().len(BYTES).map_raw(&file)? })
    }

    #[expect(unsafe_code, reason = "shared memory has no safe view in the standard library")]
    fn words(&self) -> &[AtomicU64; WORDS] {
        // SAFETY: the map is BYTES long, which is the size of the array, starts at the start of a page and so is
        // aligned, and lives as long as `self`. All access, in both processes, is through atomics, for which any
        // bits are a value.
        unsafe { &*self.map.as_ptr().cast() }
    }

    fn set(&self, word: usize, value: u64) {
        self.words()[word].store(value, Ordering::Release);
    }

    fn get(&self, word: usize) -> u64 {
        self.words()[word].load(Ordering::Acquire)
    }

    /// Records the start of `item`, before its first record.
    pub(super) fn start_item(&self, item: usize, now: Duration) {
        self.set(1, 0);
        self.set(2, nanoseconds(now));
        self.settle(&Counts::default());
        self.set(0, item as u64 + 1);
    }

    /// Records the start of the record, one of several that are running.
    pub(super) fn start_record(&self, id: &RecordId, start: Duration, running: usize) {
        self.set_running(running);
        self.set(2, nanoseconds(start));
        self.set(1, u64::from(id.line));
    }

    /// Records the number of running records.
    pub(super) fn set_running(&self, running: usize) {
        self.set(RUNNING, running as u64);
    }

    /// Records the end of a record, with the counts of the item including it.
    pub(super) fn end_record(&self, counts: &Counts) {
        self.settle(counts);
        self.set(1, 0);
    }

    fn settle(&self, counts: &Counts) {
        for (index, count) in counts.fields().into_iter().enumerate() {
            self.set(3 + index, count);
        }
    }

    /// Records the end of the item.
    pub(super) fn end_item(&self) {
        self.set(0, 0);
    }

    /// Allows the worker to claim this number of tasks in all. A new slot allows none.
    pub(super) fn allow_claims(&self, claims: u64) {
        self.set(ALLOWED, claims);
    }

    /// Waits until the worker may claim its next task, after this number of claims.
    pub(super) fn wait_for_turn(&self, claims: u64) {
        while self.get(ALLOWED) <= claims {
            std::thread::park_timeout(LOOK_FOR_TURN);
        }
    }

    /// Reads the slot.
    pub(super) fn read(&self) -> InFlight {
        let counts = from_words(std::array::from_fn(|index| self.get(3 + index)));
        let record = u32::try_from(self.get(1)).ok().filter(|&line| line > 0).map(RecordId::at);
        let item = self.get(0).checked_sub(1).map(|item| item as usize);
        InFlight {
            item,
            record,
            running: self.get(RUNNING),
            since: Duration::from_nanos(self.get(2)),
            counts,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn from_words(words: [u64; Counts::FIELDS]) -> Counts {
    let mut counts = Counts::default();
    for (count, word) in counts.fields_mut().into_iter().zip(words) {
        *count = word;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_maps_of_a_slot_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slot");
        let written = Slot::create(&path).unwrap();
        let read = Slot::open(&path).unwrap();
        assert_eq!(read.read().item, None);
        written.start_item(4, Duration::from_secs(1));
        assert_eq!((read.read().item, read.read().record), (Some(4), None));
        written.start_record(&RecordId::at(77), Duration::from_secs(2), 3);
        let words: [u64; Counts::FIELDS] = std::array::from_fn(|index| index as u64 + 1);
        written.settle(&from_words(words));
        let found = read.read();
        assert_eq!(
            (found.item, found.record, found.running, found.since),
            (Some(4), Some(RecordId::at(77)), 3, Duration::from_secs(2))
        );
        assert_eq!(found.counts.fields(), words);
        written.end_record(&found.counts);
        assert_eq!((read.read().item, read.read().record), (Some(4), None));
        assert_eq!(read.read().of(4), read.read());
        assert_eq!((read.read().of(5).record, read.read().of(5).counts), (None, Counts::default()));
        written.end_item();
        assert_eq!(read.read().item, None);
    }

    #[test]
    fn a_file_of_another_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slot");
        std::fs::write(&path, b"short").unwrap();
        assert!(Slot::open(&path).is_err());
    }
}
