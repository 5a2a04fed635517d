//! What the program says about itself.

use crate::support::Workplace;

#[test]
fn help_lists_every_command_and_the_exit_codes() {
    let text = Workplace::new().run(&["--help"]).ok().stdout;
    for command in [
        "demo",
        "emulate",
        "check",
        "objects",
        "describe",
        "get",
        "schema",
        "property",
        "associate",
        "merge",
        "gdpr-delete",
        "actions",
        "sync",
        "status",
        "state",
        "plan",
        "audit",
        "config",
        "completions",
    ] {
        assert!(
            text.contains(&format!("\n  {command}")),
            "{command} is not in {text}"
        );
    }
    assert!(text.contains("3 environment"), "{text}");
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Workplace::new().run(&["completions", shell]).ok().stdout;
        assert!(script.contains("spoke"), "{shell}");
    }
}

#[test]
fn an_unknown_command_is_bad_usage() {
    Workplace::new().run(&["snyc"]).fails(2, &["snyc", "sync"]);
}
