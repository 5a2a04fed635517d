//! Whatever happens, the copy becomes what HubSpot has: random schedules of changes, faults, search lag, wrong order, clock
//! jumps and crashes, under paused time.
//!
//! `SPOKE_SEED=17` replays one schedule, `SPOKE_SCHEDULES=2000` sets their number, `SPOKE_SOAK=600` runs for so many
//! seconds instead, and `SPOKE_FIRST_SEED` says where to begin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use hubspot_connector::HubspotSource;
use hubspot_emulator::{Counts, Emulator, Options, Tier};
use opencdc::{BatchStream, Catalog, Selection, Source, Until};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::emulated::Hubspot;
use crate::follower::setting;
use crate::table::{Tables, id_key};

mod unkind;

const OBJECTS: [&str; 3] = ["contacts", "companies", "deals"];
const PAIRS: [(&str, &str); 3] = [
    ("contacts", "companies"),
    ("contacts", "deals"),
    ("companies", "deals"),
];

/// How many schedules run in a plain `cargo test`; CI runs more.
const A_FEW: u64 = 60;

#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Schedule {
    draw: ChaCha8Rng,
    emulator: Emulator,
    hubspot: Hubspot,
    tables: Tables,
    /// Whether all properties are read, as most people do, or a few, which is quicker.
    wide: bool,
    /// Without walks over all records, unless the count is wrong: the feeds, the recycle bin and the association lists must
    /// do alone.
    feeds_only: bool,
    /// Without anything that may make a walk come sooner, so that there is none but the first.
    one_walk: bool,
    /// Whether a few more properties are read.
    more_properties: bool,
    /// What the account does now.
    habits: Value,
    source: Option<(HubspotSource, Catalog)>,
    /// What was done, to be told when it fails.
    log: Vec<String>,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut draw = ChaCha8Rng::seed_from_u64(seed);
        let counts = Counts {
            contacts: 20 + below(&mut draw, 200),
            companies: 5 + below(&mut draw, 20),
            deals: 5 + below(&mut draw, 30),
            ..Counts::none()
        };
        let one_walk = below(&mut draw, 8) == 0;
        let lag = if one_walk {
            0
        } else {
            pick(&mut draw, &[0, 0, 1, 10, 40])
        };
        let options = Options {
            seed,
            counts: Counts {
                line_items: Some(0),
                ..counts
            },
            tier: if below(&mut draw, 4) == 0 {
                Tier::Free
            } else {
                Tier::Unlimited
            },
            search_lag: Duration::from_secs(lag),
            ..Options::default()
        };
        let emulator = Emulator::new(options);
        let wide = below(&mut draw, 20) == 0;
        let feeds_only = one_walk || below(&mut draw, 3) == 0;
        let habits = unkind::habits(&mut draw, feeds_only, one_walk);
        emulator.set_behaviour(&habits).unwrap();
        let hubspot = Hubspot::of(&emulator);
        let log = vec![format!(
            "search lag {lag} s, habits {habits}, feeds only: {feeds_only}"
        )];
        Self {
            draw,
            emulator,
            hubspot,
            tables: Tables::default(),
            wide,
            feeds_only,
            one_walk,
            more_properties: false,
            habits,
            source: None,
            log,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        below(&mut self.draw, bound)
    }

    fn config(&self) -> Value {
        let mut config = json!({
            "streams": OBJECTS,
            "poll": "15s",
            "lookback": "1m",
            "archived": {"every": "1m"},
            "reconcile": {"every": "3m"},
            "reassociate": {"every": "2m"},
            "refresh": "10m",
            "on_selection_change": "reset",
        });
        if self.feeds_only {
            config["reconcile"] = json!({"every": "240h"});
        }
        if !self.wide {
            let more: &[&str] = if self.more_properties {
                &["createdate", "hubspot_owner_id"]
            } else {
                &[]
            };
            let properties = ["defaults", "hs_object_id"].iter().chain(more);
            config["properties"] = json!(properties.collect::<Vec<_>>());
        }
        config
    }

    /// A new process, as it were: nothing is left but what was applied. The source itself remembers the definitions.
    async fn start(&mut self) -> Result<BatchStream, opencdc::Error> {
        if self.source.is_none() {
            let source = self.hubspot.patient_source(self.config());
            let catalog = source.catalog().await?;
            self.source = Some((source, catalog));
        }
        let (source, catalog) = self.source.as_ref().expect("it was just made");
        let selection = Selection {
            until: Until::Dropped,
            ..Selection::everything(catalog)
        };
        source.read(selection, self.tables.resume()).await
    }

    /// Reads for so long, with changes in between. An error ends the process.
    async fn read(&mut self, mut batches: BatchStream, time: Duration, changing: bool) {
        let end = tokio::time::Instant::now() + time;
        loop {
            match tokio::time::timeout_at(end, batches.next()).await {
                Err(_) => return,
                Ok(None) => panic!("a read that never ends has ended"),
                Ok(Some(Err(error))) => {
                    self.log.push(format!("ended: {error}"));
                    return;
                }
                Ok(Some(Ok(batch))) => {
                    if self.below(60) == 0 && changing {
                        self.log.push("crash with a batch in hand".into());
                        return;
                    }
                    self.tables.apply(batch);
                    if changing && self.below(3) == 0 {
                        self.change();
                    }
                }
            }
        }
    }

    fn change(&mut self) {
        let object = pick(&mut self.draw, &OBJECTS);
        // The first six leave a trace that the feeds, the bin and the association lists find.
        let kinds = [
            "create",
            "update",
            "archive",
            "associate",
            "disassociate",
            "label",
            "restore",
            "merge",
            "gdprDelete",
        ];
        let kinds = if self.one_walk { &kinds[..6] } else { &kinds[..] };
        let seed = self.draw.next_u64();
        let mut mutation = json!({"objectType": object, "seed": seed, "sameMillisecond": self.below(3) == 0});
        for _ in 0..=self.below(3) {
            let kind = pick(&mut self.draw, kinds);
            let count = 1 + self.below(if kind == "update" { 30 } else { 4 });
            // What is erased leaves no trace that a feed could find.
            if kind != "gdprDelete" || (object == "contacts" && !self.feeds_only) {
                mutation[kind] = count.into();
            }
        }
        self.log.push(mutation.to_string());
        self.emulator.mutate(&mutation).unwrap();
    }

    fn fault(&mut self) {
        let fault = unkind::fault(&mut self.draw);
        self.log.push(fault.to_string());
        self.emulator.add_faults(&json!([fault])).unwrap();
    }

    /// Somebody changes a definition, the account takes up other habits, paging tokens end, or the pipeline is given another
    /// selection, which reads its streams again from the start.
    async fn upheaval(&mut self) {
        match self.below(4) {
            0 => {
                let (method, path, body) = unkind::redefinition(&mut self.draw);
                let status = self.hubspot.attempt(method, &path, &body).await;
                self.log.push(format!("{method} {path} {body}: {status}"));
            }
            1 => {
                self.habits = unkind::habits(&mut self.draw, self.feeds_only, self.one_walk);
                self.log.push(format!("habits {}", self.habits));
            }
            2 => {
                self.habits["pagingKey"] = json!(self.below(1_000));
                self.log.push("paging tokens end".into());
            }
            _ => {
                self.more_properties = !self.more_properties;
                self.source = None;
                self.log.push("another selection".into());
            }
        }
        self.emulator.set_behaviour(&self.habits).unwrap();
    }

    /// Two changes of one record in one millisecond, with a poll in between.
    async fn change_twice_at_once(&mut self) {
        let truth = lines(&self.emulator.truth("contacts").unwrap());
        let live: Vec<_> = truth.iter().filter(|line| line["state"] == "live").collect();
        let Some(id) = live.last().and_then(|line| line["id"].as_str()) else {
            return;
        };
        self.log
            .push(format!("contact {id} changes twice in a millisecond"));
        self.emulator.freeze(true);
        for city in ["Bonn", "Rome"] {
            let path = format!("/crm/v3/objects/contacts/{id}");
            self.hubspot
                .patch(&path, &json!({"properties": {"city": city}}))
                .await;
            if let Ok(batches) = self.start().await {
                self.read(batches, Duration::from_secs(20), false).await;
            }
        }
        self.emulator.freeze(false);
    }

    async fn run(&mut self) {
        let mut walked = None;
        if self.one_walk {
            let batches = self.start().await.expect("nothing goes wrong yet");
            self.read(batches, Duration::from_secs(100), false).await;
            walked = Some(self.hubspot.live_pages());
        }
        for _ in 0..3 + self.below(4) {
            for _ in 0..self.below(3) {
                self.change();
            }
            if self.below(5) == 0 {
                self.change_twice_at_once().await;
            }
            if self.below(2) == 0 && !self.one_walk {
                self.fault();
            }
            if self.below(3) == 0 && !self.one_walk {
                self.upheaval().await;
            }
            if self.below(6) == 0 && !self.one_walk {
                let jump = 1 + self.below(900);
                self.log.push(format!("the clock jumps {jump} s"));
                self.emulator.advance(Duration::from_secs(jump));
            }
            let time = Duration::from_secs(1 + self.below(200));
            match self.start().await {
                Ok(batches) => self.read(batches, time, true).await,
                Err(error) => self.log.push(format!("no start: {error}")),
            }
        }
        self.emulator.clear_faults();
        if self.log.iter().any(|line| line.contains("DAILY")) {
            // Nothing is asked before the next day.
            tokio::time::sleep(Duration::from_hours(25)).await;
        }
        // Long enough for every question to be asked again.
        let batches = self.start().await.expect("nothing goes wrong any more");
        self.read(batches, Duration::from_secs(400), false).await;
        if let Some(walked) = walked {
            assert_eq!(
                self.hubspot.live_pages(),
                walked,
                "a walk over all records helped: {:?}",
                self.log
            );
        }
    }

    /// An account at rest delivers nothing, and costs what its questions cost.
    async fn rest(&mut self) -> Result<(), String> {
        const TIME: Duration = Duration::from_secs(150);
        // Polls every 15 s of three types, twice each, and a few pages for each walk.
        const MOST_CALLS: u64 = 10 * 3 * 2 + 120;
        let delivered = self.tables.delivered;
        self.emulator.clear_requests();
        let batches = self.start().await.expect("nothing goes wrong any more");
        self.read(batches, TIME, false).await;
        let calls = self.emulator.requests()["total"].as_u64().unwrap();
        // A total that is never right makes each window be asked again, and all records be compared.
        let is_drifting = !self.habits["totalDrift"].is_null();
        match (self.tables.delivered - delivered, calls) {
            (0, ..=MOST_CALLS) => Ok(()),
            (0, _) if is_drifting => Ok(()),
            (records, calls) => {
                let routes = &self.emulator.requests()["byRoute"];
                Err(format!(
                    "at rest {records} records came, with {calls} calls: {routes}"
                ))
            }
        }
    }

    /// Whether the reasons that rows are gone for are those of HubSpot.
    fn compare_reasons(&self) -> Result<(), String> {
        for object in OBJECTS {
            let lines = lines(&self.emulator.truth(object).unwrap());
            let states: BTreeMap<_, _> = lines
                .iter()
                .map(|line| (id_key(line["id"].as_str().unwrap()), line))
                .collect();
            let gone = self.tables.gone.get(object).into_iter().flatten();
            for (key, reason) in gone {
                let line = states[key];
                let survivor = line["mergedInto"].as_str().map(id_key);
                let survivor_lives = survivor.is_some_and(|key| states[&key]["state"] == "live");
                let is_right = match line["state"].as_str().unwrap() {
                    // HubSpot no longer tells into which, once the survivor is gone too.
                    "merged" => reason == "merged" || !survivor_lives,
                    state => reason == state,
                };
                if !is_right {
                    return Err(format!("{object} {key} is gone as {reason}, but {line}"));
                }
            }
        }
        Ok(())
    }

    fn compare(&self) -> Result<(), String> {
        if let Some(wrong) = self.tables.wrong.first() {
            return Err(format!("the operation is wrong: {wrong}"));
        }
        for object in OBJECTS {
            let lines = lines(&self.emulator.truth(object).unwrap());
            let expected: BTreeMap<_, _> = lines
                .iter()
                .filter(|line| line["state"] == "live")
                .map(|line| (id_key(line["id"].as_str().unwrap()), line))
                .collect();
            let found = self.tables.of(object);
            compare_keys(object, expected.keys(), found.keys()).map_err(|problem| {
                let is_extra = |line: &&Value| {
                    line["state"] != "live" && found.contains_key(&id_key(line["id"].as_str().unwrap()))
                };
                let extra: Vec<_> = lines.iter().filter(is_extra).collect();
                let is_told = |line: &&Value| {
                    is_extra(line) || extra.iter().any(|extra| extra["mergedInto"] == line["id"])
                };
                let told = lines.iter().filter(is_told).map(Value::to_string);
                format!("{problem}; {}", told.collect::<Vec<_>>().join("\n"))
            })?;
            for (key, row) in &found {
                compare_values(object, key, &row.after, expected[key])?;
            }
        }
        for (from, to) in PAIRS {
            let lines = lines(&self.emulator.truth_of_associations(from, to).unwrap());
            let key = |line: &Value| {
                json!({"from_id": line["fromId"], "to_id": line["toId"], "type_id": line["typeId"],
                       "category": line["category"]})
                .to_string()
            };
            let expected: BTreeSet<_> = lines.iter().map(key).collect();
            let stream = format!("{from}_{to}");
            compare_keys(&stream, expected.iter(), self.tables.of(&stream).keys())?;
        }
        Ok(())
    }
}

fn compare_keys<'a>(
    stream: &str,
    expected: impl Iterator<Item = &'a String>,
    found: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    let (expected, found): (Vec<_>, Vec<_>) = (expected.collect(), found.collect());
    let missing: Vec<_> = expected.iter().filter(|key| !found.contains(key)).collect();
    let extra: Vec<_> = found.iter().filter(|key| !expected.contains(key)).collect();
    match missing.is_empty() && extra.is_empty() {
        true => Ok(()),
        false => Err(format!("{stream}: missing {missing:?}, too many {extra:?}")),
    }
}

fn compare_values(
    object: &str,
    key: &str,
    row: &serde_json::Map<String, Value>,
    truth: &Value,
) -> Result<(), String> {
    let properties = row["properties"].as_object().unwrap();
    let has_value = |(_, value): &(&String, &Value)| !value.is_null() && *value != "";
    let found: BTreeMap<_, _> = properties.iter().filter(has_value).collect();
    let truth: BTreeMap<_, _> = truth["properties"]
        .as_object()
        .unwrap()
        .iter()
        .filter(has_value)
        .filter(|(name, _)| properties.contains_key(*name))
        .collect();
    match found == truth {
        true => Ok(()),
        false => Err(format!("{object} {key}: {found:?} instead of {truth:?}")),
    }
}

fn lines(text: &[u8]) -> Vec<Value> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn pick<T: Copy>(draw: &mut ChaCha8Rng, all: &[T]) -> T {
    all[usize::try_from(below(draw, all.len() as u64)).unwrap()]
}

fn below(draw: &mut ChaCha8Rng, bound: u64) -> u64 {
    draw.next_u64() % bound
}

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut schedule = Schedule::new(seed);
        schedule.run().await;
        let mut compared = schedule.compare().and_then(|()| schedule.compare_reasons());
        if compared.is_ok() {
            compared = schedule.rest().await;
        }
        if let Err(problem) = compared {
            let log = schedule.log.join("\n  ");
            panic!(
                "schedule {seed} did not converge: {problem}\n  {log}\nreplay: SPOKE_SEED={seed} cargo test -p hubspot-connector --test it convergence"
            );
        }
    });
}

/// Tells the other threads when this one fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Ordering::Relaxed);
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "whoever soaks wants to know how much was done"
)]
fn every_schedule_converges() {
    if let Some(seed) = setting("SPOKE_SEED") {
        return run(seed);
    }
    let soak = setting("SPOKE_SOAK").map(|seconds| (Instant::now(), Duration::from_secs(seconds)));
    let schedules = setting("SPOKE_SCHEDULES").unwrap_or(A_FEW);
    let first = setting("SPOKE_FIRST_SEED").unwrap_or(0);
    let next = AtomicU64::new(first);
    let failed = AtomicBool::new(false);
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let more = match soak {
            Some((begun, time)) => begun.elapsed() < time,
            None => seed < first + schedules,
        };
        if !more || failed.load(Ordering::Relaxed) {
            break;
        }
        let ending = Ending(&failed);
        run(seed);
        drop(ending);
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    println!("about {} schedules", next.into_inner() - first);
}
