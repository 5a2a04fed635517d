//! A request that HubSpot would refuse, with the facts its error body carries (hubspot-api notes §3.1).
//! Texts marked `believed` in `parity/` are not confirmed.

use std::ops::Deref;

use serde_json::{Map, Value, json};

use crate::state::object_type::is_not_emulated;

/// Why a request is refused. Boxed, because it travels in every `Result`.
#[derive(Debug, Clone)]
pub(crate) struct Failure(Box<Facts>);

/// Everything but the correlation id, which the gateway adds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) category: Option<&'static str>,
    pub(crate) sub_category: Option<&'static str>,
    pub(crate) errors: Vec<Value>,
    pub(crate) context: Vec<(&'static str, Vec<String>)>,
    /// Further members of the body, such as `policyName` or `links`.
    pub(crate) extra: Vec<(&'static str, Value)>,
}

/// One property value that was refused.
#[derive(Debug, Clone)]
pub(crate) struct BadValue {
    pub(crate) property: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            status,
            message: message.into(),
            ..Facts::default()
        }))
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = status;
        self
    }

    pub(crate) fn category(mut self, category: &'static str) -> Self {
        self.0.category = Some(category);
        self
    }

    pub(crate) fn sub_category(mut self, sub_category: &'static str) -> Self {
        self.0.sub_category = Some(sub_category);
        self
    }

    pub(crate) fn context(mut self, key: &'static str, values: Vec<String>) -> Self {
        self.0.context.push((key, values));
        self
    }

    pub(crate) fn extra(mut self, key: &'static str, value: Value) -> Self {
        self.0.extra.push((key, value));
        self
    }

    pub(crate) fn error(mut self, error: Value) -> Self {
        self.0.errors.push(error);
        self
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, message).category("VALIDATION_ERROR")
    }

    /// 404 for an unknown record, as recorded (hubspot-api notes §3.1).
    pub(crate) fn not_found() -> Self {
        Self::new(404, "resource not found")
    }

    /// What HubSpot says of a type that it does not know; of one that only the emulator does not know, the
    /// emulator says so.
    pub(crate) fn unknown_type(name: &str) -> Self {
        if is_not_emulated(name) {
            let message = format!(
                "The object type {name} is not emulated. The emulator answers 501 instead of making something up."
            );
            return Self::new(501, message).category("NOT_EMULATED");
        }
        Self::validation(format!("Unable to infer object type from: {name}"))
    }

    /// 400 with each refused value told twice: inside the message and in `errors`.
    pub(crate) fn bad_values(portal_id: u64, bad: &[BadValue]) -> Self {
        let inside: Vec<Value> = bad.iter().map(|value| value.inside_message(portal_id)).collect();
        let list = serde_json::to_string(&inside).unwrap_or_default();
        let mut failure = Self::validation(format!("Property values were not valid: {list}"));
        failure.0.errors = bad.iter().map(BadValue::detail).collect();
        failure
    }

    /// The body, with the correlation id of the answer.
    pub(crate) fn body(&self, correlation_id: &str) -> Value {
        let mut body = Map::new();
        body.insert("status".into(), "error".into());
        body.insert("message".into(), self.message.clone().into());
        body.insert("correlationId".into(), correlation_id.into());
        self.add_optional(&mut body);
        body.into()
    }

    /// The same facts as an item of a batch answer's `errors`.
    pub(crate) fn batch_item(&self) -> Value {
        let mut body = Map::new();
        body.insert("status".into(), "error".into());
        body.insert("message".into(), self.message.clone().into());
        self.add_optional(&mut body);
        body.into()
    }

    fn add_optional(&self, body: &mut Map<String, Value>) {
        if !self.context.is_empty() {
            let context = self
                .context
                .iter()
                .map(|(key, values)| ((*key).to_owned(), json!(values)));
            body.insert("context".into(), Value::Object(context.collect()));
        }
        if !self.errors.is_empty() {
            body.insert("errors".into(), self.errors.clone().into());
        }
        if let Some(category) = self.category {
            body.insert("category".into(), category.into());
        }
        if let Some(sub_category) = self.sub_category {
            body.insert("subCategory".into(), sub_category.into());
        }
        body.extend(
            self.extra
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone())),
        );
    }
}

impl Deref for Failure {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl BadValue {
    pub(crate) fn new(property: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            property: property.to_owned(),
            code,
            message: message.into(),
        }
    }

    fn inside_message(&self, portal_id: u64) -> Value {
        json!({
            "isValid": false,
            "message": self.message,
            "error": self.code,
            "name": self.property,
            "localizedErrorMessage": self.message,
            "portalId": portal_id,
        })
    }

    fn detail(&self) -> Value {
        json!({"message": self.message, "code": self.code, "context": {"propertyName": [self.property]}})
    }
}
