//! The keys that an identity provider publishes (RFC 7517), of which only some may be of use here.

use std::borrow::Cow;
use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::Hs256Key;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::AlgorithmKey;
use super::algorithm::fits;
use super::jwk::members;

/// The most keys of one set that are kept. Providers have a handful.
const MAX_KEYS: usize = 64;

/// The most keys that one token is tried with. Verifying takes a millisecond at most.
const MAX_TRIES: usize = 8;

/// Keys that verify somebody else's tokens.
#[derive(Clone)]
pub struct PublishedKeys {
    keys: Vec<(Option<String>, AlgorithmKey)>,
    /// SHA-256 of what they were made of: the text and the algorithms.
    digest: [u8; 32],
}

/// Says nothing of them.
impl fmt::Debug for PublishedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKeys").finish_non_exhaustive()
    }
}

impl PublishedKeys {
    /// Takes the keys that can verify by one of these algorithms. Others are left out: providers
    /// publish keys for encryption, of types that are not known here, and of algorithms that nobody
    /// asked for.
    ///
    /// # Errors
    /// Why there is none.
    pub fn parse(json: &str, algorithms: &[String]) -> Result<Self, String> {
        let mut keys = Vec::new();
        for jwk in members(json).ok_or("is no JWK Set")? {
            add_usable(&mut keys, jwk, algorithms);
        }
        keys.truncate(MAX_KEYS);
        match keys.is_empty() {
            true => Err(format!("has no key for {}", algorithms.join(", "))),
            false => {
                let source = [json, &algorithms.join(",")].concat();
                Ok(Self { keys, digest: Sha256::digest(source).into() })
            }
        }
    }

    /// The key of HS256 that is this text.
    pub fn of_secret(text: &str) -> Self {
        let key = AlgorithmKey::Hs256(Hs256Key::new(text.as_bytes()));
        Self { keys: vec![(None, key)], digest: [0; 32] }
    }

    /// Are the others made of the same?
    pub fn are_same_as(&self, others: &Self) -> bool {
        self.digest == others.digest
    }

    /// The keys that may have signed a token with this header: of its algorithm, and of its `kid` or,
    /// if no key has that, of none. A token that names no key may be signed with any. Whichever it is,
    /// it is the issuer's.
    pub fn candidates(&self, kid: Option<&str>, alg: &str) -> Vec<&AlgorithmKey> {
        let mut of_alg = Vec::from_iter(self.keys.iter().filter(|(_, key)| key.alg() == alg));
        if kid.is_some() {
            let is_known = of_alg.iter().any(|(name, _)| name.as_deref() == kid);
            let name = if is_known { kid } else { None };
            of_alg.retain(|(it, _)| it.as_deref() == name);
        }
        of_alg.truncate(MAX_TRIES);
        of_alg.into_iter().map(|(_, key)| key).collect()
    }
}

/// Adds the key that a JWK is, by each algorithm that it may be used for; nothing if it cannot be used.
fn add_usable(
    keys: &mut Vec<(Option<String>, AlgorithmKey)>,
    mut jwk: Value,
    algorithms: &[String],
) {
    let Some(members) = jwk.as_object_mut() else { return };
    // Nobody should publish it; the guard does not want it.
    members.remove("d");
    members.retain(|_, value| !value.is_null() && value != "");
    let verifies =
        |uses: &Value| uses.as_array().is_some_and(|uses| uses.iter().any(|it| it == "verify"));
    if !members.get("use").is_none_or(|usage| usage == "sig")
        || !members.get("key_ops").is_none_or(verifies)
    {
        return;
    }
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(kid) if kid.is_u64() => Some(kid.to_string()),
        Some(_) => return,
    };
    canonical(members);
    let named = members.get("alg").cloned();
    let kty = members.get("kty").and_then(Value::as_str).unwrap_or_default().to_owned();
    for alg in algorithms {
        let is_possible = named.as_ref().map_or_else(|| fits(alg, &kty), |it| it == alg.as_str());
        if !is_possible {
            continue;
        }
        jwk["alg"] = alg.as_str().into();
        if let Ok(key) = AlgorithmKey::parse_published(&jwk) {
            keys.push((kid.clone(), key));
        }
    }
}

/// Brings numbers into the form of RFC 7518, section 6: without padding, in the alphabet of URLs, and
/// as many bytes as they have. Some providers put a zero before them, as ASN.1 does, some leave out one
/// that belongs there.
fn canonical(jwk: &mut Map<String, Value>) {
    let is_p256 = jwk.get("crv").is_some_and(|curve| curve == "P-256");
    for (name, size) in [("n", 0_usize), ("e", 0), ("x", 32), ("y", 32)] {
        let is_number = size == 0 || is_p256;
        if let Some(Value::String(text)) = jwk.get_mut(name)
            && is_number
            && let Ok(bytes) = Base64UrlUnpadded::decode_vec(&in_url_alphabet(text))
        {
            let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
            let digits = &bytes[start..];
            let missing = vec![0; size.saturating_sub(digits.len())];
            *text = Base64UrlUnpadded::encode_string(&[&missing, digits].concat());
        }
    }
}

fn in_url_alphabet(text: &str) -> Cow<'_, str> {
    match text.contains(['=', '+', '/']) {
        true => text.trim_end_matches('=').replace('+', "-").replace('/', "_").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// The public keys of the oracle's test, by algorithm.
    fn jwk(alg: &str, kid: &str) -> Value {
        let data: Value = serde_json::from_str(include_str!("../../tests/data/keys.json")).unwrap();
        let all = data["keys"].as_array().unwrap();
        let mut jwk = all.iter().find(|jwk| jwk["kid"] == alg).unwrap().clone();
        jwk["kid"] = kid.into();
        jwk
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        match value {
            Value::Null => drop(jwk.as_object_mut().unwrap().remove(name)),
            value => jwk[name] = value,
        }
        jwk
    }

    fn parse(keys: &[Value], algorithms: &[&str]) -> Result<PublishedKeys, String> {
        let algorithms: Vec<String> = algorithms.iter().map(|alg| (*alg).into()).collect();
        PublishedKeys::parse(&json!({ "keys": keys }).to_string(), &algorithms)
    }

    #[test]
    fn keys_are_found_by_kid_and_those_of_no_use_are_left_out() {
        let encrypts = with(jwk("RS256", "enc"), "use", "enc".into());
        let all = [jwk("ES256", "a"), jwk("RS256", "b"), encrypts, json!({ "kty": "new" })];
        let keys = parse(&all, &["ES256", "RS256"]).unwrap();
        assert_eq!(found(&keys, Some("a"), "ES256"), 1);
        assert_eq!(found(&keys, Some("b"), "RS256"), 1);
        assert_eq!(found(&keys, Some("a"), "RS256"), 0, "it is of another algorithm");
        assert_eq!(found(&keys, Some("enc"), "RS256"), 0);
        assert_eq!(found(&keys, Some("c"), "RS256"), 0);
        assert_eq!(found(&keys, None, "RS256"), 1);
        let one = parse(&all, &["RS256"]).unwrap();
        assert_eq!(found(&one, Some("a"), "ES256"), 0, "its algorithm is not allowed");
    }

    fn found(keys: &PublishedKeys, kid: Option<&str>, alg: &str) -> usize {
        keys.candidates(kid, alg).iter().inspect(|key| assert_eq!(key.alg(), alg)).count()
    }

    #[test]
    fn keys_of_one_name_are_told_apart_by_their_algorithms_or_tried_in_turn() {
        let keys = parse(&[jwk("ES256", "a"), jwk("RS256", "a")], &["ES256", "RS256"]).unwrap();
        assert_eq!((found(&keys, Some("a"), "ES256"), found(&keys, Some("a"), "RS256")), (1, 1));
        let twice = parse(&[jwk("ES256", "a"), jwk("ES256", "a")], &["ES256"]).unwrap();
        assert_eq!(found(&twice, Some("a"), "ES256"), 2);
    }

    #[test]
    fn a_key_without_a_name_serves_tokens_that_no_other_key_is_named_by() {
        let nameless = with(jwk("ES256", ""), "kid", Value::Null);
        let keys = parse(&[nameless, jwk("ES256", "b")], &["ES256"]).unwrap();
        assert_eq!(found(&keys, Some("a"), "ES256"), 1);
        assert_eq!(found(&keys, Some("b"), "ES256"), 1);
        assert_eq!(found(&keys, None, "ES256"), 2);
    }

    #[test]
    fn a_token_is_tried_with_few_keys() {
        let many: Vec<Value> = (0..20).map(|n| jwk("ES256", &n.to_string())).collect();
        assert_eq!(found(&parse(&many, &["ES256"]).unwrap(), None, "ES256"), MAX_TRIES);
    }

    #[test]
    fn many_keys_of_no_use_do_not_hide_a_good_one() {
        let mut all = vec![json!({ "kty": "EC", "crv": "P-521", "kid": "x" }); 500];
        all.push(jwk("ES256", "a"));
        assert_eq!(found(&parse(&all, &["ES256"]).unwrap(), Some("a"), "ES256"), 1);
    }

    #[rstest]
    #[case(&["RS256"], &["RS256"])]
    #[case(&["PS384", "ES256"], &["PS384"])]
    #[case(&["RS256", "PS256"], &["RS256", "PS256"])]
    #[case(&["ES256"], &[])]
    fn a_key_without_alg_has_those_allowed_of_its_type(
        #[case] algorithms: &[&str],
        #[case] expected: &[&str],
    ) {
        let keys = parse(&[with(jwk("RS256", "a"), "alg", Value::Null)], algorithms);
        let has = |alg: &&&str| keys.as_ref().is_ok_and(|keys| found(keys, Some("a"), alg) == 1);
        assert_eq!(algorithms.iter().filter(has).copied().collect::<Vec<_>>(), expected);
    }

    #[rstest]
    #[case::alg_null("alg", json!(null))]
    #[case::no_use("use", json!(null))]
    #[case::empty_use("use", json!(""))]
    #[case::key_ops("key_ops", json!(["verify"]))]
    #[case::more_key_ops("key_ops", json!(["sign", "verify"]))]
    #[case::certificates("x5c", json!(["MIIB"]))]
    #[case::thumbprints("x5t#S256", json!("abc"))]
    #[case::a_url("x5u", json!("https://evil.example/"))]
    #[case::an_issuer("issuer", json!("https://login.example/{tenantid}/v2.0"))]
    #[case::pem("value", json!("-----BEGIN PUBLIC KEY-----"))]
    #[case::numeric_kid("kid", json!(7))]
    #[case::long_kid("kid", json!("k".repeat(5000)))]
    fn a_key_is_used_whatever_else_it_says(#[case] name: &str, #[case] value: Value) {
        for alg in ["RS256", "ES256"] {
            let mut key = jwk(alg, "a");
            key[name] = value.clone();
            assert_eq!(found(&parse(&[key], &[alg]).unwrap(), None, alg), 1, "{alg}");
        }
    }

    #[rstest]
    #[case::zero_before(|bytes: Vec<u8>| [vec![0], bytes].concat(), Base64UrlUnpadded::encode_string)]
    #[case::padded(|bytes| bytes, base64ct::Base64Url::encode_string)]
    #[case::other_alphabet(|bytes| bytes, base64ct::Base64::encode_string)]
    fn numbers_are_read_as_providers_write_them(
        #[case] change: fn(Vec<u8>) -> Vec<u8>,
        #[case] encode: fn(&[u8]) -> String,
    ) {
        for (alg, names) in [("RS256", ["n", "e"]), ("ES256", ["x", "y"])] {
            let mut key = jwk(alg, "a");
            for name in names {
                let bytes = Base64UrlUnpadded::decode_vec(key[name].as_str().unwrap()).unwrap();
                key[name] = encode(&change(bytes)).into();
            }
            assert_eq!(found(&parse(&[key], &[alg]).unwrap(), Some("a"), alg), 1, "{alg}");
        }
    }

    #[test]
    fn a_coordinate_that_lacks_its_first_zero_is_read() {
        let mut key = json!({ "crv": "P-256", "kty": "EC", "x": "AQ", "y": "AAI" });
        canonical(key.as_object_mut().unwrap());
        let number =
            |last| Base64UrlUnpadded::encode_string(&[[0; 31].as_slice(), &[last]].concat());
        assert_eq!(key["x"], number(1));
        assert_eq!(key["y"], number(2));
    }

    #[rstest]
    #[case(1024, false)]
    #[case(2048, true)]
    #[case(2560, true)]
    #[case(4096, true)]
    #[case(4104, false)]
    fn rsa_keys_have_2048_to_4096_bits(#[case] bits: usize, #[case] fine: bool) {
        let n = Base64UrlUnpadded::encode_string(&[0x81].repeat(bits / 8));
        let key = json!({ "kty": "RSA", "kid": "a", "alg": "RS256", "e": "AQAB", "n": n });
        let others = parse(&[key, jwk("RS256", "b")], &["RS256"]).unwrap();
        assert_eq!(found(&others, Some("a"), "RS256"), usize::from(fine));
        assert_eq!(found(&others, Some("b"), "RS256"), 1, "the others are used");
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case(r#"{"keys":[]}"#)]
    #[case(r#"{"keys":[null,1,{}]}"#)]
    #[case(r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#)]
    fn a_set_without_a_key_to_use_is_an_error(#[case] json: &str) {
        assert!(PublishedKeys::parse(json, &["ES256".into()]).is_err());
    }
}
