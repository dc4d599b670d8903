use auth::cookie;
use auth::credential::{Source, find};

const NAME: &str = "__Host-session";

/// The first line is an `Authorization` header, the rest a `Cookie` header.
pub fn credential(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (authorization, cookies) = text.split_once('\n').unwrap_or(("", &text));
    let found = find(Some(authorization), Some(cookies), NAME);
    if let Ok(Some(found)) = found {
        let whole = if found.source == Source::Bearer { authorization } else { cookies };
        assert!(whole.contains(found.token), "{:?} was not sent", found.token);
    }
    let values: Vec<&str> = cookie::values(cookies, NAME).collect();
    let differ = values.iter().any(|value| !value.is_empty() && *value != values[0]);
    assert!(!differ || values[0].is_empty() || found.is_err(), "a choice among {values:?}");
    if let Some(rest) = cookie::without(cookies, NAME) {
        assert_eq!(cookie::values(&rest, NAME).count(), 0, "one is left in {rest:?}");
        assert_eq!(cookie::without(&rest, NAME).as_ref(), Some(&rest), "not the same twice");
    }
}
