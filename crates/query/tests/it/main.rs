//! Questions against the emulator in process, and against a copy that was made of it. No sockets, no waiting: time is paused.

mod ask;
mod copy;
mod differential;
mod draw;
mod portal;

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, not a number"))
    })
}
