//! How many files the process may have open: a pipeline takes about ten, with its lock, its copy and its connections.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Enough for thousands of pipelines, and an amount that every system accepts: macOS refuses more than its own maximum.
const WANTED: u64 = 65_536;

/// Raises the soft limit, which is 1,024 or 256 on many systems, as far as the hard limit allows. A refusal is not an
/// error: whatever cannot be opened later says so.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    let Some(raised) = raised(limit.current, limit.maximum) else {
        return;
    };
    limit.current = Some(raised);
    // Without effect when it is refused, and logging has not started yet.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// The soft limit to set; `None` means no limit in the arguments, and nothing to do in the result.
fn raised(current: Option<u64>, maximum: Option<u64>) -> Option<u64> {
    let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    current.filter(|current| *current < wanted).map(|_| wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_only_ever_raised_and_never_above_the_hard_one() {
        assert_eq!(raised(Some(1_024), None), Some(WANTED));
        assert_eq!(raised(Some(1_024), Some(4_096)), Some(4_096));
        assert_eq!(raised(Some(1_024), Some(1_024)), None);
        assert_eq!(raised(Some(1 << 20), Some(1 << 20)), None);
        assert_eq!(raised(None, None), None);
    }
}
