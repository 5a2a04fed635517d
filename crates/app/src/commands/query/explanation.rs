//! What a question would ask of HubSpot, for people.

use query::{Explanation, Step};

use crate::exit::Outcome;
use crate::printer;

/// Prints an explanation.
pub(super) fn print(explanation: &Explanation, json: bool) -> Outcome {
    if json {
        return printer::json(explanation);
    }
    explanation.notes.iter().for_each(|note| printer::note(note));
    explanation.steps.iter().for_each(print_step);
    printer::data(&format!("here: {}", explanation.here));
    Ok(())
}

fn print_step(step: &Step) {
    let calls = match step.calls {
        Some(1) => " (1 call)".to_owned(),
        Some(calls) => format!(" ({calls} calls)"),
        None => String::new(),
    };
    printer::data(&format!("{}: {}{calls}", step.table, step.brings));
    let Some(call) = &step.request else { return };
    printer::data(&format!("  {} {}", call.method, call.path));
    if let Some(body) = &call.body {
        printer::data(&format!("  {body}"));
    }
}
