//! Whatever comes in from outside is answered, never a panic, and never taken for more than it is.

use auth::admin::{self, NewSession, Wish};
use auth::config::{Secret, Settings};
use auth::cookie;
use auth::credential::{Sent, TokenSources};
use auth::form::Form;
use auth::index;
use auth::keys::KeySet;
use auth::ledger::Ledger;
use auth::login::{Approval, Attempt};
use auth::rate::{Count, Rate};
use auth::redirect::{LocalTarget, read_query};
use auth::redis::Redis;
use auth::route::{Route, Target};
use auth::session::{Sid, Subject, judge};
use auth::store::{Answer, Command};
use auth::time::{Timestamp, parse_span};
use auth::token::Tokens;
use proptest::prelude::*;

/// Text of any characters, and text that looks like what is expected.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,80}",
        "(Bearer|bearer|Basic)? ?[A-Za-z0-9._=-]{0,60}",
        "((__Host-session|a)=[^;]{0,9}[;,] ?){0,5}",
        r#"(\{|\}|\[|\]|"|:|,|[a-z]{1,6}|-?[0-9]{1,20}|\.|e|\\u[0-9a-fd]{4}|null|true){0,24}"#,
        r#"\{"(result|error|keys|sub|found|ended)": ?("[ -~]{0,20}"|null|[0-9]{1,20}|\[[ -~]{0,9}\])\}"#,
        "https?://[a-z.:@0-9\\[\\]]{0,12}[/?#%.;\\\\a-z0-9]{0,24}",
        "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,44}",
        "[0-9]{0,25} ?(s|m|h|days|years|µs|fortnights)?",
    ]
}

fn check() -> Command {
    let sid = Sid::from_random([0; 16]);
    Command::Check { sid, idle_timeout: None, now: Timestamp::from_millis(0) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_credential_is_part_of_what_was_sent(authorization in text(), cookies in text()) {
        let name = "__Host-session";
        let (authorization, cookies) = (Some(authorization), Some(cookies));
        let sent = Sent { authorization, cookies, named: vec![] };
        let (authorization, cookies) = (sent.authorization.as_deref().unwrap(), sent.cookies.as_deref().unwrap());
        if let Ok(Some(found)) = sent.credential(name) {
            prop_assert!(authorization.contains(found.token) || cookies.contains(found.token));
        }
        if let Some(rest) = cookie::without(cookies, name) {
            prop_assert_eq!(cookie::values(&rest, name).count(), 0, "one is left in {}", rest);
        }
    }

    #[test]
    fn no_token_is_left_in_a_url(url in text(), query in text()) {
        let sources = TokenSources::parse("query:a").unwrap();
        let url = format!("{url}?{query}&a={url}");
        let rest = sources.without_tokens(&url);
        let query = rest.split('#').next().and_then(|front| front.split_once('?'));
        let names = std::slice::from_ref(&sources.query[0]);
        prop_assert!(query.is_none_or(|(_, query)| Form::Page.texts(query, names).is_empty()), "{}", rest);
    }

    #[test]
    fn no_text_is_a_token(token in text(), now in any::<u64>()) {
        let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
        let tokens = Tokens::new("i".into(), "a".into(), KeySet::parse(keys).unwrap());
        prop_assert!(tokens.verify(&token, Timestamp::from_millis(now)).is_err());
    }

    #[test]
    fn no_text_is_a_key_set(json in text()) {
        prop_assert!(KeySet::parse(&json).is_err());
    }

    #[test]
    fn a_target_is_part_of_its_url_and_below_the_prefix_nothing_is_the_origins(url in text()) {
        if let Some(target) = Target::of_url(&url) {
            prop_assert!(url.contains(target.as_str()) && target.path().starts_with('/'));
            let route = Route::of("GET", target.path(), "/auth");
            prop_assert!(!target.path().starts_with("/auth/") || route != Route::Protected);
            target.would_be_rewritten();
        }
    }

    #[test]
    fn a_redirect_never_leaves_the_site(target in text()) {
        for local in [LocalTarget::new(&target), read_query(&format!("redirect={target}")).0] {
            let Some(local) = local else { continue };
            let second = local.as_str().chars().nth(1);
            prop_assert!(local.as_str().starts_with('/') && !matches!(second, Some('/' | '\\')));
            prop_assert!(local.as_str().bytes().all(|b| b.is_ascii_graphic()));
        }
    }

    #[test]
    fn settings_are_read_or_refused_by_name(name in any::<prop::sample::Index>(), value in text()) {
        let chosen = auth::config::SETTINGS[name.index(auth::config::SETTINGS.len())].name;
        let read = Settings::read(|name| (name == chosen).then(|| value.clone()));
        prop_assert!(read.unwrap_err().iter().all(|error| !error.reason.is_empty()));
    }

    #[test]
    fn a_span_is_longer_than_nothing_or_refused(span in text()) {
        prop_assert!(parse_span(&span).is_ok_and(|span| !span.is_zero()) || parse_span(&span).is_err());
    }

    #[test]
    fn no_reply_of_a_store_makes_a_live_session(status in any::<u16>(), body in text()) {
        if let Ok(Answer::Found(found)) = Redis::answer(&check(), status, &body) {
            prop_assert_eq!(status, 200);
            prop_assert!(judge(found.map(|it| *it), Timestamp::from_millis(u64::MAX)).is_err());
        }
        let _ = serde_json::from_str::<Answer>(&body);
        if let Ok(command) = serde_json::from_str::<Command>(&body) {
            Ledger::default().apply(&command);
        }
    }

    #[test]
    fn logins_and_approvals_are_read_or_refused(body in text()) {
        let _ = Attempt::parse(Form::Json, &body, true);
        let _ = Attempt::parse(Form::Page, &body, true);
        if let Ok(approval) = Approval::parse(&body) {
            prop_assert!(!approval.sub.as_str().is_empty());
        }
    }

    #[test]
    fn a_wish_is_of_a_user_or_refused(part in text(), other in text()) {
        for path in [part.clone(), format!("users/{part}/sessions"), format!("users/{part}/sessions/{other}")] {
            if let Ok(Wish::EndAll(sub) | Wish::End(sub, _)) = Wish::of("DELETE", &path) {
                prop_assert!(path.starts_with("users/") && !sub.as_str().is_empty());
            }
        }
        let _ = admin::page(&part, 20);
        let ada = Subject::try_from("ada".to_owned()).unwrap();
        let longest = std::time::Duration::from_secs(60);
        if let Ok(new) = NewSession::parse(ada.clone(), &part, longest) {
            prop_assert_eq!(new.approval.sub, ada);
            prop_assert!(new.lifetime.is_none_or(|lifetime| lifetime <= longest));
        }
    }

    #[test]
    fn nobody_has_the_key_by_chance(sent in text()) {
        prop_assert!(!admin::bears_key(&sent, &Secret::new("0123456789abcdef0123456789abcdef")));
    }

    #[test]
    fn a_rate_and_what_stores_count_are_read_or_refused(text in text()) {
        prop_assert!(Rate::parse(&text).map_or_else(|why| !why.is_empty(), |_| true));
        let _ = (Count::read(&text), index::users(&text), index::counts(&text));
    }

    #[test]
    fn two_users_never_share_a_key(one in text(), other in text()) {
        let redis = Redis::new("guard:", auth::redis::ReadConsistency::Strong);
        if let (Ok(a), Ok(b)) = (Subject::try_from(one.clone()), Subject::try_from(other.clone())) {
            prop_assert_eq!(redis.key(&a) == redis.key(&b), one == other);
        }
    }
}
