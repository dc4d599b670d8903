use super::*;
use rstest::rstest;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[rstest]
#[case("10 per minute", 10, 60)]
#[case("5 per 15 minutes", 5, 900)]
#[case("1 per second", 1, 1)]
#[case("100 per hour", 100, 3600)]
#[case("3 per 1h 30m", 3, 5400)]
fn a_rate_reads_as_people_write_it(#[case] text: &str, #[case] attempts: u32, #[case] span: u64) {
    let attempts = NonZeroU32::new(attempts).unwrap();
    let span = Duration::from_secs(span);
    assert_eq!(Rate::parse(text), Ok(Some(Rate { attempts, span })));
}

#[test]
fn off_is_no_rate() {
    assert_eq!(Rate::parse("off"), Ok(None));
}

#[rstest]
#[case("10")]
#[case("ten per minute")]
#[case("0 per minute")]
#[case("-1 per minute")]
#[case("10 per")]
#[case("10 per ")]
#[case("10 per fortnight")]
#[case("10 per 0 minutes")]
#[case("10/minute")]
#[case("none")]
fn another_text_is_refused_with_a_reason(#[case] text: &str) {
    assert!(!Rate::parse(text).unwrap_err().reason.is_empty());
}

#[rstest]
#[case(1, true)]
#[case(10, true)]
#[case(11, false)]
#[case(u64::MAX, false)]
fn as_many_attempts_pass_as_the_rate_says(#[case] attempts: u64, #[case] passes: bool) {
    let left = Duration::from_millis(1_500);
    let verdict = Rate::PER_USER.judge(&WindowCount { attempts, left, window: "w".into() });
    let refused = Refusal::TooManyAttempts { wait: left };
    assert_eq!(verdict, if passes { Ok(()) } else { Err(refused) });
}

#[rstest]
#[case("7 1500 w", Some((7, 1500)))]
#[case("7 1500", None)]
#[case("7", None)]
#[case("7 -1 w", None)]
#[case(" 7 w", None)]
#[case("", None)]
fn a_count_is_two_numbers_and_a_name(#[case] answer: &str, #[case] expected: Option<(u64, u64)>) {
    let count = |(attempts, left)| WindowCount {
        attempts,
        left: Duration::from_millis(left),
        window: "w".into(),
    };
    assert_eq!(WindowCount::read(answer), expected.map(count));
}

/// Stands for the platform's.
pub(crate) fn fold(text: &str) -> String {
    let is_ignorable = |c: &char| {
        matches!(*c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
    };
    let kept = |c: &char| !(is_combining_mark(*c) || is_ignorable(c) || c.is_control());
    let plain: String = text.nfkd().filter(kept).collect();
    plain.to_lowercase().to_uppercase().to_lowercase()
}

const RATES: LoginRates =
    LoginRates { per_user: Some(Rate::PER_USER), per_address: Some(Rate::PER_ADDRESS) };

fn counted(fields: Value, address: &str) -> Vec<EntryName> {
    let proof = LoginCredentials::Fields(fields.as_object().unwrap().clone());
    let counters = counters(&proof, Some(address), RATES, fold).unwrap();
    counters.into_iter().map(|counter| counter.name).collect()
}

#[test]
fn an_address_and_a_user_have_rates_of_their_own() {
    let proof = LoginCredentials::Fields(json!({ "username": "ada" }).as_object().unwrap().clone());
    let of = |per_user, per_address| {
        let rates = LoginRates { per_user, per_address };
        let counters = counters(&proof, None, rates, fold).unwrap();
        counters.into_iter().map(|it| (it.by, it.rate)).collect::<Vec<_>>()
    };
    let (user, address) = (Rate::PER_USER, Rate::PER_ADDRESS);
    assert_eq!(
        of(Some(user), Some(address)),
        [(RateSubject::Address, address), (RateSubject::User, user)]
    );
    assert_eq!(of(Some(user), None), [(RateSubject::User, user)]);
    assert_eq!(of(None, Some(address)), [(RateSubject::Address, address)]);
    assert_eq!(of(None, None), []);
}

#[test]
fn spellings_of_one_user_share_a_count() {
    let [one, other] =
        [" Ada", "ADA"].map(|name| counted(json!({ "username": name }), "192.0.2.1"));
    assert_eq!(one, other);
}

#[test]
fn users_do_not_share_a_count_and_nobody_shares_one_with_an_address() {
    let of = |name: &str| counted(json!({ "username": name }), "192.0.2.1");
    assert_ne!(of("ada"), of("ben"));
    let [address, user] = &of("192.0.2.1")[..] else { panic!("two counters") };
    assert_ne!(address, user);
}

#[rstest]
#[case(json!({ "username": "ada" }), 1)]
#[case(json!({ "email": "ada" }), 1)]
#[case(json!({ "login": 7 }), 1)]
#[case(json!({ "username": "ada", "email": "ADA" }), 1)]
#[case(json!({ "username": "x", "user": "y", "email": "z", "login": "ada" }), 4)]
#[case(json!({ "username": null, "password": "p" }), 0)]
#[case(json!({ "tenant": "ada" }), 0)]
fn each_identity_is_counted_once(#[case] fields: Value, #[case] users: usize) {
    assert_eq!(counted(fields, "192.0.2.1").len(), 1 + users);
}

#[rstest]
#[case(json!(["ada"]))]
#[case(json!({ "name": "ada" }))]
#[case(json!(true))]
fn an_identity_that_cannot_be_counted_is_refused(#[case] name: Value) {
    let proof = LoginCredentials::Fields(json!({ "username": name }).as_object().unwrap().clone());
    assert!(matches!(counters(&proof, None, RATES, fold), Err(Refusal::BadRequest(_))));
}

#[test]
fn an_id_token_is_counted_by_its_address_alone() {
    let proof = LoginCredentials::IdToken { token: "x.y.z".into(), nonce: None };
    let counted = counters(&proof, Some("192.0.2.1"), RATES, fold).unwrap();
    let name = EntryName::new("login by address", &["192.0.2.1"]);
    assert_eq!(counted, [Counter { name, by: RateSubject::Address, rate: Rate::PER_ADDRESS }]);
}

#[test]
fn one_attempt_cannot_use_up_many_users_attempts() {
    let fields: serde_json::Map<_, _> =
        (0..5).map(|n| ("_".repeat(n) + "user", json!(format!("u{n}")))).collect();
    let verdict = counters(&LoginCredentials::Fields(fields), None, RATES, fold);
    assert!(matches!(verdict, Err(Refusal::BadRequest(_))), "{verdict:?}");
}

#[rstest]
#[case(Some("192.0.2.1"), "192.0.2.1")]
#[case(Some("::ffff:192.0.2.1"), "192.0.2.1")]
#[case(Some("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64")]
#[case(Some("2001:DB8:1:2::9"), "2001:db8:1:2::/64")]
#[case(Some("2001:db8:1:3::9"), "2001:db8:1:3::/64")]
#[case(Some("somewhere"), "somewhere")]
#[case(None, "")]
fn an_address_counts_by_the_network_it_is_in(
    #[case] address: Option<&str>,
    #[case] expected: &str,
) {
    assert_eq!(network(address), expected);
}
