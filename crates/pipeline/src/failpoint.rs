//! Named instants at which a crash test ends the process (invariant 8).
//!
//! `SPOKE_FAILPOINT=name` aborts at the first passing of `name`, `SPOKE_FAILPOINT=name:3` at the third. Without
//! the feature `failpoints` the macro is empty.

/// Marks an instant at which a crash must lose nothing.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::hit($name);
    };
}
pub(crate) use failpoint;

#[cfg(feature = "failpoints")]
pub(crate) fn hit(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static CHOSEN: LazyLock<Option<(String, u64)>> =
        LazyLock::new(|| std::env::var("SPOKE_FAILPOINT").ok().map(|text| parse(&text)));
    static PASSED: AtomicU64 = AtomicU64::new(0);

    if let Some((_, at)) = CHOSEN.as_ref().filter(|(chosen, _)| chosen == name)
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *at
    {
        // Not `exit`: no destructor may tidy up, as after `kill -9`.
        std::process::abort();
    }
}

#[cfg(feature = "failpoints")]
fn parse(text: &str) -> (String, u64) {
    match text.rsplit_once(':').map(|(name, at)| (name, at.parse())) {
        Some((name, Ok(at))) => (name.to_owned(), at),
        _ => (text.to_owned(), 1),
    }
}
