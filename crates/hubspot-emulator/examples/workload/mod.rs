//! What the measurements ask of an emulator, and how they tell what came of it.

use std::io::Write;
use std::time::Duration;

use hubspot_emulator::{Counts, Emulator, Options, Tier};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Sixty property names, as a connector would ask for.
const PROPERTIES: &str = "email,firstname,lastname,phone,mobilephone,company,jobtitle,website,address,city,state,zip,country,\
    lifecyclestage,hs_lead_status,hubspot_owner_id,hs_analytics_source,hs_analytics_source_data_1,hs_analytics_source_data_2,\
    hs_latest_source,hs_latest_source_data_1,hs_latest_source_timestamp,hs_analytics_average_page_views,\
    hs_analytics_first_timestamp,hs_analytics_num_event_completions,hs_analytics_num_page_views,hs_analytics_num_visits,\
    hs_analytics_revenue,hs_email_domain,hs_email_open,hs_email_click,hs_email_delivered,hs_email_optout,hs_marketable_status,\
    hs_marketable_reason_type,num_conversion_events,num_unique_conversion_events,hubspotscore,hs_predictivecontactscore_v2,\
    hs_full_name_or_email,hs_calculated_phone_number,hs_object_source,hs_object_source_id,hs_object_source_label,\
    hs_created_by_user_id,hs_updated_by_user_id,hs_is_unworked,hs_is_contact,hs_count_is_worked,hs_count_is_unworked,\
    customer_number,legacy_score,favourite_colours,newsletter,birthday,contract_end,last_visit_at,discount_rate,\
    erp_reference,contact_notes";

/// The first argument: how many contacts.
pub(crate) fn contacts() -> Outcome<u64> {
    let argument = std::env::args().nth(1);
    Ok(argument.map_or(Ok(1_000_000), |text| text.parse())?)
}

/// An account that limits nobody.
pub(crate) fn emulator(counts: Counts) -> Emulator {
    Emulator::new(Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
    })
}

/// The first id of every account.
pub(crate) const FIRST: u64 = 101;

/// Where the page after the next begins: every page is another one, all over the account.
pub(crate) fn beyond(after: u64, contacts: u64) -> u64 {
    (after + 170) % (contacts * 3 / 2).max(FIRST)
}

/// A page of 100 contacts.
pub(crate) fn list_path(after: u64) -> String {
    format!("/crm/v3/objects/contacts?limit=100&after={after}&properties={PROPERTIES}")
}

pub(crate) const SEARCH_PATH: &str = "/crm/v3/objects/contacts/search";
pub(crate) const SEARCHES: u64 = 2000;

/// 200 contacts in the order of their last modification, each time from another instant and place.
pub(crate) fn search_body(number: u64) -> String {
    let since = 1_546_300_800_000 + number * 110_000_000;
    let after = number % 40 * 200;
    format!(
        r#"{{"filterGroups":[{{"filters":[{{"propertyName":"lastmodifieddate","operator":"GTE","value":"{since}"}}]}}],"sorts":[{{"propertyName":"lastmodifieddate","direction":"ASCENDING"}}],"limit":200,"after":"{after}","properties":["email","firstname","lastname","phone","lifecyclestage"]}}"#
    )
}

/// Tells the middle and the slow end of some times.
pub(crate) fn say_times(what: &str, mut times: Vec<Duration>) -> std::io::Result<()> {
    times.sort_unstable();
    let (median, slow) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    say(&format!("{what}: median {median:?}, p99 {slow:?}"))
}

pub(crate) fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
