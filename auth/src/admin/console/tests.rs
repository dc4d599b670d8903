use super::*;
use crate::admin::AdminRequest;
use crate::scopes::AdminScopes;
use rstest::rstest;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What a console does for a caller: whether it is seen, the sessions of users and of admins can be ended, and others
/// and oneself can be blocked.
#[rstest]
#[case::none("", "-- -- --")]
#[case::another("sessions openid", "-- -- --")]
#[case::read("sessions:read", "see -- --")]
#[case::revoke("sessions:revoke", "-- end --")]
#[case::read_and_revoke("sessions:read sessions:revoke", "see end --")]
#[case::revoke_admins("sessions:revoke-admins", "-- end-admins block")]
#[case::all("sessions:read sessions:revoke-admins", "see end-admins block")]
fn scopes_say_what_the_console_shows_and_does(#[case] scope: &str, #[case] expected: &str) {
    let claims = json!({ "scope": scope });
    let caller = AdminCredential::Token(AdminScopes::of(claims.as_object().unwrap()));
    let may = |act| caller.require(act).is_ok();
    let user = Offers::on_user(caller, false, false);
    let admin = Offers::on_user(caller, true, false);
    let oneself = Offers::on_user(caller, true, true);
    let seen = if may(Permission::See) { "see" } else { "--" };
    let ended = match (user.end, admin.end) {
        (true, true) => "end-admins",
        (true, false) => "end",
        (false, _) => "--",
    };
    let blocked = if user.block { "block" } else { "--" };
    assert_eq!(format!("{seen} {ended} {blocked}"), expected);
    assert_eq!((oneself.end, oneself.block), (admin.end, false), "nobody is blocked by themselves");
    assert_eq!(admin.block, user.block, "an admin may just not be logged in");
    assert_eq!(Offers::on_many(caller), Offers { end: user.end, block: false });
    // What is offered is what is allowed.
    for (is_admin, is_oneself) in [(false, false), (true, false), (true, true)] {
        let offers = Offers::on_user(caller, is_admin, is_oneself);
        for (act, offered) in [
            (Permission::End { of_admin: is_admin }, offers.end),
            (Permission::Block { oneself: is_oneself }, offers.block),
            (Permission::Block { oneself: false }, admin.block),
        ] {
            assert_eq!(may(act), offered, "{act:?}");
        }
    }
}

fn blocked(reason: Option<&str>, seconds: Option<u64>) -> UserAction {
    let until = seconds.map(|seconds| NOW.plus(Duration::from_secs(seconds)));
    UserAction::Block(Block { reason: reason.map(str::to_owned), until, at: NOW })
}

#[rstest]
#[case("end=s-1&proof=x", UserAction::End(Sid::try_from("s-1".to_owned()).unwrap()))]
#[case("do=end-all", UserAction::EndAll)]
#[case("do=unblock", UserAction::Unblock)]
#[case("do=block", blocked(None, None))]
#[case("do=block&reason=&for=", blocked(None, None))]
#[case("do=block&reason=+spam%21+&for=1+day", blocked(Some("spam!"), Some(86_400)))]
fn a_form_says_one_thing(#[case] form: &str, #[case] action: UserAction) {
    assert_eq!(UserAction::parse(form, NOW), Ok(action));
}

#[rstest]
#[case("")]
#[case("proof=x")]
#[case("do=end")]
#[case("do=end-all&do=unblock")]
#[case("do=end-all&end=s-1")]
#[case("end=s-1&end=s-2")]
#[case("end=")]
#[case("end=a%2Fb")]
#[case("do=block&for=soon")]
#[case("do=block&for=1+day&for=2+days")]
#[case("do=block&reason=a&reason=b")]
fn a_form_that_says_nothing_or_two_things_does_nothing(#[case] form: &str) {
    assert_eq!(UserAction::parse(form, NOW).map_err(|it| it.status()), Err(400));
}

#[test]
fn a_form_that_ends_many_means_what_the_api_means_by_the_same() {
    let form = "users=ada%0D%0A+ben+%0A%0A&devices=mobile&devices=tablet&issuers=https%3A%2F%2Fidp\
                &idle_days=30&created_before=2023-11-01&proof=x";
    let body = json!({
        "users": ["ada", "ben"], "devices": ["mobile", "tablet"], "issuers": ["https://idp"],
        "idle_longer_than": "30 days", "created_before": "2023-11-01T00:00:00Z", "dry_run": true,
    });
    let parsed = EndManyForm::parse(form, NOW).unwrap();
    assert_eq!(Ok(parsed.asked), EndMany::parse(&body.to_string(), NOW));
    assert_eq!((parsed.at, parsed.found), (NOW, [0, 0, 0]));
    let again = parsed.criteria.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ");
    assert_eq!(again, "idle_days created_before users devices devices issuers");
}

#[test]
fn it_ends_sessions_only_if_it_says_so_and_means_no_more_than_when_they_were_counted() {
    let later = NOW.plus(Duration::from_secs(600));
    let form =
        format!("idle_days=1&at={}&cursor=YWRh&sessions=3&in_users=2&spared=1", NOW.millis());
    let parse = |form: &str| EndManyForm::parse(form, later).unwrap();
    let counted = parse(&form);
    assert_eq!((counted.asked.dry_run, counted.found), (true, [3, 2, 1]));
    let ends = parse(&format!("{form}&do=end"));
    assert!(!ends.asked.dry_run && ends.asked.cursor.as_str() == "YWRh");
    assert_eq!(ends.asked.criteria, counted.asked.criteria);
    let criteria = ends.asked.criteria.unwrap();
    assert_eq!(criteria.created_before.unwrap().millis(), NOW.millis() + 1);
    let sent: String =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(counted.fields()).finish();
    let again = parse(&format!("{sent}&cursor=YWRh"));
    assert_eq!(again, counted, "what goes on is what was asked");
    let ahead = format!("idle_days=1&at={}", later.millis() + 1);
    assert_eq!(parse(&ahead).at, later, "nobody asks for the future");
    for other in ["count", "END", "", "end+"] {
        assert!(parse(&format!("{form}&do={other}")).asked.dry_run, "{other}");
    }
}

#[rstest]
#[case("")]
#[case("do=end")]
#[case("users=+&idle_days=&created_before=")]
#[case("all=true&devices=mobile")]
#[case("idle_days=0")]
#[case("idle_days=x")]
#[case("idle_days=1&idle_days=2")]
#[case("created_before=2023-13-01")]
#[case("devices=phone")]
#[case("all=true&do=end&do=count")]
#[case("all=true&cursor=*")]
#[case("all=false&do=end")]
#[case("all=&do=end")]
fn it_ends_nothing_by_what_it_does_not_say(#[case] form: &str) {
    assert_eq!(EndManyForm::parse(form, NOW).map_err(|it| it.status()), Err(400));
}

#[rstest]
#[case("ada", "/admin/users/ada")]
#[case("a/b?c#d%2F", "/admin/users/a%2Fb%3Fc%23d%252F")]
#[case("..", "/admin/users/%2E%2E")]
#[case("\"><script>", "/admin/users/%22%3E%3Cscript%3E")]
#[case("é \u{202e}\n", "/admin/users/%C3%A9%20%E2%80%AE%0A")]
fn each_user_has_a_page(#[case] sub: &str, #[case] path: &str) {
    let user = Subject::try_from(sub.to_owned()).unwrap();
    assert_eq!(user_page(&user), path);
    let below = path.strip_prefix("/admin/").unwrap();
    assert_eq!(AdminRequest::parse("GET", below), Ok(AdminRequest::UserPage(user)));
}

#[rstest]
#[case::plain("Zoë 🦀 <b>", "Zoë 🦀 <b>")]
#[case::turned("a\u{202e}b\u{2066}", "a\u{fffd}b\u{fffd}")]
#[case::turned_in_arabic("a\u{61c}b", "a\u{fffd}b")]
#[case::no_width("a\u{200b}d\u{200d}a\u{feff}", "a\u{fffd}d\u{fffd}a\u{fffd}")]
#[case::joined("ada\u{2060}", "ada\u{fffd}")]
#[case::soft_hyphen("ad\u{ad}a", "ad\u{fffd}a")]
#[case::filler("ada\u{3164}", "ada\u{fffd}")]
#[case::tag("ada\u{e0041}", "ada\u{fffd}")]
#[case::lines("a\nb\u{2028}c", "a\u{fffd}b\u{fffd}c")]
fn no_name_looks_like_another_by_what_nobody_sees(#[case] text: &str, #[case] shown: &str) {
    assert_eq!(readable(text), shown);
}
