//! The program under test, run in a folder of its own.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hubspot_emulator::DEFAULT_TOKEN;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a configuration, in which the program runs.
pub(crate) struct Workplace {
    folder: TempDir,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Fails the test unless the program ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// What it printed, which must be JSON and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|_| panic!("no JSON: {}\nstderr: {}", self.stdout, self.stderr))
    }

    /// Fails the test unless the program failed with `code` and said all of `texts`; never a token.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in: {}", self.stderr);
        }
        assert!(
            !self.stderr.contains("pat-na1-") && !self.stdout.contains("pat-na1-"),
            "a token was printed"
        );
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Waits for the end of what was started.
pub(crate) fn ended(process: Child) -> Ended {
    process.wait_with_output().expect("it ends").into()
}

/// Asks it to stop in good order.
pub(crate) fn terminate(process: &Child) {
    let killed = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(killed.expect("there is a `kill`").success());
}

/// Looks until `seen` sees something; the process must not end before. What never comes fails with what the process has
/// said, instead of holding up everything: so long takes nothing, on however slow a machine.
#[track_caller]
pub(crate) fn wait_for<T>(process: &mut Child, mut seen: impl FnMut() -> Option<T>) -> T {
    const LONGEST: Duration = Duration::from_mins(5);
    let begun = Instant::now();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        let ended = process.try_wait().expect("it can be asked");
        assert!(ended.is_none(), "it ended before: {ended:?}");
        assert!(
            begun.elapsed() < LONGEST,
            "it did not come in {LONGEST:?}; {}",
            last_words(process)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends the process and gives what it has said.
fn last_words(process: &mut Child) -> String {
    // One that has ended meanwhile needs no killing.
    let _ = process.kill();
    let mut said = String::new();
    if let Some(mut stderr) = process.stderr.take() {
        stderr.read_to_string(&mut said).expect("it wrote text");
    }
    said
}

impl Workplace {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A folder with `spoke.yaml` for a pipeline of `streams` (YAML) from `url` into `hubspot.db`.
    pub(crate) fn syncing(url: &str, streams: &str) -> Self {
        Self::with_destination(url, streams, "sqlite: {path: hubspot.db}")
    }

    /// The same with another destination.
    pub(crate) fn with_destination(url: &str, streams: &str, destination: &str) -> Self {
        let workplace = Self::new();
        workplace.write(
            "spoke.yaml",
            &format!(
                "version: 1\n\
                 connections:\n  prod: {{access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: {url:?}}}\n\
                 state: {{sqlite: {{path: state.db}}}}\n\
                 pipelines:\n  crm:\n    source:\n      hubspot: {{connection: prod, streams: {streams}}}\n    \
                 destination: {{{destination}}}\n"
            ),
        );
        workplace
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the file can be written");
    }

    /// The program with these arguments, its environment free of what the machine may have set.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spoke"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("HUBSPOT_BASE_URL")
            .env_remove("SPOKE_LOG")
            .env("HUBSPOT_ACCESS_TOKEN", DEFAULT_TOKEN);
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the program starts")
            .into()
    }

    /// Starts and does not wait.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().expect("the program starts")
    }

    /// Starts, and keeps what it says for [`ended`].
    pub(crate) fn start_listening(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Runs with another environment variable.
    pub(crate) fn run_with(&self, arguments: &[&str], variable: (&str, &str)) -> Ended {
        let mut command = self.command(arguments);
        command
            .env(variable.0, variable.1)
            .output()
            .expect("the program starts")
            .into()
    }
}
