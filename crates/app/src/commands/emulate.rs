//! `spoke emulate`: a local HubSpot on a port.

use hubspot_emulator::{Counts, Emulator, Options, Token};
use tokio::net::TcpListener;

use crate::cli::Emulate;
use crate::compose::interrupted;
use crate::exit::{Failure, Outcome};
use crate::printer;

/// However many contacts are asked for, the types that nobody asked for stay cheap: a million contacts are to fit
/// into two gigabytes.
const MOST_BY_DEFAULT: u64 = 20_000;

/// Serves until interrupted. The first line on stdout says where.
pub(crate) async fn run(arguments: Emulate) -> Outcome {
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        Failure::environment(format!("cannot listen on `{}`", arguments.listen))
            .because(&error)
            .hint("choose another port with `--listen`, or port 0 for a free one")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::failed("cannot listen").because(&error))?;
    let emulator = Emulator::new(options(arguments));
    printer::data(&format!("listening on http://{address}"));
    printer::note("control: GET /_emulator/health; stop with Ctrl-C");
    hubspot_emulator::serve(listener, emulator, interrupted())
        .await
        .map_err(|error| Failure::failed("the emulator stopped").because(&error))
}

fn options(arguments: Emulate) -> Options {
    let defaults = Options::default();
    let defaults_to = |share: u64| share.min(MOST_BY_DEFAULT);
    let counts = Counts {
        contacts: arguments.contacts,
        companies: arguments
            .companies
            .unwrap_or_else(|| defaults_to(arguments.contacts / 5)),
        deals: arguments
            .deals
            .unwrap_or_else(|| defaults_to(arguments.contacts * 3 / 10)),
        tickets: arguments
            .tickets
            .unwrap_or_else(|| defaults_to(arguments.contacts * 3 / 20)),
        ..defaults.counts
    };
    let tokens = match arguments.tokens {
        tokens if tokens.is_empty() => defaults.tokens,
        tokens => tokens.into_iter().map(Token::new).collect(),
    };
    Options {
        seed: arguments.seed,
        counts,
        clean: arguments.clean,
        tier: arguments.tier,
        search_lag: arguments.search_lag,
        latency: arguments.latency,
        tokens,
        ..Options::default()
    }
}
