//! Many who read at once: each gets its share, the limits are used, and HubSpot never has to say 429.

use std::{pin::pin, time::Duration};

use futures_util::{
    StreamExt,
    future::{join_all, try_join_all},
};
use hubspot_client::{
    Client, Priority,
    request::{objects::List, search::SearchRequest},
};
use hubspot_emulator::{Counts, Options, Tier};
use tokio::time::{Instant, timeout_at};

use crate::emulated::Account;

/// How long everybody reads. A multiple of HubSpot's ten seconds.
const MINUTE: Duration = Duration::from_mins(1);

/// A portal whose answers take some time, as HubSpot's do.
fn account() -> Account {
    Account::with(Options {
        tier: Tier::Pro,
        latency: Duration::from_millis(50),
        counts: Counts {
            contacts: 2_000,
            companies: 10,
            ..Counts::none()
        },
        ..Options::default()
    })
}

/// Walks the contacts record by record, again and again, and counts the pages.
async fn walk(client: Client, until: Instant) -> u64 {
    let mut count = 0;
    while Instant::now() < until {
        let mut pages = pin!(client.pages(List::new("contacts").with_limit(1)));
        while let Ok(Some(page)) = timeout_at(until, pages.next()).await {
            page.unwrap();
            count += 1;
        }
    }
    count
}

async fn search(client: Client, until: Instant) -> u64 {
    let (mut count, search) = (0, SearchRequest::new().with_limit(1));
    while let Ok(found) = timeout_at(until, client.search("contacts", &search)).await {
        found.unwrap();
        count += 1;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn walkers_and_searchers_share_their_limits_evenly_and_use_them_up() {
    let account = account();
    let client = account.client().with_priority(Priority::Snapshot);
    // The first answer tells how much the account may do.
    client.list_objects(&List::new("companies")).await.unwrap();
    let until = Instant::now() + MINUTE;
    // Each in a task of its own: in one task, those whose answers come at the same instant would go on in an order of
    // the task's own.
    let walks: Vec<_> = (0..7)
        .map(|_| tokio::spawn(walk(client.clone(), until)))
        .collect();
    let searches: Vec<_> = (0..6)
        .map(|_| tokio::spawn(search(client.clone(), until)))
        .collect();
    let walks = try_join_all(walks).await.unwrap();
    let searches = try_join_all(searches).await.unwrap();

    assert_eq!(account.refused().await, 0, "{:?}", client.limiter().stats());
    // A call under way when the minute ends is nobody's.
    for shares in [&walks, &searches] {
        let (most, least) = (shares.iter().max().unwrap(), shares.iter().min().unwrap());
        assert!(most - least <= 3, "{shares:?}");
    }
    let (pages, found): (u64, u64) = (walks.iter().sum(), searches.iter().sum());
    assert!(pages >= 190 * 6 * 9 / 10, "{pages} pages of {}", 190 * 6);
    assert!(found >= 5 * 60 * 9 / 10, "{found} searches of {}", 5 * 60);
}

/// A hundred calls that are there first do not keep a walk that comes later from its turns: it is in the queue once,
/// and they are served in order.
#[tokio::test(start_paused = true)]
async fn who_asks_for_more_at_once_does_not_get_more_than_its_turns() {
    let account = account();
    let client = account.client();
    let list = List::new("contacts").with_limit(1);
    client.list_objects(&list).await.unwrap();
    let until = Instant::now() + MINUTE;
    let greedy = async {
        let mut count = 0;
        while let Ok(pages) = timeout_at(until, join_all((0..3).map(|_| client.list_objects(&list)))).await {
            count += pages.len() as u64;
        }
        count
    };
    let modest = async {
        let mut count = 0;
        while timeout_at(until, client.list_objects(&list)).await.is_ok() {
            count += 1;
        }
        count
    };
    let (greedy, modest): (u64, u64) = tokio::join!(greedy, modest);
    assert_eq!(account.refused().await, 0);
    assert!(
        // Each of the six windows may end between two turns.
        greedy.abs_diff(modest * 3) <= 3 * 6,
        "{greedy} of three at once, {modest} of one"
    );
}
