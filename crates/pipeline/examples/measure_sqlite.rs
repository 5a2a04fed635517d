//! How fast the SQLite destination is, against a bare loop that writes the same typed rows:
//!
//! `cargo run --release -p pipeline --example measure_sqlite [ROWS] [DIR] [BATCH] [IN_FLIGHT]`
//!
//! 100,000 records of 180 fields of which 60 are filled, in both cases into the same table, in transactions of
//! the same durability.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use opencdc::{Batch, Catalog, Checkpoint, DataType, Destination as _, Field, Position, Record, Stream};
use pipeline::destination::{SqliteConfig, SqliteDestination};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

const FIELDS: usize = 180;
const FILLED: usize = 60;
const TRANSACTION: usize = 5_000;
const ROUNDS: usize = 5;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

struct Plan {
    rows: usize,
    dir: PathBuf,
    batch: usize,
    in_flight: usize,
}

impl Plan {
    fn from_arguments() -> Outcome<Self> {
        let mut arguments = std::env::args().skip(1);
        let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
        let rows = number(100_000)?;
        let dir = std::env::args()
            .nth(2)
            .map_or_else(std::env::temp_dir, PathBuf::from);
        let mut rest = std::env::args().skip(3);
        let mut number = |default: usize| rest.next().map_or(Ok(default), |text| text.parse());
        Ok(Self {
            rows,
            dir,
            batch: number(100)?,
            in_flight: number(32)?,
        })
    }
}

fn main() -> Outcome {
    let plan = Plan::from_arguments()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let dir = plan.dir.join(format!("measure_sqlite.{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let measured = measure(&plan, &dir, &runtime);
    std::fs::remove_dir_all(&dir)?;
    measured
}

fn measure(plan: &Plan, dir: &Path, runtime: &tokio::runtime::Runtime) -> Outcome {
    let mut out = std::io::stdout().lock();
    // The empty table is made by the destination, so that both write into the same one.
    let empty = dir.join("empty.db");
    runtime.block_on(load(&empty, plan, 1))?;
    Connection::open(&empty)?.execute("DELETE FROM contacts", [])?;
    let mut best = [Spent::MAX; 3];
    for round in 1..=ROUNDS {
        let bare_file = dir.join(format!("bare{round}.db"));
        std::fs::copy(&empty, &bare_file)?;
        let bare = bare_loop(&bare_file, plan.rows)?;
        let ours_file = dir.join(format!("ours{round}.db"));
        let ours = runtime.block_on(load(&ours_file, plan, plan.rows))?;
        let again = runtime.block_on(load(&ours_file, plan, plan.rows))?;
        compare(&bare_file, &ours_file)?;
        std::fs::remove_file(bare_file)?;
        std::fs::remove_file(ours_file)?;
        report(
            &mut out,
            &format!("round {round}"),
            plan.rows,
            &[bare, ours, again],
        )?;
        best = [best[0].least(bare), best[1].least(ours), best[2].least(again)];
    }
    report(&mut out, "best   ", plan.rows, &best)?;
    writeln!(out, "{}", peak_memory()?)?;
    Ok(())
}

fn report(out: &mut impl std::io::Write, name: &str, rows: usize, spent: &[Spent; 3]) -> Outcome {
    let rows = f64::from(u32::try_from(rows)?);
    let show = |spent: &Spent| {
        let (rate, cpu) = (
            rows / spent.wall.as_secs_f64(),
            spent.cpu.as_secs_f64() / rows * 1e6,
        );
        format!("{rate:.0} rows/s ({cpu:.1} us of CPU a row)")
    };
    let [bare, ours, again] = spent;
    let ratio = bare.wall.as_secs_f64() / ours.wall.as_secs_f64();
    let (bare, ours, again) = (show(bare), show(ours), show(again));
    writeln!(
        out,
        "{name}: bare {bare}, destination {ours}, ratio {ratio:.2}; updates {again}"
    )?;
    Ok(())
}

/// Time on the wall, and of all threads of this process.
#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    const ZERO: Self = Self {
        wall: Duration::ZERO,
        cpu: Duration::ZERO,
    };
    const MAX: Self = Self {
        wall: Duration::MAX,
        cpu: Duration::MAX,
    };

    /// Other programs only ever make it longer.
    fn least(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
        }
    }

    fn add_since(&mut self, start: (Instant, Duration)) -> Outcome {
        self.wall += start.0.elapsed();
        self.cpu += cpu()?.saturating_sub(start.1);
        Ok(())
    }

    fn start() -> Outcome<(Instant, Duration)> {
        Ok((Instant::now(), cpu()?))
    }
}

/// What all threads have used, exactly; a thread that has ended is forgotten.
fn cpu() -> Outcome<Duration> {
    let mut nanoseconds = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Both wrote the same rows.
fn compare(bare: &Path, ours: &Path) -> Outcome {
    let digest = |path: &Path| -> Outcome<(i64, f64, f64)> {
        let sql = "SELECT count(*), total(p0) + total(p6), total(length(p12)) FROM contacts";
        Ok(Connection::open(path)?.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    };
    let (bare, ours) = (digest(bare)?, digest(ours)?);
    if bare == ours {
        Ok(())
    } else {
        Err(format!("{bare:?} against {ours:?}").into())
    }
}

/// Typed values, ready to be bound, into transactions of five thousand rows.
fn bare_loop(path: &Path, rows: usize) -> Outcome<Spent> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let sql = upsert();
    // Made outside of the clock, a chunk at a time, so that memory stays small.
    let mut spent = Spent::ZERO;
    for first in (0..rows).step_by(TRANSACTION) {
        let ready: Vec<_> = (first..rows.min(first + TRANSACTION)).map(typed).collect();
        let start = Spent::start()?;
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare_cached(&sql)?;
        for row in &ready {
            statement.execute(params_from_iter(row))?;
        }
        drop(statement);
        transaction.commit()?;
        spent.add_since(start)?;
    }
    let start = Spent::start()?;
    connection.close().map_err(|(_, error)| error)?;
    spent.add_since(start)?;
    Ok(spent)
}

fn upsert() -> String {
    let mut columns: Vec<_> = ["id".to_owned(), "_updated_at".to_owned()].to_vec();
    columns.extend((0..FIELDS).map(|n| format!("p{n}")));
    columns.push("_synced_at".to_owned());
    let marks: Vec<_> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
    let sets: Vec<_> = columns
        .iter()
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "INSERT INTO contacts AS t ({}) VALUES ({}) ON CONFLICT (id) DO UPDATE SET {} \
         WHERE t._updated_at IS NULL OR excluded._updated_at >= t._updated_at",
        columns.join(", "),
        marks.join(", "),
        sets.join(", ")
    )
}

fn data_type(n: usize) -> DataType {
    match n % 5 {
        0 => DataType::Number,
        1 => DataType::Integer,
        3 => DataType::Timestamp,
        _ => DataType::String,
    }
}

/// Every third field is filled.
fn is_filled(n: usize) -> bool {
    n.is_multiple_of(FIELDS / FILLED)
}

fn text(row: usize, n: usize) -> String {
    match data_type(n) {
        DataType::Number => format!("{}.5", row * 31 + n),
        DataType::Integer => format!("{}", row * 7 + n),
        DataType::Timestamp => format!("2026-01-{:02}T12:{:02}:00.123Z", n % 28 + 1, row % 60),
        _ => format!("value {n} of contact {row}"),
    }
}

fn typed(row: usize) -> Vec<Value> {
    let value = |n: usize| {
        let text = text(row, n);
        match data_type(n) {
            _ if !is_filled(n) => Value::Null,
            DataType::Number => Value::Real(text.parse().expect("it is a number")),
            DataType::Integer => Value::Integer(text.parse().expect("it is a whole number")),
            _ => Value::Text(text),
        }
    };
    let mut values = vec![
        Value::Text((row + 1).to_string()),
        Value::Text(UPDATED.to_owned()),
    ];
    values.extend((0..FIELDS).map(value));
    values.push(Value::Text(UPDATED.to_owned()));
    values
}

const UPDATED: &str = "2026-01-01T00:00:00.000Z";

/// As an API writes it: all properties, the empty ones `null`.
fn record(row: usize) -> Record {
    let property = |n: usize| match is_filled(n) {
        true => format!("\"p{n}\":\"{}\"", text(row, n)),
        false => format!("\"p{n}\":null"),
    };
    let properties: Vec<_> = (0..FIELDS).map(property).collect();
    let id = row + 1;
    let after = format!(
        r#"{{"id":"{id}","properties":{{{}}},"createdAt":"{UPDATED}","updatedAt":"{UPDATED}","archived":false}}"#,
        properties.join(",")
    );
    Record::snapshot(
        "contacts",
        format!(r#"{{"id":"{id}"}}"#).as_bytes(),
        after.as_bytes(),
    )
}

fn catalog() -> Catalog {
    let mut fields = vec![
        Field::new("id", DataType::String, ["id"]),
        Field::new("_updated_at", DataType::Timestamp, ["updatedAt"]),
    ];
    fields.extend((0..FIELDS).map(|n| {
        let name = format!("p{n}");
        Field::new(name.clone(), data_type(n), ["properties".to_owned(), name])
    }));
    let mut stream = Stream::new("contacts", ["id"], fields);
    stream.version = Some("_updated_at".to_owned());
    Catalog::new(vec![stream])
}

/// Raw JSON batches, so many under way at a time.
async fn load(path: &Path, plan: &Plan, rows: usize) -> Outcome<Spent> {
    let destination = SqliteDestination::open(SqliteConfig::new(path), "measure").await?;
    destination.prepare(&catalog()).await?;
    let stored = destination
        .checkpoints()
        .expect("it is transactional")
        .load("measure")
        .await?;
    let first = stored.map_or(0, |checkpoint| checkpoint.sequence);
    let mut spent = Spent::ZERO;
    let chunk = TRANSACTION * 4;
    for from in (0..rows).step_by(chunk) {
        let to = rows.min(from + chunk);
        let batches: Vec<_> = (from..to)
            .step_by(plan.batch)
            .map(|at| {
                let records = (at..to.min(at + plan.batch)).map(record).collect();
                let sequence = first + (at / plan.batch) as u64 + 1;
                let position = Position::new(sequence.to_string());
                (
                    Arc::new(Batch::new(records, position.clone())),
                    Checkpoint::new(sequence, position),
                )
            })
            .collect();
        let start = Spent::start()?;
        let writes = batches
            .into_iter()
            .map(|(batch, checkpoint)| destination.write(batch, checkpoint));
        let mut writes = stream::iter(writes).buffered(plan.in_flight);
        while let Some(outcomes) = writes.next().await {
            outcomes?;
        }
        spent.add_since(start)?;
    }
    let start = Spent::start()?;
    destination.close().await?;
    spent.add_since(start)?;
    Ok(spent)
}

fn peak_memory() -> Outcome<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or("VmHWM: unknown");
    Ok(line.replace("VmHWM:", "peak resident memory:"))
}
