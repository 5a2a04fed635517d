//! The way to HubSpot: proxies that want a password, private certificate authorities, certificates of one's own;
//! against real servers on ports of this machine.

mod proxies;
mod servers;

use std::error::Error as _;

use hubspot_client::{Error, HttpErrorKind, Network, Proxy, ProxyServer, Tls};
use secrecy::SecretString;

use self::{
    proxies::{connect_proxy, socks_proxy},
    servers::{Authority, plain_server, tls_server},
};
use crate::builder;

const PASSWORD: &str = "hunter2";

async fn call(url: &str, network: Network) -> Result<(), Error> {
    let client = builder().base_url(url).network(network).build()?;
    client.record_limits().await.map(drop)
}

fn through(scheme: &str, address: &str, password: &str) -> Proxy {
    let server = ProxyServer::new(&format!("{scheme}://{address}")).unwrap();
    Proxy::Server(server.with_login("me", password))
}

fn trusting(authority: &Authority) -> Tls {
    Tls {
        authorities: Some(authority.pem().into_bytes()),
        only_authorities: true,
        identity: None,
    }
}

/// The kind of a transport's error, which holds no password whatever it says.
fn kind(result: Result<(), Error>) -> (HttpErrorKind, String) {
    let error = result.unwrap_err();
    let text = format!("{error} {:?} {:?}", error.source(), error.hint());
    assert!(!text.contains(PASSWORD) && !text.contains("wrong"), "{text}");
    match &error {
        Error::Http(http) => (http.kind(), text),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tunnel_is_dug_with_the_password_and_not_without() {
    let authority = Authority::new();
    let server = tls_server(&authority, None).await;
    let proxy = connect_proxy().await;
    let network = |password| Network {
        proxy: through("http", &proxy, password),
        tls: trusting(&authority),
    };
    call(&server, network(PASSWORD)).await.unwrap();
    let (kind, text) = kind(call(&server, network("wrong")).await);
    assert_eq!(kind, HttpErrorKind::ProxyLogin);
    assert!(text.contains(&proxy), "{text}");
}

#[tokio::test]
async fn plain_requests_pass_the_proxy_with_the_password_and_not_without() {
    let proxy = connect_proxy().await;
    let network = |password| Network {
        proxy: through("http", &proxy, password),
        tls: Tls::default(),
    };
    // Nobody is there: the proxy answers.
    call("http://hubspot.invalid", network(PASSWORD)).await.unwrap();
    let (kind, text) = kind(call("http://hubspot.invalid", network("wrong")).await);
    assert_eq!(kind, HttpErrorKind::ProxyLogin);
    assert!(text.contains(&proxy), "{text}");
}

#[tokio::test]
async fn a_host_that_is_excepted_is_reached_without_the_proxy() {
    let (server, proxy) = (plain_server().await, connect_proxy().await);
    let network = |except: &str| {
        let proxy = ProxyServer::new(&format!("http://{proxy}")).unwrap();
        Network {
            proxy: Proxy::Server(proxy.with_login("me", "wrong").except([except.to_owned()])),
            tls: Tls::default(),
        }
    };
    call(&server, network("127.0.0.0/8")).await.unwrap();
    let (kind, _) = kind(call(&server, network("hubspot.invalid")).await);
    assert_eq!(kind, HttpErrorKind::ProxyLogin);
}

#[tokio::test]
async fn socks_is_spoken_with_the_password_and_not_without() {
    let server = plain_server().await;
    let proxy = socks_proxy().await;
    let network = |password| Network {
        proxy: through("socks5", &proxy, password),
        tls: Tls::default(),
    };
    call(&server, network(PASSWORD)).await.unwrap();
    let (kind, text) = kind(call(&server, network("wrong")).await);
    assert_eq!(kind, HttpErrorKind::ProxyLogin);
    assert!(text.contains(&proxy), "{text}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    drop(listener);
    let network = Network {
        proxy: through("http", &proxy, PASSWORD),
        tls: Tls::default(),
    };
    let (kind, text) = kind(call("https://hubspot.invalid", network).await);
    assert_eq!(kind, HttpErrorKind::Connect);
    assert!(
        text.contains(&proxy) && text.contains("hubspot.invalid"),
        "{text}"
    );
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_given_alone_or_besides_the_public_ones() {
    let authority = Authority::new();
    let server = tls_server(&authority, None).await;
    let network = |tls| Network {
        proxy: Proxy::None,
        tls,
    };
    call(&server, network(trusting(&authority))).await.unwrap();
    let besides = Tls {
        only_authorities: false,
        ..trusting(&authority)
    };
    call(&server, network(besides)).await.unwrap();
    let (kind, _) = kind(call(&server, network(Tls::default())).await);
    assert_eq!(kind, HttpErrorKind::Tls);
}

#[tokio::test]
async fn a_server_that_asks_who_calls_is_answered() {
    let authority = Authority::new();
    let server = tls_server(&authority, Some(&authority)).await;
    let (certificate, key) = authority.issue("a client");
    let known = Tls {
        identity: Some((certificate.into_bytes(), SecretString::from(key))),
        ..trusting(&authority)
    };
    let network = |tls| Network {
        proxy: Proxy::None,
        tls,
    };
    call(&server, network(known)).await.unwrap();
    let (kind, text) = kind(call(&server, network(trusting(&authority))).await);
    assert_eq!(kind, HttpErrorKind::Tls);
    assert!(text.contains("certificate"), "{text}");
}
