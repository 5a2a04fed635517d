//! Serves the router on a socket. Not `axum::serve`, because a fault may ask for a connection that closes without
//! an answer, and only an error of the service does that.

use std::future::Future;
use std::io;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::gateway::Dropped;

pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        // Both branches may be dropped: an unfinished accept takes no connection.
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => connect(stream, router.clone(), &graceful),
            // The peer gave up, or there are no more file descriptors, which takes a moment to pass.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
    graceful.shutdown().await;
    Ok(())
}

fn connect(stream: TcpStream, router: Router, graceful: &GracefulShutdown) {
    // Answers are small and written at once; a failure to say so costs only latency.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request| answer(router.clone(), request));
    let mut builder = Builder::new(TokioExecutor::new());
    // The gateway sets the date by the emulator's clock, or leaves it out where a fault asks for that.
    builder.http1().auto_date_header(false);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        // An error here is a closed connection, by the peer or by a fault.
        let _ = watched.await;
    });
}

/// Answers, or fails where the answer must be lost: hyper then closes the connection.
async fn answer(router: Router, request: Request<hyper::body::Incoming>) -> Result<Response<Body>, Dropped> {
    let response = router
        .oneshot(request.map(Body::new))
        .await
        .unwrap_or_else(|never| match never {});
    match response.extensions().get::<Dropped>() {
        Some(dropped) => Err(*dropped),
        None => Ok(response),
    }
}
