//! Two children, one for each engine, and the limits that they are held to.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::answer::Answer;
use super::asker::{AskError, VibeSqlFault};
use super::compare::AnswerDifference;
use super::process::{AskCommand, ChildEvent, ChildProcess};
use super::wire::{AskReply, AskRequest, EngineName};
use slt_runner::clock;

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(50);
/// A look that comes later was kept from coming.
const LONGEST_TICK: Duration = Duration::from_millis(500);

/// The limits of a child for one query.
#[derive(Debug, Clone, Copy)]
pub struct AskLimits {
    /// How long it may take, loading included.
    pub timeout: Duration,
    /// How much memory it may have in use, in bytes.
    pub memory: u64,
}

/// The end of a query to one child.
#[derive(Debug)]
pub(super) enum QueryEnd {
    Answered { answer: Answer, stopped: bool, told: LoadInfo },
    NotLoaded(String),
    Failed(VibeSqlFault),
}

/// The loaded history, as reported by a child.
#[derive(Debug, Default)]
pub(super) struct LoadInfo {
    pub(super) runs: usize,
    pub(super) loaded: usize,
    pub(super) notes: Vec<String>,
    pub(super) damaged: bool,
}

/// Stops the question that is being asked, from another thread.
#[derive(Debug, Clone)]
pub struct Interrupter(Sender<ChildEvent>);

impl Interrupter {
    /// Stops it.
    pub fn interrupt(&self) {
        drop(self.0.send(ChildEvent::Interrupt));
    }
}

/// The children, in the order of [`EngineName::BOTH`].
pub(super) struct ChildPair {
    command: [AskCommand; 2],
    pub(super) limits: AskLimits,
    sender: Sender<ChildEvent>,
    heard: Receiver<ChildEvent>,
    children: [Option<ChildProcess>; 2],
    started: u64,
}

impl ChildPair {
    pub(super) fn new(command: [AskCommand; 2], limits: AskLimits) -> Self {
        let (sender, heard) = channel();
        Self { command, limits, sender, heard, children: [None, None], started: 0 }
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(self.sender.clone())
    }

    /// An interrupt may have been for an earlier question, and a child may have died since.
    pub(super) fn forget_what_came_too_late(&mut self) {
        while let Ok(heard) = self.heard.try_recv() {
            if let ChildEvent::Silent(number) = heard
                && let Some(place) = self.place(number)
            {
                self.children[place] = None;
            }
        }
    }

    /// Sends requests to children at the same time, and waits for their ends.
    pub(super) fn put(
        &mut self,
        requests: [Option<&AskRequest>; 2],
        limit: Duration,
    ) -> Result<[Option<QueryEnd>; 2], AskError> {
        let mut ends = [None, None];
        let mut parts: [Option<(Answer, LoadInfo)>; 2] = [None, None];
        for (place, request) in requests.into_iter().enumerate() {
            let Some(request) = request else { continue };
            parts[place] = Some(Default::default());
            self.child(place)?.ask(request);
        }
        let mut start = clock::now();
        let mut looked = start;
        while parts.iter().any(Option::is_some) {
            match self.heard.recv_timeout(TICK) {
                Ok(ChildEvent::Said(number, reply)) => {
                    if let Some(place) = self.place(number)
                        && let Some(part) = &mut parts[place]
                        && let Some(end) = hear(reply, part)
                    {
                        if matches!(end, QueryEnd::Failed(VibeSqlFault::Panics(_))) {
                            self.children[place] = None;
                        }
                        let width = requests[place].and_then(|request| request.width);
                        ends[place] = Some(checked(end, width));
                        parts[place] = None;
                    }
                }
                Ok(ChildEvent::Silent(number)) => {
                    if let Some(place) = self.place(number)
                        && let Some(child) = self.children[place].take()
                        && parts[place].take().is_some()
                    {
                        ends[place] = Some(QueryEnd::Failed(VibeSqlFault::Dies(child.fate())));
                    }
                }
                Ok(ChildEvent::Interrupt) => {
                    self.children = [None, None];
                    return Err(AskError::Interrupted);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            let now = clock::now();
            if now.saturating_sub(looked) < TICK {
                continue;
            }
            // This process was stopped meanwhile; the limits exclude that time.
            start += Some(now.saturating_sub(looked)).filter(|gap| *gap > LONGEST_TICK).unwrap_or_default();
            looked = now;
            for place in 0..parts.len() {
                if parts[place].is_some()
                    && let Some(kind) = self.over_limit(place, now.saturating_sub(start), limit)
                {
                    self.children[place] = None;
                    ends[place] = Some(QueryEnd::Failed(kind));
                    parts[place] = None;
                }
            }
        }
        Ok(ends)
    }

    fn over_limit(&self, place: usize, taken: Duration, limit: Duration) -> Option<VibeSqlFault> {
        let memory = self.children[place].as_ref().and_then(ChildProcess::memory).unwrap_or(0);
        if memory > self.limits.memory {
            Some(VibeSqlFault::OutOfMemory(self.limits.memory))
        } else {
            (taken > limit).then_some(VibeSqlFault::TimesOut(limit))
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.children.iter().position(|child| child.as_ref().is_some_and(|child| child.number == number))
    }

    /// Returns the child at this index, after starting it if necessary.
    fn child(&mut self, place: usize) -> Result<&mut ChildProcess, AskError> {
        if self.children[place].is_none() {
            self.started += 1;
            let (command, engine) = (&self.command[place], EngineName::BOTH[place]);
            let child = ChildProcess::start(command, engine, self.started, self.sender.clone());
            self.children[place] = Some(child.map_err(AskError::Start)?);
        }
        self.children[place].as_mut().ok_or_else(|| AskError::Start(io::ErrorKind::NotFound.into()))
    }
}

/// Fails an engine whose rows do not have the width of the header, or no column at all.
fn checked(end: QueryEnd, width: Option<usize>) -> QueryEnd {
    let QueryEnd::Answered { answer, .. } = &end else { return end };
    let width = match answer.columns.len() {
        0 => width.unwrap_or_default(),
        named => named,
    };
    match answer.rows.iter().find(|row| row.is_empty() || row.len() != width) {
        Some(row) => QueryEnd::Failed(VibeSqlFault::Differs(AnswerDifference::Columns {
            sqlite: width,
            vibesql: row.len(),
        })),
        None => end,
    }
}

/// Adds a reply to the child's answer; returns its end with the last reply.
fn hear(reply: AskReply, part: &mut (Answer, LoadInfo)) -> Option<QueryEnd> {
    let (answer, told) = part;
    Some(match reply {
        AskReply::Loaded { runs, loaded, notes, damaged } => {
            (told.runs, told.loaded) = (runs, loaded);
            told.notes.extend(notes);
            told.damaged |= damaged;
            return None;
        }
        AskReply::Columns(names) => {
            answer.columns = names;
            return None;
        }
        AskReply::Rows(rows) => {
            answer.rows.extend(rows);
            return None;
        }
        AskReply::Done { stopped } => {
            let (answer, told) = (std::mem::take(answer), std::mem::take(told));
            QueryEnd::Answered { answer, stopped, told }
        }
        AskReply::Refused(message) => QueryEnd::Failed(VibeSqlFault::Refuses(message)),
        AskReply::NotLoaded(why) => QueryEnd::NotLoaded(why),
        AskReply::Panicked(words) => QueryEnd::Failed(VibeSqlFault::Panics(words)),
    })
}
