//! Walking a list: page after page, a little ahead of whoever consumes them.

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::PageTrail;
use crate::{
    client::Client,
    decode,
    error::Error,
    http::Request,
    record::{Next, RawPage},
    request::objects::List,
};

impl Client {
    /// All pages of a list, from `list.after` on. While one page is consumed the next is ready, another is read and
    /// the one after that is on its way, in a task of their own; dropping the stream abandons them. Ends after the first error.
    ///
    /// # Errors
    /// [`Error::RepeatedPage`] when the pages go in a circle, [`Error::EmptyPages`] when they stay empty, and those of
    /// [`list_objects`](Client::list_objects).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn pages(&self, list: List) -> impl Stream<Item = Result<RawPage, Error>> + Send + use<> {
        let walk = Walk::new(self.clone(), list);
        async_stream::stream! {
            let (pages, mut ready) = mpsc::channel(1);
            // Dropping the set, with the stream, aborts the walk.
            let mut task = JoinSet::new();
            task.spawn(walk.run(pages).in_current_span());
            while let Some(page) = ready.recv().await {
                yield page;
            }
        }
    }

    pub(crate) async fn page(&self, stream: &str, request: Request) -> Result<RawPage, Error> {
        let read = |body: &Bytes| decode::collection(body).map(|page| (body.clone(), page));
        let (body, page) = self.fetch(request, |response| read(response.body())).await?;
        let next = self.next(stream, page.next)?;
        Ok(RawPage {
            body,
            results: page.results,
            next,
        })
    }
}

/// Where a walk stands.
struct Walk {
    client: Client,
    list: List,
    /// What to ask for next; `None` when the last page was read.
    position: Option<Position>,
    trail: PageTrail,
    /// The request that is ahead, and what it asks for. Dropping the set aborts it.
    ahead: Option<(Position, JoinSet<Result<Bytes, Error>>)>,
}

/// An `after`, or the beginning.
type Position = Option<String>;

impl Walk {
    fn new(client: Client, list: List) -> Self {
        let position = Some(list.after.clone());
        let trail = PageTrail::from(list.object_type.clone(), list.after.as_deref());
        Self {
            client,
            list,
            position,
            trail,
            ahead: None,
        }
    }

    /// Reads until the end, the first error, or until nobody wants more.
    async fn run(mut self, pages: mpsc::Sender<Result<RawPage, Error>>) {
        while let Some(page) = self.next_page().await.transpose() {
            let failed = page.is_err();
            if pages.send(page).await.is_err() || failed {
                return;
            }
        }
    }

    async fn next_page(&mut self) -> Result<Option<RawPage>, Error> {
        let Some(position) = self.position.take() else {
            return Ok(None);
        };
        let body = self.body(&position).await?;
        // Ask for the next page before reading this one: its last bytes tell where that is.
        if let Some(after) = decode::next_after(&body).filter(|after| !self.trail.holds(after)) {
            self.send_ahead(Some(after))?;
        }
        let page = self.read(&position, body).await?;
        self.position = self.step(&page)?;
        Ok(Some(page))
    }

    /// The body at a position: the one that is on its way, if it is that one.
    async fn body(&mut self, position: &Position) -> Result<Bytes, Error> {
        if self.ahead.as_ref().is_none_or(|(at, _)| at != position) {
            self.send_ahead(position.clone())?;
        }
        let (_, mut task) = self.ahead.take().expect("`send_ahead` filled it");
        let joined = task.join_next().await.expect("the set holds one task");
        joined.map_err(|error| Error::Invalid(format!("the task that reads pages ended: {error}")))?
    }

    fn send_ahead(&mut self, position: Position) -> Result<(), Error> {
        let request = self.request(&position)?;
        let client = self.client.clone();
        let mut task = JoinSet::new();
        let fetch = async move { client.send(request).await.map(http::Response::into_body) };
        task.spawn(fetch.in_current_span());
        self.ahead = Some((position, task));
        Ok(())
    }

    fn request(&self, position: &Position) -> Result<Request, Error> {
        self.list
            .request_after(self.client.api_version(), position.as_deref())
    }

    async fn read(&self, position: &Position, body: Bytes) -> Result<RawPage, Error> {
        match decode::collection(&body) {
            Ok(page) => {
                let next = self.client.next(&self.list.object_type, page.next)?;
                Ok(RawPage {
                    body,
                    results: page.results,
                    next,
                })
            }
            // Anything wrong is read again the plain way, which repeats what was cut and names what is not JSON.
            Err(_) => {
                self.client
                    .page(&self.list.object_type, self.request(position)?)
                    .await
            }
        }
    }

    /// Where to go after a page; refuses to go in a circle.
    fn step(&mut self, page: &RawPage) -> Result<Option<Position>, Error> {
        let Some(Next { after }) = &page.next else {
            return Ok(None);
        };
        self.trail.follow(page.results.len(), after)?;
        Ok(Some(Some(after.clone())))
    }
}
