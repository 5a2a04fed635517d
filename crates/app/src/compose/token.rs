//! An access token that may be replaced while Spoke runs.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use hubspot_client::{AccessToken, Error, TokenProvider};
use tokio::time::Instant;

use crate::exit::{Failure, Outcome};
use crate::settings::SecretRef;

const KEY: &str = "`access_token`";

/// How long a secret that was read again in vain is not read once more: many calls fail at once, and a program may be
/// slow.
const PAUSE: Duration = Duration::from_secs(5);

/// The token of a connection, read again when its file changes and when HubSpot refuses it.
#[derive(Debug)]
pub(super) struct KeptToken {
    secret: SecretRef,
    held: Mutex<Held>,
    /// When the secret was read again and was still the refused one. Held while it is read, so that calls that fail
    /// together read it once.
    in_vain: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Held {
    token: AccessToken,
    stamp: Option<Stamp>,
}

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    file: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let file = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let file = 0;
        Some(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            file,
        })
    }
}

impl KeptToken {
    pub(super) fn new(secret: &SecretRef) -> Outcome<Self> {
        let held = Held {
            stamp: stamp(secret),
            token: read(secret)?,
        };
        Ok(Self {
            secret: secret.clone(),
            held: Mutex::new(held),
            in_vain: tokio::sync::Mutex::default(),
        })
    }

    fn current(&self) -> AccessToken {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .token
            .clone()
    }

    /// Reads the file if it is another one than last time. One that cannot be read or holds no token is being written:
    /// the token that is held stays, and the next call looks again.
    fn refresh(&self) {
        let now = stamp(&self.secret);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if now.is_none() || now == held.stamp {
            return;
        }
        if let Ok(token) = read(&self.secret) {
            *held = Held { token, stamp: now };
        }
    }

    /// Reads the secret, wherever it is. A program may take its time, so not on the runtime's thread.
    async fn read_again(&self) {
        let secret = self.secret.clone();
        let read = tokio::task::spawn_blocking(move || (stamp(&secret), read(&secret))).await;
        match read {
            Ok((stamp, Ok(token))) => {
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Held { token, stamp };
            }
            Ok((_, Err(error))) => {
                tracing::warn!(
                    "HubSpot refused the access token, and it cannot be read again: {}",
                    error.reason()
                );
            }
            Err(error) => tracing::warn!(%error, "reading the access token again was interrupted"),
        }
    }
}

fn stamp(secret: &SecretRef) -> Option<Stamp> {
    match secret {
        SecretRef::File(path) => Stamp::of(Path::new(path)),
        SecretRef::Env(_) | SecretRef::Command(_) | SecretRef::Literal(_) => None,
    }
}

fn read(secret: &SecretRef) -> Outcome<AccessToken> {
    AccessToken::new(secret.resolve(KEY)?).map_err(|error| Failure::usage(format!("{KEY}: {error}")))
}

#[async_trait]
impl TokenProvider for KeptToken {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.refresh();
        Ok(self.current())
    }

    async fn replace(&self, refused: &AccessToken) -> Result<bool, Error> {
        if matches!(self.secret, SecretRef::Env(_) | SecretRef::Literal(_)) {
            return Ok(false);
        }
        let mut in_vain = self.in_vain.lock().await;
        let is_due = in_vain.is_none_or(|last| last.elapsed() >= PAUSE);
        if self.current() == *refused && is_due {
            self.read_again().await;
            *in_vain = (self.current() == *refused).then(Instant::now);
        }
        Ok(self.current() != *refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder can be made")
    }

    fn token(text: &str) -> AccessToken {
        AccessToken::new(text.to_owned()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_changes_is_read_before_the_next_attempt() {
        let folder = folder();
        let path = folder.path().join("token");
        std::fs::write(&path, "pat-one\n").unwrap();
        let kept = KeptToken::new(&SecretRef::File(path.display().to_string())).unwrap();
        assert!(kept.token().await.unwrap() == token("pat-one"));
        // While it is written anew it is empty for a moment.
        std::fs::write(&path, "").unwrap();
        assert!(kept.token().await.unwrap() == token("pat-one"));
        std::fs::remove_file(&path).unwrap();
        assert!(kept.token().await.unwrap() == token("pat-one"));
        std::fs::write(&path, "pat-second\n").unwrap();
        assert!(kept.token().await.unwrap() == token("pat-second"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_is_asked_again_when_its_token_is_refused_and_not_for_each_call() {
        let folder = folder();
        let path = folder.path().join("token");
        std::fs::write(&path, "pat-one").unwrap();
        let kept = KeptToken::new(&SecretRef::Command(format!("cat {}", path.display()))).unwrap();
        std::fs::write(&path, "pat-two").unwrap();
        assert!(kept.token().await.unwrap() == token("pat-one"));
        assert!(kept.replace(&token("pat-one")).await.unwrap());
        assert!(kept.token().await.unwrap() == token("pat-two"));
        // A call that left with the old token finds the new one there.
        assert!(kept.replace(&token("pat-one")).await.unwrap());
        assert!(
            !kept.replace(&token("pat-two")).await.unwrap(),
            "it is still the same"
        );
        std::fs::write(&path, "pat-three").unwrap();
        assert!(
            !kept.replace(&token("pat-two")).await.unwrap(),
            "asked a moment ago"
        );
        tokio::time::advance(PAUSE).await;
        assert!(kept.replace(&token("pat-two")).await.unwrap());
        std::fs::write(&path, "pat-four").unwrap();
        assert!(
            kept.replace(&token("pat-three")).await.unwrap(),
            "the last one was not in vain"
        );
    }

    #[tokio::test]
    async fn a_token_that_stays_is_not_replaced() {
        let kept = KeptToken::new(&SecretRef::Literal("pat-one".to_owned())).unwrap();
        assert!(!kept.replace(&token("pat-one")).await.unwrap());
        assert!(!format!("{kept:?}").contains("pat-one"));
    }
}
