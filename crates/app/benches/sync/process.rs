//! The processes under measurement.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const TOKEN: &str = "pat-na1-00000000-0000-4000-8000-000000000000";

/// A running `spoke emulate`, killed when dropped.
pub(crate) struct Emulator {
    process: Child,
    pub(crate) url: String,
    pub(crate) started_in: Duration,
}

/// What the emulator was asked.
pub(crate) struct Requests {
    pub(crate) total: u64,
    pub(crate) of_contacts: u64,
    pub(crate) rate_limited: u64,
    pub(crate) max_per_second: u64,
}

/// How a process went.
pub(crate) struct Measured {
    pub(crate) elapsed: Duration,
    pub(crate) peak_bytes: u64,
}

impl Emulator {
    pub(crate) fn start(contacts: u64, tier: &str) -> Self {
        let begun = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_spoke"))
            .args([
                "emulate",
                "--listen",
                "127.0.0.1:0",
                "--tier",
                tier,
                "--token",
                TOKEN,
            ])
            .args([
                "--contacts",
                &contacts.to_string(),
                "--deals",
                "0",
                "--tickets",
                "0",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`spoke emulate` starts");
        let stdout = process.stdout.take().expect("its stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .expect("the first line says where it listens");
        Self {
            process,
            url: url.to_owned(),
            started_in: begun.elapsed(),
        }
    }

    pub(crate) fn requests(&self) -> Requests {
        let text = self.get("/_emulator/requests");
        let log: Value = serde_json::from_str(&text).expect("the request log is JSON");
        let number = |name: &str| log[name].as_u64().unwrap_or_default();
        Requests {
            total: number("total"),
            of_contacts: log["byObject"]["contacts"].as_u64().unwrap_or_default(),
            rate_limited: number("rateLimited"),
            max_per_second: number("maxPerSecond"),
        }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        crate::download::runtime().block_on(async {
            let answer = crate::download::http().get(url).bearer_auth(TOKEN).send().await;
            answer
                .expect("the emulator answers")
                .text()
                .await
                .expect("with text")
        })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.process.kill().expect("the emulator can be killed");
        self.process.wait().expect("and waited for");
    }
}

/// Runs `spoke sync --once` over contacts and companies into `database`.
pub(crate) fn sync(emulator: &Emulator, folder: &Path, database: &Path) -> Measured {
    let config = folder.join("spoke.yaml");
    let text = format!(
        "version: 1\nconnections: {{bench: {{access_token: env:TOKEN, base_url: {url:?}}}}}\n\
         state: {{sqlite: {{path: {state}}}}}\n\
         pipelines: {{bench: {{source: {{hubspot: {{connection: bench, streams: [contacts, companies]}}}}, \
         destination: {{sqlite: {{path: {database}}}}}}}}}\n",
        url = emulator.url,
        state = folder.join("state.db").display(),
        database = database.display(),
    );
    std::fs::write(&config, text).expect("the configuration can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_spoke"));
    command
        .args(["sync", "--once", "-c"])
        .arg(config)
        .env("TOKEN", TOKEN)
        .stdout(Stdio::null());
    measure(&mut command)
}

/// Runs a command and watches its memory until it ends.
fn measure(command: &mut Command) -> Measured {
    let begun = Instant::now();
    let mut process = command.spawn().expect("the command starts");
    let mut peak_bytes = 0;
    loop {
        if let Some(status) = process.try_wait().expect("it can be waited for") {
            assert!(status.success(), "{command:?} ended with {status}");
            return Measured {
                elapsed: begun.elapsed(),
                peak_bytes,
            };
        }
        peak_bytes = peak_bytes.max(peak_memory(process.id()).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The kernel's own high-water mark of resident memory.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
