//! An engine that obeys its SQL text: slow, failing, hanging and crashing on demand.
//!
//! It replaces a real engine, which does not misbehave on demand. Each line of the text is one order:
//!
//! | order | effect |
//! |---|---|
//! | `ok` | a statement without a result |
//! | `rows 1 NULL x / 2 2.5 y` | a result; `/` ends a row, and words can be `NULL`, integers, real numbers and text |
//! | `columns N` | a result of N columns and no rows |
//! | `ragged` | a result whose second row is too short: an adapter's mistake |
//! | `error TEXT` | a SQL error |
//! | `rows 1 / 2 then error TEXT` | a SQL error amid the rows |
//! | `unsupported TEXT` | an honest refusal |
//! | `lost TEXT` | the connection is gone |
//! | `sleep MILLISECONDS` | time passes |
//! | `hang` | never returns |
//! | `panic TEXT` | a panic |
//! | `abort` | the process dies by SIGABRT |
//! | `exit CODE` | the process ends as if all were well |
//! | `overflow` | the stack overflows |
//! | `print TEXT` | a line on standard output, with the byte in front that frames a worker's messages |
//! | `complain TEXT` | a line on standard error |
//! | `eat` | memory, without end |
//! | `keep MEBIBYTES` | memory that is never given back |
//! | `spin` | never returns, and keeps the processor busy |
//! | `deaf` | from now on SIGTERM is ignored |
//! | `child SECONDS` | a process that outlives this one, and holds its standard output |
//! | `daemon SECONDS` | the same, in a session of its own and without an environment |
//! | `doze MILLISECONDS` | time passes, unless the engine is interrupted |
//! | `await FILE` | returns when the file exists |
//! | `once FILE ORDER` | the order, unless the file exists, which is made: a fault that goes away |
//! | `do FILE` | the orders in the file: an engine whose code is not in its tests |
//! | `SELECT ORDER` | the order, for programs that parse the SQL |
//! | `in VARIANT ORDER` | the order, in that variant of the engine only (`scripted:VARIANT`) |
//!
//! Anything else is a SQL error, so that a mistake in a test cannot pass for an effect.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slt_core::engine::{
    Capability, Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Flow, Interrupter,
    RowSink, Session, SingleSession, SqlError, utf8,
};
use slt_core::value::{Column, ValueRef};

/// The scripted engine.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    /// The variant.
    pub variant: Option<String>,
}

impl Engine for Scripted {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId { variant: self.variant.clone(), ..EngineId::new("scripted", env!("CARGO_PKG_VERSION")) })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(ScriptedDatabase { default: SingleSession::new(self.session()), engine: self.clone() }))
    }

    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(vec![Capability::SeveralStatements, Capability::Cancel, Capability::Concurrent])
    }
}

impl Scripted {
    fn session(&self) -> ScriptedSession {
        ScriptedSession { variant: self.variant.clone(), interrupted: Arc::default() }
    }
}

/// Has one session, and one for each iteration of a concurrent loop.
struct ScriptedDatabase {
    engine: Scripted,
    default: SingleSession<ScriptedSession>,
}

impl Database for ScriptedDatabase {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        self.default.connect(name, user)
    }

    fn connect_concurrent(&mut self, _: &str) -> Result<Box<dyn Session + Send>, DatabaseError> {
        Ok(Box::new(self.engine.session()))
    }
}

struct ScriptedSession {
    variant: Option<String>,
    /// Set by an interrupter, and taken back by the order that it ends.
    interrupted: Arc<AtomicBool>,
}

impl Session for ScriptedSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        for order in utf8(sql)?.lines().map(str::trim).filter(|order| !order.is_empty()) {
            let order = order.strip_prefix("SELECT ").unwrap_or(order);
            let order = match order.strip_prefix("in ").and_then(|rest| rest.split_once(' ')) {
                Some((variant, order)) if self.variant.as_deref() == Some(variant) => order,
                Some(_) => continue,
                None => order,
            };
            let flow = match order.strip_prefix("doze ") {
                Some(time) => self.doze(number(time)?)?,
                None => obey(order, rows)?,
            };
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let interrupted = Arc::clone(&self.interrupted);
        Some(Box::new(move || interrupted.store(true, Ordering::Release)))
    }
}

impl ScriptedSession {
    fn doze(&self, milliseconds: u64) -> Result<Flow, ExecuteError> {
        self.interrupted.store(false, Ordering::Release);
        for _ in 0..milliseconds {
            pause(Duration::from_millis(1));
            if self.interrupted.load(Ordering::Acquire) {
                return Err(ExecuteError::Sql(SqlError::new("interrupted")));
            }
        }
        Ok(Flow::Continue)
    }
}

fn obey(order: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
    let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
    match word {
        "ok" => Ok(end(rows.columns(&[]), rows)),
        "rows" => give_rows(rest, rows),
        "columns" => Ok(end(rows.columns(&vec![Column::UNKNOWN; number(rest)? as usize]), rows)),
        "ragged" => {
            if rows.columns(&[Column::UNKNOWN; 2]) == Flow::Stop {
                return Ok(Flow::Stop);
            }
            rows.row(&[ValueRef::Integer(1); 2]);
            rows.row(&[ValueRef::Integer(1)]);
            Ok(rows.done(None))
        }
        "error" => Err(ExecuteError::Sql(SqlError::new(rest))),
        "unsupported" => Err(ExecuteError::Unsupported(rest.to_owned())),
        "lost" => Err(ExecuteError::Lost(EngineError::new(rest))),
        "sleep" => {
            pause(Duration::from_millis(number(rest)?));
            Ok(Flow::Continue)
        }
        "hang" => loop {
            pause(Duration::from_secs(3600));
        },
        "eat" => eat(),
        "keep" => {
            std::mem::forget(std::hint::black_box(vec![1_u8; (number(rest)? << 20) as usize]));
            Ok(Flow::Continue)
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        "deaf" => turn_deaf().map(|()| Flow::Continue),
        "child" => start_child("sleep", &[rest]).map(|()| Flow::Continue),
        "daemon" => start_child("setsid", &["--fork", "env", "-i", "sleep", rest]).map(|()| Flow::Continue),
        "await" => {
            while !std::path::Path::new(rest).exists() {
                pause(Duration::from_millis(1));
            }
            Ok(Flow::Continue)
        }
        "once" => once(rest, rows),
        "do" => read_and_obey(rest, rows),
        "panic" => std::panic::panic_any(rest.to_owned()),
        "abort" => std::process::abort(),
        "exit" => leave(number(rest)?),
        "overflow" => Ok(dive(0)),
        "print" => {
            print(rest);
            Ok(Flow::Continue)
        }
        "complain" => {
            // A closed standard error is not an error.
            writeln!(std::io::stderr(), "{rest}").ok();
            Ok(Flow::Continue)
        }
        _ => Err(ExecuteError::Sql(SqlError::new(format_args!("near \"{word}\": syntax error")))),
    }
}

fn end(flow: Flow, rows: &mut dyn RowSink) -> Flow {
    if flow == Flow::Stop { flow } else { rows.done(None) }
}

fn give_rows(text: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
    let (table, error) = match text.split_once(" then error ") {
        Some((table, error)) => (table, Some(error)),
        None => (text, None),
    };
    let table: Vec<Vec<ValueRef<'_>>> =
        table.split('/').map(|row| row.split_whitespace().map(value).collect()).collect();
    if rows.columns(&vec![Column::UNKNOWN; table[0].len()]) == Flow::Stop {
        return Ok(Flow::Stop);
    }
    if table.iter().any(|row| rows.row(row) == Flow::Stop) {
        return Ok(Flow::Stop);
    }
    match error {
        Some(error) => Err(ExecuteError::Sql(SqlError::new(error))),
        None => Ok(rows.done(None)),
    }
}

fn value(word: &str) -> ValueRef<'_> {
    if word == "NULL" {
        ValueRef::Null
    } else if let Ok(integer) = word.parse() {
        ValueRef::Integer(integer)
    } else if let Ok(real) = word.parse() {
        ValueRef::Real(real)
    } else {
        ValueRef::Text(word.as_bytes())
    }
}

fn number(word: &str) -> Result<u64, ExecuteError> {
    word.trim()
        .parse()
        .map_err(|_| ExecuteError::Sql(SqlError::new(format_args!("expected a number, found `{word}`"))))
}

#[expect(clippy::disallowed_methods, reason = "being slow is this engine's job")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[expect(clippy::disallowed_methods, clippy::exit, reason = "leaving in the midst is this engine's job")]
fn leave(code: u64) -> ! {
    std::process::exit(code as i32)
}

#[expect(clippy::print_stdout, reason = "talking out of turn is this engine's job")]
fn print(text: &str) {
    println!("\x1e{text}");
}

/// Ignores the signal with an empty handler; it stays in place for the life of the process.
fn turn_deaf() -> Result<(), ExecuteError> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let handled = runtime.and_then(|runtime| runtime.block_on(async { signal(SignalKind::terminate()) }));
    handled.map(drop).map_err(|error| ExecuteError::Lost(EngineError::new(error)))
}

fn start_child(program: &str, arguments: &[&str]) -> Result<(), ExecuteError> {
    let child = std::process::Command::new(program).args(arguments).spawn();
    child.map(drop).map_err(|error| ExecuteError::Lost(EngineError::new(error)))
}

/// Allocates memory and writes to it, 16 MiB at a time, with pauses that keep the machine responsive.
fn eat() -> Result<Flow, ExecuteError> {
    let mut eaten = Vec::new();
    loop {
        eaten.push(vec![1_u8; 16 << 20]);
        std::hint::black_box(&eaten);
        pause(Duration::from_millis(5));
    }
}

fn once(words: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
    let (file, order) = words.split_once(' ').unwrap_or((words, "ok"));
    match std::fs::File::create_new(file) {
        Ok(_) => obey(order, rows),
        Err(_) => obey("ok", rows),
    }
}

fn read_and_obey(file: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
    let orders = std::fs::read_to_string(file);
    let orders = orders.map_err(|error| ExecuteError::Sql(SqlError::new(format_args!("{file}: {error}"))))?;
    for order in orders.lines().map(str::trim).filter(|order| !order.is_empty()) {
        if obey(order, rows)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
    }
    Ok(Flow::Continue)
}

/// Calls itself until the stack is used up.
#[expect(unconditional_recursion, reason = "using up the stack is this engine's job")]
fn dive(depth: u64) -> Flow {
    let block = std::hint::black_box([depth; 512]);
    let flow = dive(block[0] + 1);
    std::hint::black_box(block);
    flow
}
