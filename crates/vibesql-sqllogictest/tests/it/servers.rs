//! PostgreSQL and MariaDB for tests: real servers on the loopback address, each with a data directory of its own.
//!
//! A script, `server.sh`, keeps each server. It reads commands from a pipe, and when the pipe ends, it kills the server
//! and removes its files. So no server outlives the process of the tests, however that ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// How often a start is tried: a free port may be taken before the server has it.
const STARTS: usize = 5;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    Postgres,
    MariaDb,
}

/// A running server.
pub(crate) struct TestServer {
    kind: ServerKind,
    port: u16,
    password: String,
    folder: PathBuf,
    keeper: Mutex<Keeper>,
}

/// The process of `server.sh`.
struct Keeper {
    child: Child,
    /// `None` once it shall end.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The PostgreSQL server that tests share; `None` if it is not installed. Tests use databases of their own.
pub(crate) fn postgres() -> Option<&'static TestServer> {
    static SERVER: OnceLock<Option<TestServer>> = OnceLock::new();
    SERVER.get_or_init(TestServer::start_postgres).as_ref()
}

/// The MariaDB server that tests share, like [`postgres`].
pub(crate) fn mariadb() -> Option<&'static TestServer> {
    static SERVER: OnceLock<Option<TestServer>> = OnceLock::new();
    SERVER.get_or_init(TestServer::start_mariadb).as_ref()
}

impl ServerKind {
    /// The argument of `server.sh`.
    fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// The programs that it needs, and Debian's package with them.
    fn programs(self) -> ([&'static str; 2], &'static str) {
        match self {
            Self::Postgres => (["initdb", "postgres"], "postgresql"),
            Self::MariaDb => (["mariadb-install-db", "mariadbd"], "mariadb-server"),
        }
    }

    /// The value of PATH with which all its programs are found, if they are installed. The CI on Linux must have
    /// them; elsewhere tests do without.
    fn path(self) -> Option<std::ffi::OsString> {
        let of_tests = crate::sandbox::path_of_tests();
        let folders: Vec<_> = std::env::split_paths(&of_tests)
            .chain(postgres_folders())
            .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
            .collect();
        let (programs, package) = self.programs();
        let is_there = |program: &&str| folders.iter().any(|folder| folder.join(program).is_file());
        let missing = programs.iter().find(|program| !is_there(program));
        if let Some(missing) = missing {
            #[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
            let ci = cfg!(target_os = "linux") && std::env::var_os("CI").is_some();
            let message = format!("no `{missing}`: `apt-get install {package}`");
            assert!(!ci, "{message}");
            #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
            {
                eprintln!("skipped: {message}");
            }
            return None;
        }
        Some(std::env::join_paths(folders).unwrap())
    }
}

/// Where Debian has PostgreSQL's programs, the newest version first.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<_> = versions.map(|entry| entry.unwrap().path()).collect();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions.into_iter().map(|version| version.join("bin")).collect()
}

impl TestServer {
    /// Starts a server that is killed when the value is dropped; `None` if PostgreSQL is not installed.
    pub(crate) fn start_postgres() -> Option<Self> {
        Self::start(ServerKind::Postgres)
    }

    /// Starts a server that is killed when the value is dropped; `None` if MariaDB is not installed.
    pub(crate) fn start_mariadb() -> Option<Self> {
        Self::start(ServerKind::MariaDb)
    }

    fn start(kind: ServerKind) -> Option<Self> {
        let path = kind.path()?;
        let password = random_word();
        let mut keeper = Keeper::start(kind, path, &password);
        let folder = PathBuf::from(keeper.ask("folder"));
        for _ in 0..STARTS {
            let port = free_port();
            if keeper.ask(&format!("start {port}")) == "started" {
                return Some(Self { kind, port, password, folder, keeper: Mutex::new(keeper) });
            }
        }
        panic!("{} does not start:\n{}", kind.word(), log_in(&folder));
    }

    /// The address for `--engine`, without the password.
    pub(crate) fn address(&self) -> String {
        match self.kind {
            ServerKind::Postgres => format!("postgres://tester@127.0.0.1:{}/postgres", self.port),
            ServerKind::MariaDb => format!("mysql://tester@127.0.0.1:{}/mysql", self.port),
        }
    }

    /// The password of the user `tester`, who may do everything.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder with all files of the server.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills all processes of the server at once.
    pub(crate) fn kill(&self) {
        assert_eq!(self.ask("kill"), "killed");
    }

    /// Starts the server again after [`Self::kill`], on its port and with its data.
    pub(crate) fn start_again(&self) {
        let start = format!("start {}", self.port);
        // A client that has just lost its connection may still have the port.
        let is_started = (0..STARTS).any(|_| self.ask(&start) == "started");
        assert!(is_started, "the server does not start again:\n{}", log_in(&self.folder));
    }

    /// Stops all processes of the server, so that it accepts connections and never answers, until it is killed.
    pub(crate) fn stop_answering(&self) {
        assert_eq!(self.ask("pause"), "paused");
    }

    fn ask(&self, command: &str) -> String {
        self.keeper.lock().unwrap().ask(command)
    }
}

impl Keeper {
    fn start(kind: ServerKind, path: std::ffi::OsString, password: &str) -> Self {
        let script = crate::support::manifest().join("tests/it/server.sh");
        let mut shell = Command::new("sh");
        shell.arg(script).arg(kind.word()).env("PATH", path);
        // In a group of its own, it survives a Ctrl-C in the terminal of the tests, and can clean up.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = shell.spawn().unwrap();
        let (commands, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut keeper = Self { child, commands, answers };
        keeper.send(password);
        keeper
    }

    fn send(&mut self, line: &str) {
        writeln!(self.commands.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Sends a command, and returns the answer.
    fn ask(&mut self, command: &str) -> String {
        self.send(command);
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.commands = None;
        drop(self.child.wait());
    }
}

/// The last lines of a server's log.
fn log_in(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_else(|error| error.to_string());
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A password that no other process of the machine can know.
fn random_word() -> String {
    let mut bytes = [0; 12];
    let mut source = std::fs::File::open("/dev/urandom").unwrap();
    std::io::Read::read_exact(&mut source, &mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

mod tests {
    use std::io::Read as _;
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;
    use crate::support::{processes_with, send_signal, wait_for};

    /// Seconds in which a server answers, also on a machine that is busy.
    const LIMIT: u64 = 60;

    /// The first byte that a server sends: MariaDB greets, and PostgreSQL answers the question whether it speaks TLS.
    fn first_answer(server: &TestServer, limit: u64) -> std::io::Result<u8> {
        let mut connection = TcpStream::connect(("127.0.0.1", server.port()))?;
        connection.set_read_timeout(Some(Duration::from_secs(limit)))?;
        if server.kind == ServerKind::Postgres {
            connection.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])?;
        }
        let mut answer = [0; 1];
        connection.read_exact(&mut answer)?;
        Ok(answer[0])
    }

    /// A server of each kind that is installed.
    fn servers() -> Vec<TestServer> {
        [TestServer::start_postgres(), TestServer::start_mariadb()].into_iter().flatten().collect()
    }

    #[test]
    fn a_shared_server_is_started_once() {
        for server in [postgres, mariadb] {
            let Some(first) = server() else { continue };
            assert!(first_answer(first, LIMIT).is_ok());
            assert_eq!(server().unwrap().port(), first.port());
            assert!(first.address().contains(&format!("://tester@127.0.0.1:{}/", first.port())));
            // The password is in no command line, neither of the server nor of its keeper.
            assert_eq!(processes_with(first.password()), [0; 0]);
        }
    }

    #[test]
    fn a_server_is_killed_and_started_again_with_its_data() {
        for server in servers() {
            let mark = server.folder().join("data").join(match server.kind {
                ServerKind::Postgres => "PG_VERSION",
                ServerKind::MariaDb => "ibdata1",
            });
            let created = std::fs::metadata(&mark).unwrap().created().unwrap();
            assert!(first_answer(&server, LIMIT).is_ok());
            server.kill();
            let refused = first_answer(&server, LIMIT).unwrap_err().kind();
            assert_eq!(refused, std::io::ErrorKind::ConnectionRefused);
            server.start_again();
            assert!(first_answer(&server, LIMIT).is_ok());
            assert_eq!(std::fs::metadata(&mark).unwrap().created().unwrap(), created);
            server.stop_answering();
            let silent = first_answer(&server, 1).unwrap_err().kind();
            assert_eq!(silent, std::io::ErrorKind::WouldBlock);
            server.kill();
            server.start_again();
            assert!(first_answer(&server, LIMIT).is_ok());
            let folder = server.folder().to_owned();
            drop(server);
            assert!(!folder.exists());
        }
    }

    /// The variable that makes a process of this test start servers and wait for its end.
    const VICTIM: &str = "SLT_TEST_SERVER_VICTIM";

    #[test]
    fn servers_end_with_the_process_of_the_tests() {
        #[expect(clippy::disallowed_methods, reason = "the test starts itself")]
        if std::env::var_os(VICTIM).is_some() {
            let servers = servers();
            let folders: Vec<_> = servers.iter().map(|server| server.folder().to_str().unwrap()).collect();
            let mut output = std::io::stdout();
            writeln!(output, "\n{}", folders.join("|")).unwrap();
            loop {
                std::thread::park();
            }
        }
        if [ServerKind::Postgres, ServerKind::MariaDb].iter().all(|kind| kind.path().is_none()) {
            return;
        }
        let name = "servers::tests::servers_end_with_the_process_of_the_tests";
        let mut victim = Command::new(std::env::current_exe().unwrap());
        victim.args(["--exact", name, "--nocapture"]).env(VICTIM, "1");
        let mut victim = victim.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let folders = lines.find_map(|line| line.ok().filter(|line| line.starts_with('/'))).unwrap();
        let folders: Vec<_> = folders.split('|').map(PathBuf::from).collect();
        assert!(folders.iter().all(|folder| folder.join("log").exists()));
        send_signal("KILL", victim.id());
        assert!(!victim.wait().unwrap().success());
        wait_for("the end of the servers", || folders.iter().all(|folder| !folder.exists()));
    }
}
