//! The control routes for callers in the same process: tests drive an [`Emulator`] without HTTP, and under tokio's
//! paused time. Whatever takes JSON takes what the route of the same name takes.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::behaviour::faults::{Fault, FaultPlan};
use crate::behaviour::request_log::RequestLog;
use crate::emulator::Emulator;
use crate::mutate;
use crate::truth::Reader;

fn read<T: DeserializeOwned>(asked: &Value) -> Result<T, String> {
    serde_json::from_value(asked.clone()).map_err(|error| format!("{asked} is not understood: {error}"))
}

impl Emulator {
    /// Changes the account, as `POST /_emulator/mutate` does, and tells what was touched. Nothing is waited for:
    /// where time has to pass between changes, the emulator's clock is advanced.
    ///
    /// ```
    /// # use hubspot_emulator::{Emulator, Options};
    /// # use serde_json::json;
    /// # let emulator = Emulator::new(Options::default());
    /// let done = emulator.mutate(&json!({"objectType": "contacts", "update": 3, "distinct": true}))?;
    /// assert_eq!(done["update"].as_array().map(Vec::len), Some(3));
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In words, when something that is not there is asked for; nothing was changed then.
    pub fn mutate(&self, asked: &Value) -> Result<Value, String> {
        let mutation = read(asked)?;
        mutate::run_now(&self.0, &mutation).map_err(|failure| failure.message.clone())
    }

    /// Everything of one kind that ever was, one JSON object a line, as `GET /_emulator/truth/{name}` answers.
    ///
    /// # Errors
    ///
    /// In words, when the account has nothing of that name.
    pub fn truth(&self, name: &str) -> Result<Vec<u8>, String> {
        let reader = Reader::of(&self.0, name).map_err(|failure| failure.message.clone())?;
        Ok(reader.read_all(&self.0))
    }

    /// Every association from one object type to another, one JSON object a line, as
    /// `GET /_emulator/truth/associations/{from}/{to}` answers.
    ///
    /// # Errors
    ///
    /// In words, when there is no such object type.
    pub fn truth_of_associations(&self, from: &str, to: &str) -> Result<Vec<u8>, String> {
        let reader = Reader::of_associations(&self.0, from, to).map_err(|failure| failure.message.clone())?;
        Ok(reader.read_all(&self.0))
    }

    /// The emulator's time in milliseconds since 1970. It follows tokio's time, also when that is paused.
    pub fn now(&self) -> i64 {
        self.0.clock.now().wall
    }

    /// Lets the emulator's clock jump ahead.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// Stops the clock that stamps records, or lets it go on. Limits and search lag are not concerned.
    pub fn freeze(&self, freeze: bool) {
        self.0.clock.freeze(freeze);
    }

    /// Adds a fault or a list of them, as `POST /_emulator/faults` does.
    ///
    /// # Errors
    ///
    /// In words, when a fault is not understood; none was added then.
    pub fn add_faults(&self, asked: &Value) -> Result<(), String> {
        let faults: Vec<Fault> = match asked {
            Value::Array(_) => read(asked)?,
            one => vec![read(one)?],
        };
        self.0.faults().add(faults)
    }

    /// The faults that are still to come.
    pub fn faults(&self) -> Value {
        json!(self.0.faults().rules())
    }

    /// Forgets every fault.
    pub fn clear_faults(&self) {
        *self.0.faults() = FaultPlan::default();
    }

    /// Sets the emulator's habits, as `POST /_emulator/behaviour` does.
    ///
    /// # Errors
    ///
    /// In words, when a habit is not known; none was changed then.
    pub fn set_behaviour(&self, asked: &Value) -> Result<(), String> {
        let habits = read(asked)?;
        self.0.behave(habits);
        Ok(())
    }

    /// Which requests came in, as `GET /_emulator/requests` answers.
    pub fn requests(&self) -> Value {
        self.0.log().report()
    }

    /// Forgets which requests came in.
    pub fn clear_requests(&self) {
        *self.0.log() = RequestLog::default();
    }
}
