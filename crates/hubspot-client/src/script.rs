//! A scripted service for the unit tests of the layers: answers in order, remembers what was asked and when.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::{Instant, sleep};

use crate::http::{HttpError, HttpErrorKind, HttpService, Request, Response};

/// What to do with one request.
#[derive(Debug)]
pub(crate) enum Step {
    Answer(Response),
    Fail(HttpErrorKind),
    /// Takes this long each way.
    Slow(Duration, Box<Step>),
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Step {
    let response = http::Response::builder().status(status);
    let response = headers
        .iter()
        .fold(response, |response, (name, value)| response.header(*name, *value));
    Step::Answer(response.body(Bytes::from_static(body.as_bytes())).unwrap())
}

pub(crate) fn ok() -> Step {
    answer(200, &[], "{}")
}

pub(crate) fn slow(seconds: f64, step: Step) -> Step {
    Step::Slow(Duration::from_secs_f64(seconds), Box::new(step))
}

/// Answers as scripted; once the script is over, with an empty 200.
#[derive(Debug)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<(String, f64)>>,
    start: Instant,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        let steps = Mutex::new(steps.into_iter().collect());
        Arc::new(Self {
            steps,
            seen: Mutex::default(),
            start: Instant::now(),
        })
    }

    /// When each request arrived, in seconds since the script began.
    pub(crate) fn times(&self) -> Vec<f64> {
        self.seen.lock().unwrap().iter().map(|(_, at)| *at).collect()
    }

    /// Path and query of each request, in order of arrival.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(target, _)| target.clone())
            .collect()
    }
}

#[async_trait]
impl HttpService for Script {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let mut step = self.steps.lock().unwrap().pop_front().unwrap_or_else(ok);
        let mut way = Duration::ZERO;
        while let Step::Slow(each, inner) = step {
            (way, step) = (way + each, *inner);
        }
        sleep(way).await;
        let target = request.uri().path_and_query().unwrap().to_string();
        self.seen
            .lock()
            .unwrap()
            .push((target, self.start.elapsed().as_secs_f64()));
        sleep(way).await;
        match step {
            Step::Answer(response) => Ok(response),
            Step::Fail(kind) => Err(HttpError::new(kind, &request)),
            Step::Slow(..) => unreachable!("unwrapped above"),
        }
    }
}
