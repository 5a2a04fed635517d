//! Secrets by reference: the file says where a secret is, never what it is.

use std::fmt;
use std::process::Command;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::exit::{Failure, Outcome};

/// The ways to refer to a secret, for messages.
const WAYS: &str =
    "`env:NAME`, `file:PATH` or `cmd:PROGRAM`; a secret in the file itself must say so: `literal:…`";

/// Where a secret is to be found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretRef {
    /// An environment variable.
    Env(String),
    /// The content of a file, line breaks at its end left out.
    File(String),
    /// What a program prints, line breaks at its end left out. Run without a shell, split at blanks.
    Command(String),
    /// The secret itself, on purpose.
    Literal(String),
}

impl SecretRef {
    /// Reads `text`; `None` when it names no way, which a literal secret would not.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        match scheme {
            "env" => Some(Self::Env(rest.to_owned())),
            "file" => Some(Self::File(rest.to_owned())),
            "cmd" => Some(Self::Command(rest.to_owned())),
            "literal" => Some(Self::Literal(rest.to_owned())),
            _ => None,
        }
    }

    /// The secret. `what` names the setting in errors.
    pub(crate) fn resolve(&self, what: &str) -> Outcome<SecretString> {
        let text = match self {
            Self::Env(name) => from_env(name, what)?,
            Self::File(path) => from_file(path, what)?,
            Self::Command(line) => from_command(line, what)?,
            Self::Literal(text) => text.clone(),
        };
        Ok(SecretString::from(text))
    }
}

fn from_env(name: &str, what: &str) -> Outcome<String> {
    std::env::var(name).map_err(|error| {
        Failure::usage(format!(
            "{what} refers to the environment variable `{name}`, and {error}"
        ))
        .hint(format!("set it before the call: `export {name}=…`"))
    })
}

fn from_file(path: &str, what: &str) -> Outcome<String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!(
            "{what} refers to the file `{path}`, which cannot be read"
        ))
        .because(&error)
    })?;
    Ok(without_line_end(&text))
}

fn from_command(line: &str, what: &str) -> Outcome<String> {
    let mut words = line.split_whitespace();
    let program = words
        .next()
        .ok_or_else(|| Failure::usage(format!("{what}: `cmd:` names no program")))?;
    let output = Command::new(program).args(words).output().map_err(|error| {
        Failure::usage(format!("{what}: the program `{program}` cannot be run")).because(&error)
    })?;
    if !output.status.success() {
        // Its stderr is not repeated: a careless program may print the secret there.
        return Err(Failure::usage(format!(
            "{what}: the program `{program}` ended with {}",
            output.status
        )));
    }
    Ok(without_line_end(&String::from_utf8_lossy(&output.stdout)))
}

/// Editors and `echo` end a file with a line break that nobody means; one in the middle is the token's own
/// trouble and is reported where the token is used.
fn without_line_end(text: &str) -> String {
    text.trim_end_matches(['\r', '\n']).to_owned()
}

/// References are no secrets; a literal is masked.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Command(line) => write!(f, "cmd:{line}"),
            Self::Literal(_) => f.write_str("literal:***"),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "a secret must not stand in the file; refer to it with {WAYS}"
            ))
        })
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": format!("Where the secret is: {WAYS}."),
            "pattern": "^(env|file|cmd|literal):",
            "examples": ["env:HUBSPOT_ACCESS_TOKEN"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn resolve(text: &str) -> Outcome<String> {
        let secret = SecretRef::parse(text)
            .expect("a reference")
            .resolve("`access_token`")?;
        Ok(secret.expose_secret().to_owned())
    }

    #[test]
    fn a_file_loses_its_last_line_break_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "to ken\r\n").unwrap();
        assert_eq!(
            resolve(&format!("file:{}", file.path().display())).unwrap(),
            "to ken"
        );
    }

    #[test]
    fn a_program_gives_what_it_prints() {
        assert_eq!(resolve("cmd:echo to ken").unwrap(), "to ken");
        assert!(resolve("cmd:false").is_err());
    }

    #[test]
    fn a_missing_variable_is_named() {
        let failure = resolve("env:SPOKE_NO_SUCH_VARIABLE").unwrap_err();
        assert!(format!("{failure:?}").contains("SPOKE_NO_SUCH_VARIABLE"));
    }

    #[test]
    fn a_literal_is_never_shown() {
        let secret = SecretRef::parse("literal:hunter2").unwrap();
        assert_eq!(
            format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap()),
            "literal:*** literal:*** \"literal:***\""
        );
    }

    #[test]
    fn a_bare_token_is_no_reference() {
        assert_eq!(SecretRef::parse("pat-na1-secret"), None);
        assert_eq!(SecretRef::parse("https://x"), None);
    }
}
