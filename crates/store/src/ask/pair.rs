//! Two child processes, one for each engine, and the enforcement of their limits.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::answer::Answer;
use super::compare::AnswerDifference;
use super::error::{AskError, VibeSqlFault};
use super::process::{AskCommand, ChildEvent, ChildProcess};
use super::wire::{AskReply, AskRequest, EngineName, LoadInfo};
use slt_runner::clock;

/// The interval between checks of the limits.
const TICK: Duration = Duration::from_millis(50);
/// A longer interval means that this process was suspended.
const LONGEST_TICK: Duration = Duration::from_millis(500);

/// The limits of a child for one query.
#[derive(Debug, Clone, Copy)]
pub struct AskLimits {
    /// The maximum duration, loading included.
    pub timeout: Duration,
    /// The maximum memory in use, in bytes.
    pub memory: u64,
}

/// The answer of a child.
#[derive(Debug, Default)]
pub(super) struct ChildAnswer {
    pub(super) answer: Answer,
    /// Whether rows were left out.
    pub(super) stopped: bool,
    pub(super) history: LoadInfo,
}

/// Interrupts the current query from another thread.
#[derive(Debug, Clone)]
pub struct Interrupter(Sender<ChildEvent>);

impl Interrupter {
    /// Interrupts the query.
    pub fn interrupt(&self) {
        drop(self.0.send(ChildEvent::Interrupt));
    }
}

/// The children, in the order of [`EngineName::BOTH`].
pub(super) struct ChildPair {
    command: [AskCommand; 2],
    pub(super) limits: AskLimits,
    sender: Sender<ChildEvent>,
    events: Receiver<ChildEvent>,
    children: [Option<ChildProcess>; 2],
    started: u64,
}

impl ChildPair {
    pub(super) fn new(command: [AskCommand; 2], limits: AskLimits) -> Self {
        let (sender, events) = channel();
        Self { command, limits, sender, events, children: [None, None], started: 0 }
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(self.sender.clone())
    }

    /// Discards old events: an interrupt may have been for an earlier query, and a child may have died since.
    pub(super) fn discard_old_events(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            if let ChildEvent::Closed(number) = event
                && let Some(place) = self.place(number)
            {
                self.children[place] = None;
            }
        }
    }

    /// Sends requests to children at the same time, and waits for their answers.
    pub(super) fn put(
        &mut self,
        requests: [Option<&AskRequest>; 2],
        limit: Duration,
    ) -> Result<[Option<Result<ChildAnswer, VibeSqlFault>>; 2], AskError> {
        let mut ends = [None, None];
        let mut parts: [Option<ChildAnswer>; 2] = [None, None];
        for (place, request) in requests.into_iter().enumerate() {
            let Some(request) = request else { continue };
            parts[place] = Some(ChildAnswer::default());
            self.child(place)?.ask(request);
        }
        let mut start = clock::now();
        let mut looked = start;
        while parts.iter().any(Option::is_some) {
            match self.events.recv_timeout(TICK) {
                Ok(ChildEvent::Reply(number, AskReply::NotLoaded(error))) if self.place(number).is_some() => {
                    self.children = [None, None];
                    return Err(AskError::Results(error));
                }
                Ok(ChildEvent::Reply(number, reply)) => {
                    if let Some(place) = self.place(number)
                        && let Some(part) = &mut parts[place]
                        && let Some(end) = add_reply(reply, part)
                    {
                        if matches!(end, Err(VibeSqlFault::Panics(_))) {
                            self.children[place] = None;
                        }
                        let width = requests[place].and_then(|request| request.width);
                        ends[place] = Some(end.and_then(|answer| checked(answer, width)));
                        parts[place] = None;
                    }
                }
                Ok(ChildEvent::Closed(number)) => {
                    if let Some(place) = self.place(number)
                        && let Some(child) = self.children[place].take()
                        && parts[place].take().is_some()
                    {
                        ends[place] = Some(Err(VibeSqlFault::Dies(child.wait())));
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
            // This process was suspended; the limits exclude that time.
            start += Some(now.saturating_sub(looked)).filter(|gap| *gap > LONGEST_TICK).unwrap_or_default();
            looked = now;
            for place in 0..parts.len() {
                if parts[place].is_some()
                    && let Some(kind) = self.over_limit(place, now.saturating_sub(start), limit)
                {
                    self.children[place] = None;
                    ends[place] = Some(Err(kind));
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
fn checked(found: ChildAnswer, width: Option<usize>) -> Result<ChildAnswer, VibeSqlFault> {
    let Answer { columns, rows } = &found.answer;
    let width = if columns.is_empty() { width.unwrap_or_default() } else { columns.len() };
    match rows.iter().find(|row| row.is_empty() || row.len() != width) {
        Some(row) => {
            let difference = AnswerDifference::Columns { sqlite: width, vibesql: row.len() };
            Err(VibeSqlFault::Differs(difference))
        }
        None => Ok(found),
    }
}

/// Adds a reply to the child's answer; returns the result with the last reply.
fn add_reply(reply: AskReply, part: &mut ChildAnswer) -> Option<Result<ChildAnswer, VibeSqlFault>> {
    match reply {
        AskReply::Loaded(history) => part.history = history,
        AskReply::Columns(names) => part.answer.columns = names,
        AskReply::Rows(rows) => part.answer.rows.extend(rows),
        AskReply::Done { stopped } => return Some(Ok(ChildAnswer { stopped, ..std::mem::take(part) })),
        AskReply::Refused(message) => return Some(Err(VibeSqlFault::Refuses(message))),
        AskReply::Panicked(message) => return Some(Err(VibeSqlFault::Panics(message))),
        // The caller ends the query.
        AskReply::NotLoaded(_) => {}
    }
    None
}
