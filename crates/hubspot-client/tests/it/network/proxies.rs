//! Two proxies that want `me` and a password.

use std::net::Ipv4Addr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::PASSWORD;

/// `me:hunter2` in base64.
const LOGIN: &str = "Basic bWU6aHVudGVyMg==";

/// Speaks CONNECT, and answers plain requests itself. Ends with the test's runtime.
pub(super) async fn connect_proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve_connect(client));
        }
    });
    address
}

async fn serve_connect(mut client: TcpStream) {
    let head = super::servers::read_head(&mut client).await;
    let known = head.lines().any(|line| {
        line.split_once(": ")
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("proxy-authorization") && value == LOGIN)
    });
    let (method, rest) = head.split_once(' ').unwrap_or_default();
    let target = rest.split(' ').next().unwrap_or_default();
    if !known {
        let _ = client
            .write_all(b"HTTP/1.1 407 X\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")
            .await;
    } else if method == "CONNECT" {
        let mut server = TcpStream::connect(target).await.unwrap();
        client.write_all(b"HTTP/1.1 200 X\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    } else {
        let _ = client.write_all(super::servers::ANSWER).await;
    }
}

/// Speaks SOCKS 5 with user and password (RFC 1928, RFC 1929), to addresses of version 4.
pub(super) async fn socks_proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve_socks(client));
        }
    });
    address
}

async fn serve_socks(mut client: TcpStream) -> std::io::Result<()> {
    let _version = client.read_u8().await?;
    read_counted(&mut client).await?;
    client.write_all(&[5, 2]).await?;
    let _version = client.read_u8().await?;
    let user = read_counted(&mut client).await?;
    let password = read_counted(&mut client).await?;
    if user != b"me" || password != PASSWORD.as_bytes() {
        return client.write_all(&[1, 1]).await;
    }
    client.write_all(&[1, 0]).await?;
    let mut request = [0; 10];
    client.read_exact(&mut request).await?;
    let port = u16::from_be_bytes([request[8], request[9]]);
    let host = Ipv4Addr::new(request[4], request[5], request[6], request[7]);
    let mut server = TcpStream::connect((host, port)).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

async fn read_counted(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
