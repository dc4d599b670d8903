//! Project Wycheproof's vectors: signatures that broken verifiers take, and good ones at the edge.
//!
//! Keys are read as the guard reads its own, and signatures judged by what judges those of tokens.
//! The messages are no tokens, so this is about signatures alone; `token_oracle.rs` is about the rest.

use std::collections::BTreeMap;

use auth::keys::{AlgorithmKey, KeySet};
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Es256, Hs256, Hs384, Hs512};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};
use wycheproof::{HashFunction, TestResult};
use wycheproof::{ecdsa, eddsa, mac, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

const ACCEPTED: &str = "accepted, as they say";
const REFUSED: &str = "refused, as they say";
// Why the guard refuses what they would let pass.
const SHORT_KEY: &str = "the key is shorter than its hash (RFC 7518, section 3.2)";
const SHORT_TAG: &str = "the tag is cut short (RFC 7518, section 3.2)";
const OTHER_SIZE: &str = "RSA keys have 2048, 3072 or 4096 bits";
const OTHER_SALT: &str = "salt or mask are not those of the hash (RFC 7518, section 3.5)";
/// Not a stricter rule, but another question: a set of signatures without salt has one with it.
const OWN_SALT: &str = "invalid there for the very salt that PS256 has";
const GOOD_HERE: [&str; 2] = [
    "RsaPss2048Sha256Mgf1SaltLen0 69: s_len changed to 32",
    "RsaPss2048Sha256Mgf1SaltLen0WithParams 69: s_len changed to 32",
];
const OTHER_HASH: &str = "no algorithm of a JWT has this hash";
const NO_NULL: &str = "the parameters of the hash's name are absent (RFC 8017, appendix A.2.4)";

/// Vectors by what became of them. Those that are not judged as they say are here with the reason.
const TALLY: [(&str, usize); 9] = [
    (ACCEPTED, 1194),
    (REFUSED, 3403),
    (SHORT_KEY, 18),
    (SHORT_TAG, 90),
    (OTHER_SIZE, 776),
    (OTHER_SALT, 755),
    (OTHER_HASH, 4387),
    (OWN_SALT, 2),
    (NO_NULL, 9),
];

#[derive(Default)]
struct Run {
    tally: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

/// One vector: its name, message and signature, and what is said of it.
type Vector<'a> = (String, &'a [u8], &'a [u8], TestResult);

impl Run {
    /// Judges vectors of one key. `stricter` is why those that are valid are refused; empty if they
    /// are not.
    fn judge<'a>(
        &mut self,
        jwk: Value,
        stricter: &'static str,
        all: impl Iterator<Item = Vector<'a>>,
    ) {
        let keys = read(jwk);
        for (name, message, signature, said) in all {
            let (good, outcome) = match (&keys, said, stricter) {
                (Err(why), ..) if why.contains("must be at least") => (false, SHORT_KEY),
                (Err(why), ..) if why.contains("`n` and `e`") => (false, OTHER_SIZE),
                (Err(_), ..) => (true, "its key cannot be read"),
                (_, TestResult::Valid, "") => (true, ACCEPTED),
                (_, TestResult::Valid, stricter) => (false, stricter),
                (_, TestResult::Acceptable, _) => (false, NO_NULL),
                (_, TestResult::Invalid, _) if GOOD_HERE.contains(&&*name) => (true, OWN_SALT),
                (_, TestResult::Invalid, _) => (false, REFUSED),
            };
            let key = keys.as_ref().ok().and_then(|keys| keys.find(Some("vector")));
            if key.is_some_and(|key| verifies(&key.material, message, signature)) != good {
                self.wrong.push(format!("{name}: {said:?}, {outcome}"));
            }
            self.count(outcome, 1);
        }
    }

    fn count(&mut self, outcome: &'static str, vectors: usize) {
        *self.tally.entry(outcome).or_default() += vectors;
    }
}

/// A set with this key in it, and another that can sign, which every set needs.
fn read(mut jwk: Value) -> Result<KeySet, String> {
    jwk["kid"] = "vector".into();
    let signing = json!({ "kty": "oct", "alg": "HS256", "kid": "signing", "k": base64(&[0; 32]) });
    let set = json!({ "keys": [signing, jwk] }).to_string();
    KeySet::parse(&set).map_err(|error| error.to_string())
}

fn verifies(material: &AlgorithmKey, message: &[u8], signature: &[u8]) -> bool {
    match material {
        AlgorithmKey::Hs256(key) => holds(&Hs256, key, message, signature),
        AlgorithmKey::Hs384(key) => holds(&Hs384, key, message, signature),
        AlgorithmKey::Hs512(key) => holds(&Hs512, key, message, signature),
        AlgorithmKey::Es256(pair) => holds(&Es256, &pair.verifying, message, signature),
        AlgorithmKey::EdDsa(pair, named) => holds(named, &pair.verifying, message, signature),
        AlgorithmKey::Rsa(key, rsa) => holds(rsa, key, message, signature),
    }
}

/// What `jwt_compact` does with the signature of a token.
fn holds<A: Algorithm>(alg: &A, key: &A::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    A::Signature::LENGTH.is_none_or(|length| length.get() == signature.len())
        && A::Signature::try_from_slice(signature)
            .is_ok_and(|signature| alg.verify_signature(&signature, key, message))
}

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A number without zeros in front (RFC 7518, section 2).
fn number(bytes: &[u8]) -> String {
    base64(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..])
}

/// The coordinate of a point, as long as the curve's (RFC 7518, section 6.2.1.2).
fn coordinate(bytes: &[u8]) -> String {
    let number = &bytes[bytes.len().saturating_sub(32)..];
    base64(&[&vec![0; 32 - number.len()][..], number].concat())
}

/// The vectors of a group.
macro_rules! vectors {
    ($set:expr, $group:expr) => {
        $group.tests.iter().map(|test| {
            let name = format!("{:?} {}: {}", $set, test.tc_id, test.comment);
            (name, &test.msg[..], &test.sig[..], test.result)
        })
    };
}

fn hmac(run: &mut Run) {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    for (set, alg, bytes) in
        [(HmacSha256, "HS256", 32), (HmacSha384, "HS384", 48), (HmacSha512, "HS512", 64)]
    {
        for test in
            mac::TestSet::load(set).unwrap().test_groups.into_iter().flat_map(|group| group.tests)
        {
            let jwk = json!({ "kty": "oct", "alg": alg, "k": base64(&test.key) });
            let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
            let stricter = if test.tag.len() < bytes { SHORT_TAG } else { "" };
            run.judge(
                jwk,
                stricter,
                [(name, &test.msg[..], &test.tag[..], test.result)].into_iter(),
            );
        }
    }
}

fn es256(run: &mut Run) {
    let set = ecdsa::TestName::EcdsaSecp256r1Sha256P1363;
    for group in ecdsa::TestSet::load(set).unwrap().test_groups {
        let (x, y) = (coordinate(&group.key.affine_x), coordinate(&group.key.affine_y));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        run.judge(jwk, "", vectors!(set, group));
    }
}

fn ed25519(run: &mut Run) {
    let set = eddsa::TestName::Ed25519;
    for group in eddsa::TestSet::load(set).unwrap().test_groups {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(&group.jwk.x) });
        run.judge(jwk, "", vectors!(set, group));
    }
}

/// The ends of the names of the algorithms with this hash, and its length.
fn sha2(hash: HashFunction) -> Option<(&'static str, usize)> {
    match hash {
        HashFunction::Sha2_256 => Some(("256", 32)),
        HashFunction::Sha2_384 => Some(("384", 48)),
        HashFunction::Sha2_512 => Some(("512", 64)),
        _ => None,
    }
}

fn rsa(alg: String, n: &[u8], e: &[u8]) -> Value {
    json!({ "kty": "RSA", "alg": alg, "n": number(n), "e": number(e) })
}

fn rsa_pkcs1(run: &mut Run) {
    for set in pkcs1::TestName::all() {
        for group in pkcs1::TestSet::load(set).unwrap().test_groups {
            match sha2(group.hash) {
                Some((bits, _)) => {
                    let jwk = rsa(format!("RS{bits}"), &group.key.n, &group.key.e);
                    run.judge(jwk, "", vectors!(set, group));
                }
                None => run.count(OTHER_HASH, group.tests.len()),
            }
        }
    }
}

fn rsa_pss(run: &mut Run) {
    for set in pss::TestName::all() {
        for group in pss::TestSet::load(set).unwrap().test_groups {
            match sha2(group.hash) {
                Some((bits, length)) => {
                    let usual = group.mgf_hash == Some(group.hash) && group.salt_size == length;
                    let jwk = rsa(format!("PS{bits}"), &group.key.n, &group.key.e);
                    run.judge(jwk, if usual { "" } else { OTHER_SALT }, vectors!(set, group));
                }
                None => run.count(OTHER_HASH, group.tests.len()),
            }
        }
    }
}

#[test]
fn every_vector_is_judged_as_it_says_or_refused_by_a_stricter_rule() {
    let mut run = Run::default();
    for judge in [hmac, es256, ed25519, rsa_pkcs1, rsa_pss] {
        judge(&mut run);
    }
    println!("{:#?}", run.tally);
    assert!(run.wrong.is_empty(), "{:#?}", run.wrong);
    assert_eq!(run.tally, BTreeMap::from(TALLY));
}
