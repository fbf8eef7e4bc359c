//! Commands of `system` records.

use std::process::{Command, ExitStatus};
use std::sync::Arc;

use super::database::AsyncDB;
use super::output::AnyError;

/// A command that failed.
#[derive(Debug, thiserror::Error)]
#[error("process exited unsuccessfully: {status}\nstdout: {stdout}\nstderr: {stderr}")]
struct SystemError {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

/// Runs a command and returns its standard output. A command that ends with `&` is started and not waited for.
pub(super) async fn run<D: AsyncDB>(command: &str) -> Result<String, AnyError> {
    if let Some(command) = command.trim_end().strip_suffix('&') {
        // It may run longer than the tests, as it does when a shell starts it.
        shell(command).spawn().map_err(shared)?;
        return Ok(String::new());
    }
    let output = D::run_command(shell(command)).await.map_err(shared)?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Arc::new(SystemError { status: output.status, stdout, stderr }))
}

fn shared(error: std::io::Error) -> AnyError {
    Arc::new(error)
}

fn shell(command: &str) -> Command {
    let (program, option) = if cfg!(windows) { ("cmd", "/C") } else { ("bash", "-c") };
    let mut shell = Command::new(program);
    shell.args([option, command]);
    shell
}
