use super::*;

#[test]
fn an_attempt_comes_back_by_its_state() {
    let (issuer, keys) = (issuer(json!({})), keys());
    let mut begun = attempt(&issuer, "redirect=/a%3Fb&remember=true", StepUp::default());
    let lines = begun.cookies(&keys, SITE, "", [9; 24]);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=86400"), "{line}");
    let sent = line.split(';').next().unwrap();
    let callback = Callback::read(&format!("code=c&state={}", begun.state)).unwrap();
    assert_eq!(callback.attempt("staff", &keys, SITE, sent).unwrap(), begun);
    let elsewhere = callback.attempt("staff", &keys, "https://other.example", sent);
    assert_eq!(elsewhere.unwrap_err(), SignInFailure::Unknown);
    let metadata = metadata(&issuer, json!({}));
    assert_eq!(callback.code(&begun, &issuer, &metadata, NOW), Ok("c".into()));
}
