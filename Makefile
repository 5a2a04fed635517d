# The targets are what CI runs; each is one `cargo xtask` command, so they work without make as well.

.PHONY: test lint soak peers bench bench-emulator bench-write

# Installs what the tests need (and says what), then runs every check and every test.
test:
	cargo xtask ci

# Formatting, clippy, crate arrows.
lint:
	cargo xtask lint

# Random schedules of changes, faults, lag and crashes against the copy, for SECONDS (600); then 16 runs of real processes
# behind a gateway that lies.
SECONDS ?= 600
soak:
	cargo xtask soak $(SECONDS)

# Popular connectors read from the emulator; they are large to install, so this is no part of `test`.
peers:
	cargo xtask peers

# Numbers, not tests: prints calls, records/s, peak memory and ratios. See docs/benchmarks.md.
bench:
	cargo xtask bench

# The emulator over loopback: list pages a second, a static file server of the same bytes, search times.
bench-emulator:
	cargo xtask bench-emulator

# Upserts into a Pro account, beside a loop over HubSpot's official client.
bench-write:
	cargo xtask bench-write
