//! Random operations against the emulator and against a plain model, compared after each. The seeds are fixed;
//! `EMULATOR_MODEL_SEED=7 EMULATOR_MODEL_OPERATIONS=20000` replays or explores another.

mod account;
mod checks;
mod links;
mod operations;

use serde_json::{Value, json};

use self::account::{Account, Kind, Values};
use crate::desk::{Answer, Desk};

/// A small generator of its own (splitmix64), so that a seed means the same everywhere.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(self.below(list.len())).copied()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn kind(&mut self) -> Kind {
        if self.percent(60) {
            Kind::Contacts
        } else {
            Kind::Companies
        }
    }

    /// Few addresses, so that many writes meet a taken one; the case varies.
    fn email(&mut self) -> String {
        let name = ["ann", "Bob", "EVE"][self.below(3)];
        format!("{name}{}@x{}.test", self.below(25), self.below(2))
    }

    /// Some of a type's properties with values; empty ones clear.
    fn values(&mut self, kind: Kind) -> Values {
        let names: &[&str] = match kind {
            Kind::Contacts => &[
                "email",
                "firstname",
                "lastname",
                "jobtitle",
                "lifecyclestage",
                "hs_additional_emails",
            ],
            Kind::Companies => &["name", "domain", "city"],
        };
        let mut values = Values::new();
        for name in names {
            if self.percent(45) {
                values.insert((*name).to_owned(), self.value(name));
            }
        }
        values
    }

    fn value(&mut self, name: &str) -> String {
        match name {
            _ if self.percent(12) => String::new(),
            "email" => self.email(),
            "lifecyclestage" => account::STAGES[self.below(4)].to_owned(),
            "hs_additional_emails" => {
                let appended = if self.percent(50) { ";" } else { "" };
                format!("{appended}{};{}", self.email(), self.email())
            }
            _ => ["Ann", "ann", "Bob B", "Ελένη", "a;b \"c\""][self.below(5)].to_owned(),
        }
    }
}

struct Run {
    desk: Desk,
    chance: Chance,
    account: Account,
    seed: u64,
    operation: usize,
    doing: String,
}

impl Run {
    async fn start(seed: u64) -> Self {
        let desk = Desk::empty();
        desk.post("/_emulator/clock", json!({"freeze": true})).await;
        Self {
            desk,
            chance: Chance(seed),
            account: Account::default(),
            seed,
            operation: 0,
            doing: String::new(),
        }
    }

    /// Every operation has an instant of its own, except that one in four shares it with the one before.
    async fn tick(&mut self) {
        let setting = if self.operation > 0 && self.chance.percent(25) {
            json!({})
        } else {
            json!({"advance": "3ms"})
        };
        let clock = self.desk.post("/_emulator/clock", setting).await;
        let now = clock.body["now"].as_str().unwrap_or_default();
        now.clone_into(&mut self.account.now);
    }

    /// Compares, and names the seed and the operation when they differ.
    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, emulator: &T, model: &T) {
        assert!(
            emulator == model,
            "EMULATOR_MODEL_SEED={} operation {}: {}\n{what}\nemulator {emulator:?}\nmodel    {model:?}",
            self.seed,
            self.operation,
            self.doing
        );
    }

    async fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.doing = format!(
            "{method} {path} {}",
            body.as_ref().map(Value::to_string).unwrap_or_default()
        );
        self.desk.call(method, path, body).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    fn status(&self, answer: &Answer, model: u16) -> bool {
        self.same(&format!("status; {}", answer.text), &answer.status, &model);
        model < 300
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test]
async fn random_operations_agree_with_a_plain_model() {
    let seeds = number("EMULATOR_MODEL_SEED").map_or(1..=3, |seed| seed..=seed);
    let operations = number("EMULATOR_MODEL_OPERATIONS").unwrap_or(2000);
    for seed in seeds {
        let mut run = Run::start(seed).await;
        for _ in 0..operations {
            run.tick().await;
            run.operate().await;
            run.operation += 1;
            if run.operation.is_multiple_of(100) {
                run.check_everything().await;
            }
        }
        run.check_everything().await;
    }
}
