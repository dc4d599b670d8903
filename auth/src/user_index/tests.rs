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
    let search = |text, after| words(IndexQuery::search(text, after, 2, now));
    assert_eq!(search("", Cursor::default()), "search 5  2 ");
    assert_eq!(search("ada", Cursor::default()), "search 5  2 YWRh");
    assert_eq!(search("ad", Cursor::default()), "search 5  2 YWQ YWR YWS YWT");
    assert_eq!(
        search("ad", Cursor::at(&ada())),
        "search 5 YWRh 2 YWR YWS YWT",
        "from the cursor on"
    );
    assert_eq!(search("ad", Cursor::parse("YWU").unwrap()), "search 5 YWU 2", "none is left");
    assert_eq!(search("ada", Cursor::parse("YQ").unwrap()), "search 5 YQ 2 YWRh", "all is left");
}

#[test]
fn the_ranges_of_a_text_hold_those_that_begin_with_it_and_no_other_in_order() {
    let texts =
        ["", "a", "ad", "ada", "adam", "b", "A", "é", "🦀", "~~", "??", "\u{1}", "auth0|5f"];
    for start in texts {
        let ranges = ranges(start.as_bytes());
        assert!(ranges.is_sorted() && ranges.len() <= 16, "{ranges:?}");
        for (sub, rest) in texts.iter().flat_map(|one| texts.map(|other| (one, other))) {
            let Ok(user) = Subject::try_from(format!("{sub}{rest}")) else { continue };
            let (cursor, sub) = (Cursor::at(&user), user.as_str());
            let found = ranges.iter().any(|range| cursor.0.starts_with(range));
            assert_eq!(found, sub.starts_with(start), "{start:?} {sub:?} {ranges:?}");
        }
    }
}

#[test]
fn a_page_names_users_and_their_sessions() {
    let page = users("YWRh s-1 s-2\nYmVu").unwrap();
    assert_eq!(page[0].user, ada());
    assert_eq!(page[0].sids.iter().map(Sid::as_str).collect::<Vec<_>>(), ["s-1", "s-2"]);
    assert_eq!((page[1].user.as_str(), page[1].sids.len()), ("ben", 0));
    assert_eq!(users(""), Some(vec![]));
}

#[test]
fn the_answers_of_two_stores_are_one() {
    let (now, after, limit) = (Timestamp::from_millis(5), Cursor::default, 3);
    let (here, there) = ("YQ s-1\nYw s-3", "YQ s-2\nYg s-4\nZA s-5");
    let page = IndexQuery::Page { after: after(), limit, now };
    for query in [page, IndexQuery::search("", after(), limit, now)] {
        assert_eq!(merge(&query, here, there), "YQ s-1 s-2\nYg s-4\nYw s-3", "{query:?}");
        assert_eq!(merge(&query, "", ""), "");
    }
    assert_eq!(merge(&IndexQuery::Count { now }, "1 2", "3 4"), "4 6");
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
