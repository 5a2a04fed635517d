//! An HTTP server that misbehaves as told: one reply per connection, in order.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What to do with a connection once its request was read.
pub(crate) enum Reply {
    /// Send these bytes and close.
    Bytes(Vec<u8>),
    /// Send these bytes, then nothing, and keep the connection open.
    Stall(Vec<u8>),
    /// Send the head, then a byte now and then, for ever.
    Drip,
}

/// A whole answer.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Reply {
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    Reply::Bytes([head.as_bytes(), body].concat())
}

pub(crate) fn json(body: &str) -> Reply {
    answer(200, "content-type: application/json\r\n", body.as_bytes())
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Replies in order; connections beyond the last reply are closed without an answer.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::default();
        let task = tokio::spawn(serve(listener, replies, Arc::clone(&heads)));
        Self { address, heads, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The head of each request, as it came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, replies: Vec<Reply>, heads: Arc<Mutex<Vec<String>>>) {
    let mut replies = replies.into_iter();
    // Kept, because dropping a stalled connection would end it.
    let mut open = Vec::new();
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let head = read_head(&mut connection).await;
        heads.lock().unwrap().push(head);
        match replies.next() {
            Some(Reply::Bytes(bytes)) => {
                let _ = connection.write_all(&bytes).await;
                let _ = connection.shutdown().await;
            }
            Some(Reply::Stall(bytes)) => {
                let _ = connection.write_all(&bytes).await;
                open.push(connection);
            }
            Some(Reply::Drip) => drop(tokio::spawn(drip(connection))),
            None => drop(connection),
        }
    }
}

async fn read_head(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn drip(mut connection: TcpStream) {
    let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{";
    let mut clock = tokio::time::interval(Duration::from_millis(5));
    let mut alive = connection.write_all(head.as_bytes()).await.is_ok();
    while alive {
        clock.tick().await;
        alive = connection.write_all(b" ").await.is_ok();
    }
}
