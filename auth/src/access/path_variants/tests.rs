use super::*;
use rstest::rstest;

#[rstest]
#[case::decoded("/%61dmin", "/admin")]
#[case::decoded_twice("/%2561dmin", "/admin")]
#[case::decoded_from_two("/%%361dmin", "/admin")]
#[case::of_utf_16("/public/%u002e%u002e/admin", "/admin")]
#[case::of_utf_16_and_full_width("/public/%uff0e%uff0e/admin", "/admin")]
#[case::overlong("/x/%c0%ae%c0%ae%c0%afadmin", "/admin")]
#[case::full_width("/%ef%bd%81dmin", "/admin")]
#[case::bytes_that_are_none("/adm%ffin", "/admin")]
#[case::invisible("/adm%e2%80%8bin", "/admin")]
#[case::parameters("/assets/..;a=b/admin/x", "/admin/x")]
#[case::parameters_encoded("/assets/..%3ba/admin", "/admin")]
#[case::parameters_to_the_end("/admin;/../x", "/admin")]
#[case::a_query("/hr%3fx", "/hr")]
#[case::a_fragment("/admin%23x", "/admin")]
#[case::an_end("/admin%00.css", "/admin")]
#[case::a_line("/admin%0a", "/admin")]
#[case::a_tab("/ad%09min", "/admin")]
#[case::a_backslash("/x%5c..%5cadmin", "/admin")]
#[case::dots_before_decoding("/x/../%2e%2e", "/%2e%2e")]
#[case::dots_after_decoding("/x/%2e%2e/admin", "/admin")]
#[case::dots_after_merging("/a//../admin", "/admin")]
#[case::dots_before_merging("/a//../admin", "/a/admin")]
#[case::dots_above_the_root("/../../admin", "/admin")]
#[case::slashes("//x///admin", "/x/admin")]
#[case::a_host("//x/admin", "/admin")]
#[case::a_host_after_backslashes("/%5c%5cx/admin", "/admin")]
#[case::dots_at_an_end("/admin./x", "/admin/x")]
#[case::spaces_at_an_end("/admin%20/x", "/admin/x")]
#[case::spaces_and_dots("/admin.%20./x", "/admin/x")]
#[case::spaces_after_dots("/x/..%20/admin", "/admin")]
#[case::many_dots("/x/.../admin", "/admin")]
#[case::nothing_left("/%3f", "/")]
fn a_path_may_be_read_as_another(#[case] path: &str, #[case] read: &str) {
    let readings = PathVariants::of(path);
    assert!(readings.iter().any(|it| it == read), "{readings:?}");
}

#[rstest]
#[case("/admin/x.css")]
#[case("/Admin/")]
#[case("/")]
fn a_literal_path_has_no_other_reading(#[case] path: &str) {
    assert_eq!(PathVariants::of(path), PathVariants::None);
}

#[rstest]
#[case::one_after_another(&"%25".repeat(2_700))]
#[case::one_within_another(&format!("%{}2e", "25".repeat(4_000)))]
#[case::of_all_kinds(&"%u002e;%c0%ae/%ef%bc%8f%5c%3f%23%00%20./".repeat(200))]
#[case::segments(&"a/../".repeat(1_600))]
#[case::slashes(&"/".repeat(8_000))]
#[case::dots(&".".repeat(8_000))]
fn no_path_takes_long_to_read(#[case] text: &str) {
    let readings = PathVariants::of(&format!("/{text}"));
    let bytes: usize = readings.iter().map(str::len).sum();
    assert!(bytes <= MOST_BYTES && readings.iter().count() < MOST);
}
