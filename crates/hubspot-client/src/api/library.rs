//! What an account has and may have. The answers are kept as HubSpot writes them: their shape is not documented well
//! enough to name it.

use serde_json::Value;

use crate::{client::Client, error::Error, request};

impl Client {
    /// How many records of each type there are and may be: cheap totals.
    pub async fn record_limits(&self) -> Result<Value, Error> {
        self.define(request::library::records(self.api_version())?).await
    }

    /// Which of the newer objects are switched on; of one type, if named by its id.
    pub async fn object_library(&self, object_type_id: Option<&str>) -> Result<Value, Error> {
        let request = request::library::enablement(self.api_version(), object_type_id)?;
        self.define(request).await
    }
}
