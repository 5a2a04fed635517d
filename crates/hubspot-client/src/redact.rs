//! What of a URL may be written down.
//!
//! Queries never are. Of a path, segments that hold a token (OAuth introspection puts it there, hubspot-api notes §4)
//! or an e-mail address (a record read by e-mail) are replaced.

const MASK: &str = "***";

/// A path with the segments masked that may be secret or personal.
pub(crate) fn path(path: &str) -> String {
    let mut after_token_word = false;
    let mask = |segment| {
        let hide = after_token_word || segment_is_private(segment);
        after_token_word = matches!(segment, "access-tokens" | "refresh-tokens");
        if hide { MASK } else { segment }
    };
    path.split('/').map(mask).collect::<Vec<_>>().join("/")
}

fn segment_is_private(segment: &str) -> bool {
    segment.starts_with("pat-") || segment.contains('@') || segment.contains("%40")
}

/// Host and port without user and password.
pub(crate) fn authority(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_addresses_in_a_path_are_masked() {
        assert_eq!(path("/oauth/v1/access-tokens/abc"), "/oauth/v1/access-tokens/***");
        assert_eq!(
            path("/crm/v3/objects/contacts/a%40b.c"),
            "/crm/v3/objects/contacts/***"
        );
        assert_eq!(path("/x/pat-na1-1234"), "/x/***");
        assert_eq!(
            path("/crm/v3/objects/contacts/512"),
            "/crm/v3/objects/contacts/512"
        );
    }

    #[test]
    fn a_user_in_a_url_is_dropped() {
        assert_eq!(authority("user:pw@host:1"), "host:1");
        assert_eq!(authority("host:1"), "host:1");
    }
}
