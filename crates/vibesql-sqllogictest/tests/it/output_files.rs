//! Files that the user names for documents: devices, FIFOs and links stay what they are, and a write that fails destroys nothing.
//!
//! No test writes to a device of the machine as root: a bug would replace it.

use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::sandbox::{Output, Sandbox, path_of_tests};

/// A user without rights, on most systems `nobody`.
const NOBODY: u32 = 65_534;

/// Commands that write a document to a file that the user names, in a sandbox with two runs. The file comes last.
const WRITERS: &[&str] = &[
    "report --output",
    "report --format junit --output",
    "report --format json --output",
    "report --format badge --output",
    "analyze --output",
    "analyze --format markdown --output",
    "punchlist --format csv --output",
    "compare --output",
    "compare --format json --output",
    "store export --run --force --output",
    "expectations update --expectations",
    "run --engine scripted s --json",
    #[cfg(feature = "store")]
    "query --no-check --format csv SELECT(1) --output",
    #[cfg(feature = "store")]
    "store export --format sql --force --output",
];

/// A folder of results with two runs, in which a file fails.
fn with_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n");
    sandbox.write("s/b.test", "statement ok\nerror no\n");
    for _ in 0..2 {
        assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    }
    sandbox
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn sh(sandbox: &Sandbox, line: &str) -> bool {
    let mut sh = Command::new("sh");
    sh.args(["-c", line]).current_dir(sandbox.path()).env("PATH", path_of_tests());
    sh.stderr(Stdio::null()).status().unwrap().success()
}

/// What is in the folder besides what was put there: files that were to take the place of others.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".sqllogictest-")).collect()
}

fn put(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_link_is_followed_and_mode_and_owner_stay() {
    let sandbox = with_runs();
    for (number, writer) in WRITERS.iter().enumerate() {
        let target = sandbox.path().join(format!("target{number}"));
        put(&target, "", 0o640);
        if is_root() {
            chown(&target, Some(12_345), Some(54_321)).unwrap();
        }
        let before = target.metadata().unwrap();
        symlink(format!("target{number}"), sandbox.path().join(format!("near{number}"))).unwrap();
        symlink(format!("near{number}"), sandbox.path().join(format!("link{number}"))).unwrap();
        let output = sandbox.run(&format!("{writer} link{number}"));
        assert!(matches!(output.code, 0 | 1), "{writer}: {output}");
        for link in ["near", "link"] {
            let link = sandbox.path().join(format!("{link}{number}"));
            assert!(link.is_symlink(), "{writer}: the link was replaced");
        }
        let after = target.metadata().unwrap();
        assert!(after.len() > 0, "{writer}: {output}");
        let of = |file: &std::fs::Metadata| (file.mode(), file.uid(), file.gid());
        assert_eq!(of(&before), of(&after), "{writer}");
    }
    // A link to nothing yet leads to where the file is made.
    symlink("new.xml", sandbox.path().join("dangling")).unwrap();
    assert_eq!(sandbox.run("report --format junit --output dangling").code, 0);
    assert!(sandbox.read("new.xml").contains("<testsuites"));
    assert!(sandbox.path().join("dangling").is_symlink());
    assert_eq!(unfinished(sandbox.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_fifo_gets_the_document_and_stays_a_fifo() {
    let sandbox = with_runs();
    for (number, writer) in WRITERS.iter().filter(|writer| !writer.starts_with("expectations")).enumerate() {
        let fifo = sandbox.path().join(format!("fifo{number}"));
        assert!(sh(&sandbox, &format!("mkfifo fifo{number}")));
        let place = fifo.clone();
        let reader = std::thread::spawn(move || std::fs::read(place).unwrap());
        let output = sandbox.run(&format!("{writer} fifo{number}"));
        assert!(matches!(output.code, 0 | 1), "{writer}: {output}");
        assert!(!reader.join().unwrap().is_empty(), "{writer}");
        assert!(fifo.symlink_metadata().unwrap().file_type().is_fifo(), "{writer}: the FIFO was replaced");
    }
}

#[test]
fn a_shell_can_take_the_document_by_a_descriptor() {
    let sandbox = with_runs();
    let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest");
    let home = sandbox.home();
    let line = format!(
        "HOME={home} {program} report --format junit --output /dev/fd/3 3>&1 >/dev/null | cat >piped.xml; \
         echo before >open.xml; exec 3>>open.xml; HOME={home} {program} report --format junit --output /dev/fd/3; \
         echo after >&3"
    );
    assert!(sh(&sandbox, &line));
    assert!(sandbox.read("piped.xml").starts_with("<?xml"), "{}", sandbox.read("piped.xml"));
    let open = sandbox.read("open.xml");
    assert!(open.starts_with("before\n<?xml") && open.ends_with("</testsuites>\nafter\n"), "{open}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_file_of_standard_output_gets_nothing_but_the_document() {
    let sandbox = with_runs();
    symlink("/proc/self/fd/1", sandbox.path().join("out")).unwrap();
    for line in ["report --format junit --output", "report --format junit --output -"] {
        let line = if line.ends_with('-') { line.to_owned() } else { format!("{line} out") };
        let output = sandbox.run(&line);
        assert!(
            output.stdout.starts_with("<?xml") && output.stdout.ends_with("</testsuites>\n"),
            "{line}: {output}"
        );
    }
    assert!(sandbox.path().join("out").is_symlink());
    // Standard output is a file here, which must not be replaced while it is open.
    let file = std::fs::File::create(sandbox.path().join("all.json")).unwrap();
    let mut command = sandbox.command("run --engine scripted s --json out");
    let status = command.stdout(file).stderr(Stdio::piped()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("all.json")).unwrap();
    assert_eq!(report["summary"]["total"], 2);
}

#[test]
fn a_dash_is_standard_output_for_every_command() {
    let sandbox = with_runs();
    for writer in WRITERS {
        // Some write bytes that are not text.
        let output = sandbox.command(&format!("{writer} -")).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{writer}: {output:?}");
        assert!(!output.stdout.is_empty(), "{writer}: {output:?}");
        assert!(!sandbox.path().join("-").exists(), "{writer}");
    }
}

#[test]
fn a_report_does_not_replace_a_test_file() {
    let sandbox = with_runs();
    sandbox.write("precious.test", "statement ok\nSELECT 1\n");
    // As the shell writes `run --json *.test`.
    for line in [
        "run --engine sqlite --json precious.test s",
        "report --output precious.test",
        "analyze --output precious.test",
    ] {
        let output = sandbox.run(line);
        assert_eq!(output.code, 2, "{line}: {output}");
        let error = "error: cannot replace `precious.test`: it is a test file\n";
        assert!(output.stderr.starts_with(error), "{line}: {output}");
        assert_eq!(sandbox.read("precious.test"), "statement ok\nSELECT 1\n");
    }
}

#[test]
fn a_folder_is_no_file_and_the_error_names_it() {
    let sandbox = with_runs();
    std::fs::create_dir(sandbox.path().join("folder")).unwrap();
    for writer in WRITERS {
        for path in ["folder", "no/such/place"] {
            let output = sandbox.run(&format!("{writer} {path}"));
            assert_eq!(output.code, 2, "{writer} {path}: {output}");
            assert!(output.stderr.contains(&format!("`{path}`")), "{writer}: {output}");
        }
    }
    assert_eq!(std::fs::read_dir(sandbox.path().join("folder")).unwrap().count(), 0);
}

#[test]
fn a_device_of_ones_own_is_written_to_and_stays() {
    let sandbox = with_runs();
    // Where devices cannot be made, or opened once they are made, there is nothing to test.
    if !is_root() || !sh(&sandbox, "mknod null c 1 3 && mknod full c 1 7 && echo >null") {
        return;
    }
    for writer in WRITERS.iter().filter(|writer| !writer.starts_with("expectations")) {
        let output = sandbox.run(&format!("{writer} null"));
        assert!(matches!(output.code, 0 | 1), "{writer}: {output}");
        let output = sandbox.run(&format!("{writer} full"));
        assert_eq!(output.code, 2, "{writer}: {output}");
        assert!(output.stderr.contains("cannot write `full`"), "{writer}: {output}");
        for device in ["null", "full"] {
            let found = sandbox.path().join(device).symlink_metadata().unwrap();
            assert!(found.file_type().is_char_device(), "{writer}: the device was replaced");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_an_error() {
    let sandbox = with_runs();
    assert!(sh(&sandbox, "mkfifo fifo"));
    // More than the pipe holds, so that the writer waits until the reader has gone.
    let record = |number| format!("statement ok\nerror some text that is the message of record {number}\n\n");
    let text = (0..4000).map(record).collect::<Vec<_>>().concat();
    sandbox.write("s/c.test", text);
    assert_eq!(sandbox.run("run --engine scripted --max-details 4000 --quiet s").code, 1);
    let mut command = sandbox.command("report --format json --output fifo");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = std::fs::File::open(sandbox.path().join("fifo")).unwrap();
    reader.read_exact(&mut [0; 100]).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("error: cannot write `fifo`: its reader has closed it"), "{said}");
}

/// Who writes, and with which program: one that this user may execute.
struct Writer {
    uid: Option<u32>,
    program: PathBuf,
}

impl Writer {
    fn run(&self, sandbox: &Sandbox, limit: &str, line: &str) -> Output {
        let mut command = Command::new("sh");
        let program = self.program.display();
        command.args(["-c", &format!("{limit} exec {program} {line}")]).current_dir(sandbox.path());
        command.env_clear().env("HOME", sandbox.home()).env("PATH", path_of_tests());
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        Output::of(&mut command)
    }
}

/// Gives all that is in a folder to a user.
fn give(folder: &Path, uid: u32) {
    chown(folder, Some(uid), Some(uid)).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { give(&path, uid) } else { chown(&path, Some(uid), Some(uid)).unwrap() }
    }
}

/// Root, if this is root, and a user without rights in any case.
fn writers(sandbox: &Sandbox) -> Vec<Writer> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_vibesql-sqllogictest"));
    if !is_root() {
        return vec![Writer { uid: None, program }];
    }
    // The folders above the program may be root's own.
    let copy = sandbox.path().join("program");
    std::fs::copy(&program, &copy).unwrap();
    vec![Writer { uid: None, program }, Writer { uid: Some(NOBODY), program: copy }]
}

#[test]
fn a_write_that_fails_leaves_the_file_as_it_was() {
    for number in 0..2 {
        let sandbox = with_runs();
        let Some(writer) = writers(&sandbox).into_iter().nth(number) else { continue };
        if let Some(uid) = writer.uid {
            give(sandbox.path(), uid);
            give(Path::new(sandbox.home()), uid);
        }
        let old = sandbox.path().join("old");
        for line in ["report --output old", "report --format junit --output old", "punchlist --output old"] {
            put(&old, "precious", 0o644);
            if let Some(uid) = writer.uid {
                chown(&old, Some(uid), Some(uid)).unwrap();
            }
            // No byte may be written to a file: as a disk that is full.
            let output = writer.run(&sandbox, "ulimit -f 0;", line);
            assert_eq!(output.code, 2, "{line}: {output}");
            assert!(output.stderr.contains("error: cannot write `old`"), "{line}: {output}");
            assert_eq!(sandbox.read("old"), "precious", "{line}");
            assert_eq!(unfinished(sandbox.path()), Vec::<PathBuf>::new(), "{line}");
        }
        // A run keeps its results though the report cannot be written.
        let output = writer.run(&sandbox, "", "run --engine scripted --json no/such/place s");
        assert_eq!(output.code, 2, "{output}");
    }
}

#[test]
fn a_user_without_rights_to_the_folder_writes_the_file_in_place() {
    let sandbox = with_runs();
    let Some(writer) = writers(&sandbox).pop() else { return };
    if let Some(uid) = writer.uid {
        give(Path::new(sandbox.home()), uid);
        std::fs::set_permissions(sandbox.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let folder = sandbox.path().join("protected");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("old");
    // Without root, the user owns all of it, and the mode alone protects.
    for (mode, what) in [(0o555, "read-only"), (0o1777, "sticky")] {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let line = "report --format junit --output protected/old";
        put(&file, "precious", 0o666);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
        let before = file.metadata().unwrap();
        let output = writer.run(&sandbox, "ulimit -f 0;", line);
        assert_eq!(output.code, 2, "{what}: {output}");
        assert!(output.stderr.contains("cannot write `protected/old`"), "{what}: {output}");
        assert_eq!(sandbox.read("protected/old"), "precious", "{what}");
        let output = writer.run(&sandbox, "", line);
        assert_eq!(output.code, 0, "{what}: {output}");
        assert!(sandbox.read("protected/old").starts_with("<?xml"), "{what}");
        let after = file.metadata().unwrap();
        let of = |file: &std::fs::Metadata| (file.mode(), file.uid());
        assert_eq!(of(&before), of(&after), "{what}");
        if writer.uid.is_some() {
            assert_eq!(before.ino(), after.ino(), "{what}: the file was replaced");
        }
        assert_eq!(unfinished(&folder), Vec::<PathBuf>::new(), "{what}");
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Nothing can be made there, and a file that is protected is not replaced.
    let output = writer.run(&sandbox, "", "report --format junit --output protected/new");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("cannot write `protected/new`"), "{output}");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    put(&file, "precious", 0o444);
    let output = writer.run(&sandbox, "", "report --format junit --output protected/old");
    assert_eq!(output.code, 2, "{output}");
    assert_eq!(sandbox.read("protected/old"), "precious");
    // A device, as a user who could not replace it.
    if cfg!(target_os = "linux") {
        let output = writer.run(&sandbox, "", "report --format junit --output /dev/full");
        assert_eq!(output.code, 2, "{output}");
        assert!(output.stderr.contains("cannot write `/dev/full`"), "{output}");
    }
    assert_eq!(writer.run(&sandbox, "", "report --format junit --output /dev/null").code, 0);
}

/// Runs a command whose reader of standard output has gone before its first word.
fn without_reader(sandbox: &Sandbox, line: &str) -> Output {
    let mut child = sandbox.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap_or(-1),
    }
}

#[test]
fn a_closed_pipe_ends_a_display_quietly() {
    let sandbox = with_runs();
    for line in [
        "analyze",
        "analyze --format json",
        "status",
        "show",
        "runs",
        "list",
        "engines",
        "flaky",
        "flaky --format json",
        "punchlist",
        "report --format junit",
        "report --format markdown --output -",
        "store export --run --output -",
        "config show",
        "completions bash",
        "man",
        "--help",
    ] {
        let output = without_reader(&sandbox, line);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{line}: {output}");
    }
}

#[test]
fn a_closed_pipe_changes_no_verdict_and_loses_no_result() {
    let sandbox = with_runs();
    sandbox.write("good/a.test", "statement ok\nok\n");
    for (line, code) in [
        ("test --engine scripted s/b.test s/a.test", 1),
        ("run --engine scripted good", 0),
        ("run --engine scripted s", 1),
        ("run --engine scripted --message-format json s", 1),
        ("run --engine scripted --json - s", 1),
    ] {
        let output = without_reader(&sandbox, line);
        assert_eq!(output.code, code, "{line}: {output}");
        if line.starts_with("run") {
            let files = if line.ends_with("good") { 1 } else { 2 };
            let report = sandbox.run("report --format json");
            let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
            assert_eq!(
                (&report["summary"]["total"], &report["end"]),
                (&files.into(), &"completed".into()),
                "{line}"
            );
        }
    }
    sandbox.write("s/a.test", "statement ok\nerror no\n");
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    assert_eq!(sandbox.run("compare").code, 4);
    assert_eq!(without_reader(&sandbox, "compare").code, 4);
    assert_eq!(without_reader(&sandbox, "compare --format json").code, 4);
}

#[test]
#[cfg(target_os = "linux")]
fn standard_output_that_cannot_be_written_is_an_error() {
    let sandbox = with_runs();
    for line in ["status", "report --format junit"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = sandbox.command(line).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("`standard output`"), "{line}: {said}");
    }
}
