//! Tokens changed at random, judged by the guard and by `jsonwebtoken`, another parser over another
//! cryptography. Nothing may be accepted that the oracle refuses; where the oracle accepts and the
//! guard refuses, one of the guard's stricter rules must say why.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth::jwt::TokenError;
use auth::keys::{AlgorithmKey, KeySet};
use auth::time::Timestamp;
use auth::token::Tokens;
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, crypto};
use jwt_compact::Algorithm as _;
use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::{Es256, Hs256, Hs384, Hs512};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://guard";
const AUDIENCE: &str = "members";

/// A key, as each side takes it.
struct Key {
    kid: &'static str,
    oracle: DecodingKey,
    algorithm: Algorithm,
}

struct World {
    tokens: Tokens,
    keys: Vec<Key>,
    rsa: EncodingKey,
    now: u64,
}

impl World {
    fn new() -> Self {
        let data: Value = serde_json::from_str(include_str!("data/keys.json")).unwrap();
        let set = KeySet::parse(include_str!("data/keys.json")).unwrap();
        let keys = data["keys"].as_array().unwrap().iter().map(Key::of).collect();
        let pkcs1 = Base64UrlUnpadded::decode_vec(data["rsa_pkcs1"].as_str().unwrap()).unwrap();
        // The oracle has no clock but the ambient one.
        #[allow(clippy::disallowed_methods)]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let tokens = Tokens::new(ISSUER.into(), AUDIENCE.into(), set);
        Self { tokens, keys, rsa: EncodingKey::from_rsa_der(&pkcs1), now }
    }

    fn sign(&self, key: &Key, input: &str) -> Vec<u8> {
        let bytes = input.as_bytes();
        match &self.tokens.keys().find(Some(key.kid)).unwrap().material {
            AlgorithmKey::Hs256(secret) => Hs256.sign(secret, bytes).as_bytes().into_owned(),
            AlgorithmKey::Hs384(secret) => Hs384.sign(secret, bytes).as_bytes().into_owned(),
            AlgorithmKey::Hs512(secret) => Hs512.sign(secret, bytes).as_bytes().into_owned(),
            AlgorithmKey::Es256(pair) => {
                Es256.sign(pair.signing.as_ref().unwrap(), bytes).as_bytes().into_owned()
            }
            AlgorithmKey::EdDsa(pair, named) => {
                named.sign(pair.signing.as_ref().unwrap(), bytes).as_bytes().into_owned()
            }
            AlgorithmKey::Rsa(..) => {
                let signature = crypto::sign(bytes, &self.rsa, key.algorithm).unwrap();
                Base64UrlUnpadded::decode_vec(&signature).unwrap()
            }
        }
    }

    /// What the oracle says of a token that claims to be of this key.
    fn oracle_accepts(&self, key: &Key, token: &str) -> bool {
        let mut rules = Validation::new(key.algorithm);
        rules.leeway = 5;
        rules.validate_nbf = true;
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        jsonwebtoken::decode::<Map<String, Value>>(token, &key.oracle, &rules).is_ok()
    }
}

impl Key {
    fn of(jwk: &Value) -> Self {
        let text = |name: &str| jwk[name].as_str().unwrap_or_default();
        let kid: &'static str = Box::leak(text("kid").to_owned().into_boxed_str());
        let oracle = match text("kty") {
            "oct" => DecodingKey::from_secret(&Base64UrlUnpadded::decode_vec(text("k")).unwrap()),
            "EC" => DecodingKey::from_ec_components(text("x"), text("y")).unwrap(),
            "OKP" => DecodingKey::from_ed_components(text("x")).unwrap(),
            _ => DecodingKey::from_rsa_components(text("n"), text("e")).unwrap(),
        };
        Self { kid, oracle, algorithm: kid.parse().unwrap() }
    }
}

/// A change to the claims or the header, before they are signed.
#[derive(Clone, Debug)]
enum Edit {
    Remove(&'static str),
    Set(&'static str, Value),
    Twice(&'static str),
    Raw(String),
}

/// A change to the token's text, after it was signed.
#[derive(Clone, Debug)]
enum Scratch {
    Flip(usize, u8),
    Delete(usize),
    Insert(usize, char),
    Cut(usize),
    Swap(usize),
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        // Not near the leeway, because the oracle's clock goes on while this runs.
        prop_oneof![-1000_i64..-120, 120_i64..1000].prop_map(|n| json!({ "now": n })),
        ".{0,8}".prop_map(Value::from),
        Just(json!(ISSUER)),
        Just(json!(AUDIENCE)),
        Just(json!([AUDIENCE, "others"])),
        Just(json!(["others"])),
        Just(json!([])),
        Just(json!({})),
        Just(json!("x".repeat(9000))),
    ]
}

fn edit(names: &'static [&'static str]) -> impl Strategy<Value = Edit> {
    let name = || prop::sample::select(names);
    prop_oneof![
        2 => name().prop_map(Edit::Remove),
        8 => (name(), odd_value()).prop_map(|(name, value)| Edit::Set(name, value)),
        1 => name().prop_map(Edit::Twice),
        1 => "[{}\\[\\]\",:a-z0-9 ]{0,20}".prop_map(Edit::Raw),
    ]
}

fn scratch() -> impl Strategy<Value = Scratch> {
    let place = any::<usize>();
    prop_oneof![
        4 => (place, 1_u8..128).prop_map(|(place, bits)| Scratch::Flip(place, bits)),
        1 => place.prop_map(Scratch::Delete),
        2 => (place, any::<char>()).prop_map(|(place, c)| Scratch::Insert(place, c)),
        1 => place.prop_map(Scratch::Cut),
        1 => place.prop_map(Scratch::Swap),
    ]
}

const HEADER: &[&str] = &["alg", "typ", "kid", "crit", "b64", "jwk", "cty", "x"];
const CLAIMS: &[&str] = &["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "x", "email"];

type Case = (prop::sample::Index, Vec<Edit>, Vec<Edit>, Vec<Scratch>);

fn case() -> impl Strategy<Value = Case> {
    let few = |changes| prop::collection::vec(changes, 0..3);
    let edits = (few(edit(HEADER).boxed()), few(edit(CLAIMS).boxed()));
    let scratches = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(scratch(), 1..3),
    ];
    (any::<prop::sample::Index>(), edits, scratches).prop_map(|(key, (h, c), s)| (key, h, c, s))
}

fn apply(edits: &[Edit], object: Value, now: u64) -> String {
    let mut object = object;
    let mut text = None;
    for edit in edits {
        match edit {
            Edit::Remove(name) => drop(object.as_object_mut().unwrap().remove(*name)),
            Edit::Set(name, value) => {
                object[*name] = match value["now"].as_i64() {
                    Some(shift) => (now as i64 + shift).into(),
                    None => value.clone(),
                };
            }
            Edit::Twice(name) => {
                let value = object[*name].clone();
                text =
                    Some(object.to_string().replacen('{', &format!(r#"{{"{name}":{value},"#), 1));
            }
            Edit::Raw(raw) => text = Some(raw.clone()),
        }
    }
    text.unwrap_or_else(|| object.to_string())
}

fn scratched(token: &str, scratches: &[Scratch]) -> String {
    let mut chars: Vec<char> = token.chars().collect();
    for scratch in scratches {
        let at = |place: &usize| place % chars.len().max(1);
        match scratch {
            _ if chars.is_empty() => {}
            Scratch::Flip(place, bits) => {
                let place = at(place);
                chars[place] = char::from((chars[place] as u32 as u8 ^ bits) & 0x7f);
            }
            Scratch::Delete(place) => drop(chars.remove(at(place))),
            Scratch::Insert(place, c) => chars.insert(at(place), *c),
            Scratch::Cut(place) => chars.truncate(at(place)),
            Scratch::Swap(place) => {
                let place = at(place);
                let last = chars.len() - 1;
                chars.swap(place, last);
            }
        }
    }
    chars.into_iter().collect()
}

/// The rule by which the guard refuses what the oracle accepts; `None` if there is none.
fn stricter_rule(token: &str, now: u64) -> Option<&'static str> {
    let part = |index: usize| {
        let bytes = Base64UrlUnpadded::decode_vec(token.split('.').nth(index)?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some((serde_json::from_str::<Value>(&text).ok()?, text))
    };
    let (Some((header, header_text)), Some((claims, claims_text))) = (part(0), part(1)) else {
        return Some("a part that is not canonical base64url of JSON");
    };
    let whole = |name: &str| claims[name].as_u64().is_some_and(|at| at <= 253_402_300_799);
    let text = |name: &str| claims[name].as_str().is_some_and(|text| !text.is_empty());
    let members = |value: &Value| value.as_object().map_or(0, Map::len);
    // Names stand before a colon; in these tests no value holds one but the issuer.
    let names = |text: &str| text.matches("\":").count();
    let nested = members(&header["jwk"]) + members(&claims["x"]);
    let sid = claims["sid"].as_str().unwrap_or_default();
    let aud = |one: &Value| one.as_str().is_some_and(|one| !one.is_empty());
    let rules = [
        ("too long", token.len() > auth::jwt::MAX_BYTES),
        ("typ", !matches!(header["typ"].as_str(), Some(typ) if typ.eq_ignore_ascii_case("at+jwt"))),
        ("crit, b64 or jwk", ["crit", "b64", "jwk"].iter().any(|name| header.get(name).is_some())),
        ("cty", header.get("cty").is_some()),
        ("kid", header["kid"].as_str().is_none_or(|kid| kid.len() != 5)),
        ("a member twice", names(&header_text) > members(&header) + nested),
        ("a member twice", names(&claims_text) > members(&claims) + nested),
        ("exp", !whole("exp")),
        ("iat", !whole("iat") || claims["iat"].as_u64() > Some(now + 4)),
        ("nbf", claims.get("nbf").is_some() && !whole("nbf")),
        ("sub", !text("sub") || claims["sub"].as_str().is_some_and(|sub| sub.len() > 1024)),
        (
            "sid",
            !text("sid")
                || sid.len() > 128
                || sid.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_'),
        ),
        ("jti", !text("jti")),
        ("iss", claims["iss"].as_str() != Some(ISSUER)),
        ("aud", claims["aud"].as_array().is_some_and(|all| !all.iter().all(aud))),
    ];
    rules.into_iter().find(|(_, broken)| *broken).map(|(rule, _)| rule)
}

#[test]
fn the_guard_accepts_nothing_the_oracle_refuses_and_refuses_nothing_more_without_a_rule() {
    let world = World::new();
    // HMAC bears most of the load: its tokens differ from the others' in the signature alone.
    let mut weighted: Vec<&Key> = world.keys.iter().collect();
    let cheap: Vec<&Key> = world.keys.iter().filter(|key| key.kid.starts_with("HS")).collect();
    weighted.extend(cheap.iter().cycle().take(400));
    let tally = std::cell::RefCell::new(BTreeMap::<String, usize>::new());
    let config =
        ProptestConfig { cases: 40_000, failure_persistence: None, ..ProptestConfig::default() };
    let verdict = TestRunner::new(config).run(&case(), |(index, header, claims, scratches)| {
        let key = *index.get(&weighted);
        let now = world.now;
        let good_header = json!({ "alg": key.kid, "typ": "at+jwt", "kid": key.kid });
        let good_claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "sid": "abc", "jti": "j",
            "iat": now, "exp": now + 3600,
        });
        let part = |text: String| Base64UrlUnpadded::encode_string(text.as_bytes());
        let input = format!(
            "{}.{}",
            part(apply(&header, good_header, now)),
            part(apply(&claims, good_claims, now))
        );
        let signature = Base64UrlUnpadded::encode_string(&world.sign(key, &input));
        let token = scratched(&format!("{input}.{signature}"), &scratches);
        let ours = world.tokens.verify(&token, Timestamp::from_millis(now * 1000));
        let accepted = world.oracle_accepts(key, &token);
        let outcome = match (&ours, accepted) {
            (Ok(_), true) => "both accept".to_owned(),
            (Err(_), false) => "both refuse".to_owned(),
            (Ok(_), false) => {
                return Err(TestCaseError::fail(format!("only the guard accepts {token}")));
            }
            (Err(TokenError::UnknownKey), true) => "stricter: kid".to_owned(),
            (Err(error), true) => match stricter_rule(&token, now) {
                Some(rule) => format!("stricter: {rule}"),
                None => {
                    return Err(TestCaseError::fail(format!("{error:?} without a rule: {token}")));
                }
            },
        };
        *tally.borrow_mut().entry(outcome).or_default() += 1;
        Ok(())
    });
    println!("{:#?}", tally.borrow());
    if let Err(error) = verdict {
        panic!("{error}");
    }
    let tally = tally.borrow();
    assert!(tally["both accept"] > 1000, "too few good tokens to mean anything: {tally:?}");
    assert!(tally["both refuse"] > 1000, "too few bad tokens to mean anything: {tally:?}");
}
