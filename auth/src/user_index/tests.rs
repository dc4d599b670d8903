use super::*;
use crate::session::tests::session;
use rstest::rstest;

fn ada() -> Subject {
    Subject::try_from("ada".to_owned()).unwrap()
}

#[test]
fn a_question_is_these_words() {
    let now = Timestamp::from_millis(5);
    let (begun, ended) = (session("b", 1, 9), [session("e", 1, 9)]);
    let words = |question: IndexQuery| question.words().join(" ");
    let record = IndexQuery::record(&ada(), Some(&begun), &ended, now);
    assert_eq!(words(record), "record 5 YWRh:b 9 YWRh:e");
    assert_eq!(words(IndexQuery::record(&ada(), None, &ended, now)), "record 5  5 YWRh:e");
    let page = IndexQuery::Page { after: Cursor::at(&ada()), limit: 2, now };
    assert_eq!(words(page), "page 5 YWRh 2");
    assert_eq!(words(IndexQuery::Count { now }), "count 5");
}

#[test]
fn a_page_names_users_and_their_sessions() {
    let page = users("YWRh s-1 s-2\nYmVu").unwrap();
    assert_eq!(page[0].user, ada());
    assert_eq!(page[0].sids.iter().map(Sid::as_str).collect::<Vec<_>>(), ["s-1", "s-2"]);
    assert_eq!((page[1].user.as_str(), page[1].sids.len()), ("ben", 0));
    assert_eq!(users(""), Some(vec![]));
}

#[rstest]
#[case("*")]
#[case("YWRh ")]
#[case("YWRh a:b")]
#[case(" s-1")]
#[case("_w")]
#[case("YWRh\n\nYmVu")]
fn a_page_of_another_form_is_not_read(#[case] answer: &str) {
    assert_eq!(users(answer), None);
}

#[test]
fn counts_are_two_numbers() {
    assert_eq!(counts("1 2"), Some((1, 2)));
    for other in ["", "1", "1 -2", "1 2 3", "a b"] {
        assert_eq!(counts(other), None, "{other}");
    }
}

#[rstest]
#[case("YWRh", true)]
#[case("", false)]
#[case("a:b", false)]
#[case("YWRh=", false)]
#[case("[YWRh", false)]
fn a_cursor_is_one_that_was_given_out(#[case] text: &str, #[case] fine: bool) {
    assert_eq!(Cursor::parse(text).is_some(), fine);
}
