//! A PostgreSQL server for the tests of one binary, and a database for each of them.
//!
//! The server is a real one: without PostgreSQL on the machine a test fails and says how to install it. It ends with
//! the process of the tests, whatever that dies of: its shell waits for the end of a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const SCRIPT: &str = r#"
set -eu
dir=$(mktemp -d /tmp/spoke-postgres-XXXXXX)
trap 'pg_ctl -D "$dir/data" -m immediate -s stop; rm -rf "$dir"' EXIT
initdb -D "$dir/data" -A trust -U postgres --no-sync -E UTF8 --locale=C.UTF-8 >"$dir/log"
cat >"$dir/data/pg_hba.conf" <<'END'
host      all locked 127.0.0.1/32 scram-sha-256
hostnossl all sealed 127.0.0.1/32 reject
host      all all    127.0.0.1/32 trust
END
options="-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c fsync=off"
if [ -n "$CERTIFICATE" ]; then
    umask 077
    printf %s "$CERTIFICATE" >"$dir/data/server.crt"
    printf %s "$CERTIFICATE_KEY" >"$dir/data/server.key"
    options="$options -c ssl=on"
fi
pg_ctl -D "$dir/data" -w -s -l "$dir/log" -o "$options" start >&2
echo ready
cat >/dev/null
"#;

/// The server of this process.
pub(crate) struct Server {
    port: u16,
    programs: PathBuf,
    databases: AtomicU32,
    /// Never closed by us: its end is the end of the server.
    _pipe: ChildStdin,
}

/// A database of its own.
pub(crate) struct Database {
    server: &'static Server,
    pub(crate) name: String,
}

impl Server {
    /// Starts the server if nobody did yet. With a certificate and its key it can encrypt.
    pub(crate) fn get(certificate: impl FnOnce() -> (String, String)) -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            let certificate = certificate();
            let tried = (0..5).find_map(|_| Self::start(&certificate));
            tried.expect("a PostgreSQL server starts on one of five ports")
        })
    }

    /// None when the port was taken by somebody else meanwhile.
    fn start((certificate, key): &(String, String)) -> Option<Self> {
        let programs = programs();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = unprivileged(&programs)
            .env("PORT", port.to_string())
            .env("CERTIFICATE", certificate)
            .env("CERTIFICATE_KEY", key)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        is_ready(&mut child).then(|| Self {
            port,
            programs,
            databases: AtomicU32::new(0),
            _pipe: child.stdin.take().expect("it was piped"),
        })
    }

    /// An empty database.
    pub(crate) fn database(&'static self) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let database = Database { server: self, name };
        self.run("postgres", &format!("CREATE DATABASE {}", database.name));
        database
    }

    /// Where `user` finds a database.
    fn url(&self, user: &str, database: &str, options: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}?{options}", self.port)
    }

    fn run(&self, database: &str, sql: &str) {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .arg(self.url("postgres", database, "sslmode=disable"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut psql = psql.spawn().expect("psql starts");
        psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        assert!(psql.wait().unwrap().success(), "{sql}");
    }
}

impl Database {
    /// Where it is, for the superuser, unencrypted.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres", "sslmode=disable")
    }

    /// Where it is for another user (`NAME` or `NAME:PASSWORD`), with other options.
    pub(crate) fn url_of(&self, user: &str, options: &str) -> String {
        self.server.url(user, &self.name, options)
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.server.run(&self.name, sql);
    }
}

fn is_ready(child: &mut Child) -> bool {
    let stdout = child.stdout.take().expect("it was piped");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .is_ok_and(|_| line.trim() == "ready")
}

/// PostgreSQL refuses to be run by root.
fn unprivileged(programs: &Path) -> Command {
    let user = Command::new("id")
        .arg("-u")
        .output()
        .expect("there is `id`")
        .stdout;
    let is_root = String::from_utf8_lossy(&user).trim() == "0";
    let mut command = Command::new(if is_root { "runuser" } else { "sh" });
    if is_root {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .args(["-c", SCRIPT])
        .env("PATH", format!("{}:{path}", programs.display()));
    command
}

/// Where PostgreSQL's programs are. Debian keeps those of the server out of the path.
fn programs() -> PathBuf {
    let from_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&from_path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let has_all = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "psql"]
            .iter()
            .all(|name| folder.join(name).exists())
    };
    folders.into_iter().find(has_all).expect(
        "these tests need PostgreSQL (initdb, pg_ctl, psql), and it is not on this machine; \
         `apt-get install postgresql` installs it, and so does `make test`",
    )
}
