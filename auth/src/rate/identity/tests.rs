use super::*;
use crate::rate::tests::fold;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

fn of(fields: Value) -> Vec<String> {
    users(fields.as_object().unwrap(), fold).unwrap().into_iter().collect()
}

#[rstest]
#[case("username")]
#[case("Username")]
#[case("USERNAME")]
#[case("userName")]
#[case("user_name")]
#[case("user-name")]
#[case(" username ")]
#[case("username\u{0}")]
#[case("u\u{17f}ername")]
#[case("\u{ff55}sername")]
#[case("us\u{e9}rname")]
#[case("user\u{ad}name")]
#[case("user\u{200b}name")]
#[case("_username")]
#[case("j_username")]
#[case("session[username]")]
#[case("user[email]")]
#[case("ctl00$Main$UserName")]
#[case("form.username")]
#[case("form:username")]
#[case("username[]")]
#[case("email")]
#[case("E-Mail")]
#[case("mail")]
#[case("login")]
#[case("user")]
#[case("user_id")]
#[case("identifier")]
#[case("log")]
#[case("name")]
fn a_field_of_this_name_says_who_logs_in(#[case] name: &str) {
    assert_eq!(of(json!({ name: "Ada" })), ["ada"]);
}

#[rstest]
#[case("password")]
#[case("user[password]")]
#[case("session[remember_me]")]
#[case("remember_username")]
#[case("user_agent")]
#[case("login_type")]
#[case("tenant")]
#[case("csrf_token")]
#[case("")]
#[case("[]")]
fn a_field_of_another_name_does_not(#[case] name: &str) {
    assert_eq!(of(json!({ name: "Ada" })), [""; 0]);
}

/// What MySQL and SQL Server compare as equal without regard to accents, among others.
#[rstest]
#[case::case("ADA", "ada")]
#[case::another_fold("ada\u{17f}", "adas")]
#[case::kelvin("\u{212a}im", "kim")]
#[case::dotted_capital("\u{130}da", "ida")]
#[case::dotless("\u{131}da", "ida")]
#[case::sharp_s("stra\u{df}e", "STRASSE")]
#[case::capital_sharp_s("STRA\u{1e9e}E", "strasse")]
#[case::final_sigma("\u{3c3}\u{3b1}\u{3c2}", "\u{3a3}\u{391}\u{3a3}")]
#[case::composed("ren\u{e9}", "rene\u{301}")]
#[case::no_accent("ren\u{e9}", "rene")]
#[case::a_mark_on_ascii("a\u{308}da", "ada")]
#[case::an_enclosing_mark("ada\u{20dd}", "ada")]
#[case::soft_hyphen("a\u{ad}da", "ada")]
#[case::zero_width_space("ada\u{200b}", "ada")]
#[case::zero_width_joiner("a\u{200d}da", "ada")]
#[case::word_joiner("a\u{2060}da", "ada")]
#[case::bom("\u{feff}ada", "ada")]
#[case::direction("\u{202e}ada\u{202c}", "ada")]
#[case::variation("ada\u{fe0f}", "ada")]
#[case::tag("ada\u{e0041}", "ada")]
#[case::hangul_filler("ada\u{3164}", "ada")]
#[case::nul("ada\u{0}", "ada")]
#[case::other_control("a\u{7f}d\u{1}a\u{9f}", "ada")]
#[case::newline("ada\n", "ada")]
#[case::spaces(" ada  ", "ada")]
#[case::odd_spaces("\u{a0}ada\u{3000}\u{2003}", "ada")]
#[case::a_space_behind_what_is_ignored("ada \u{200b}", "ada")]
#[case::full_width("\u{ff21}\u{ff44}\u{ff41}", "ada")]
#[case::ligature("\u{fb01}nn", "finn")]
#[case::superscript("ada\u{b2}", "ada2")]
#[case::circled("\u{24d0}da", "ada")]
#[case::mathematical("\u{1d4ea}da", "ada")]
#[case::stroke("s\u{f8}ren", "soren")]
#[case::polish("\u{142}ukasz", "LUKASZ")]
#[case::ash("\u{c6}sir", "aesir")]
#[case::kana("\u{30a2}\u{30c0}", "\u{3042}\u{305f}\u{3099}")]
fn spellings_of_one_name_are_one(#[case] one: &str, #[case] other: &str) {
    let [one, other] = [one, other].map(|name| of(json!({ "username": name })));
    assert_eq!((one.len(), &one), (1, &other));
}

#[rstest]
#[case("ada", "ada2")]
#[case("ada", "a da")]
#[case("ada", "adda")]
#[case("ada", "\u{430}da")]
#[case("a.da", "ada")]
#[case("ada@a.example", "ada@b.example")]
fn other_names_are_others(#[case] one: &str, #[case] other: &str) {
    assert_ne!(of(json!({ "username": one })), of(json!({ "username": other })));
}

#[rstest]
#[case(json!({ "username": 7 }), &["7"])]
#[case(json!({ "username": 7.0, "Login": "7" }), &["7"])]
#[case(json!({ "username": 7.5 }), &["7.5"])]
#[case(json!({ "username": u64::MAX }), &["18446744073709551615"])]
#[case(json!({ "username": null, "password": "p" }), &[])]
#[case(json!({ "username": "", "email": "ada" }), &["ada"])]
#[case(json!({ "username": "\u{200b} ", "email": "ada" }), &["ada"])]
#[case(json!({ "username": "ada", "Username": "ben", "EMAIL": "Ada" }), &["ada", "ben"])]
fn each_user_is_named_once(#[case] fields: Value, #[case] expected: &[&str]) {
    assert_eq!(of(fields), expected);
}

proptest! {
    #[test]
    fn a_spelling_is_its_own(name in any::<String>()) {
        let once = spelling(&name, &fold);
        prop_assert_eq!(spelling(&once, &fold), once);
    }

    #[test]
    fn case_and_marks_change_nothing(name in "[a-zà-öø-ÿ0-9 .@]{1,20}", marks in "[\u{300}-\u{36f}\u{200b}-\u{200f}\u{ad}]{0,5}") {
        let spelt = spelling(&name, &fold);
        prop_assert_eq!(spelling(&(name.to_uppercase() + &marks), &fold), spelt);
    }
}
