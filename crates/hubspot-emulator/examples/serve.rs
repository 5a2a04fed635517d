//! Serves an emulator: `cargo run -p hubspot-emulator --example serve -- [PORT] [CONTACTS] [TIER] [clean]`.

use std::io::Write;

use hubspot_emulator::{Counts, Emulator, Options, Tier, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let contacts: u64 = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let tier: Tier = arguments.next().map_or(Ok(Tier::Pro), |text| text.parse())?;
    let counts = Counts {
        contacts,
        ..Counts::default()
    };
    let clean = arguments.next().is_some_and(|word| word == "clean");
    let emulator = Emulator::new(Options {
        counts,
        clean,
        tier,
        ..Options::default()
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(
        std::io::stdout(),
        "listening on http://{}",
        listener.local_addr()?
    )?;
    let interrupted = async {
        // Without a handler the signal's default stays, which also ends the program.
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(listener, emulator, interrupted).await?;
    Ok(())
}
