use super::*;
use rstest::rstest;
use serde_json::{Value, json};

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
    assert!(!Rate::parse(text).unwrap_err().is_empty());
}

#[rstest]
#[case(1, true)]
#[case(10, true)]
#[case(11, false)]
#[case(u64::MAX, false)]
fn as_many_attempts_pass_as_the_rate_says(#[case] attempts: u64, #[case] passes: bool) {
    let left = Duration::from_millis(1_500);
    let verdict = Rate::DEFAULT.judge(Count { attempts, left });
    let refused = Refusal::TooManyAttempts { wait: left };
    assert_eq!(verdict, if passes { Ok(()) } else { Err(refused) });
}

#[rstest]
#[case("7 1500", Some((7, 1500)))]
#[case("7", None)]
#[case("7 -1", None)]
#[case(" 7", None)]
#[case("", None)]
fn a_count_is_two_numbers(#[case] answer: &str, #[case] expected: Option<(u64, u64)>) {
    let count = |(attempts, left)| Count { attempts, left: Duration::from_millis(left) };
    assert_eq!(Count::read(answer), expected.map(count));
}

/// Stands for the platform's.
fn fold(text: &str) -> String {
    text.trim().to_uppercase().to_lowercase()
}

fn counted(fields: Value, address: &str) -> Vec<NoteName> {
    let proof = Proof::Credentials(fields.as_object().unwrap().clone());
    counters(&proof, Some(address), fold).unwrap()
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
#[case(json!({ "Name": "ada" }), 0)]
fn each_identity_is_counted_once(#[case] fields: Value, #[case] users: usize) {
    assert_eq!(counted(fields, "192.0.2.1").len(), 1 + users);
}

#[rstest]
#[case(json!(["ada"]))]
#[case(json!({ "name": "ada" }))]
#[case(json!(true))]
fn an_identity_that_cannot_be_counted_is_refused(#[case] name: Value) {
    let proof = Proof::Credentials(json!({ "username": name }).as_object().unwrap().clone());
    assert!(matches!(counters(&proof, None, fold), Err(Refusal::BadRequest(_))));
}

#[test]
fn an_id_token_is_counted_by_its_address_alone() {
    let proof = Proof::IdToken { token: "x.y.z".into(), nonce: None };
    let counted = counters(&proof, Some("192.0.2.1"), fold).unwrap();
    assert_eq!(counted, [NoteName::new("login by address", &["192.0.2.1"])]);
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
