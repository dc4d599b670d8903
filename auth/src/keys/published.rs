//! The keys that an identity provider publishes (RFC 7517), of which only some may be of use here.

use serde_json::Value;

use super::{Material, members};

/// The most keys of one set that are looked at. Providers have a handful.
const MAX_KEYS: usize = 64;

/// Keys that verify somebody else's tokens.
#[derive(Clone)]
pub struct PublishedKeys {
    keys: Vec<(Option<String>, Material)>,
}

impl PublishedKeys {
    /// Takes the keys that can verify by one of these algorithms. Others are left out: providers
    /// publish keys for encryption, and of algorithms that nobody asked for.
    ///
    /// # Errors
    /// Why there is none.
    pub fn parse(json: &str, algorithms: &[String]) -> Result<Self, String> {
        let keys = members(json).ok_or("is no JWK Set")?.into_iter().take(MAX_KEYS);
        let keys: Vec<_> = keys.filter_map(|jwk| usable(jwk, algorithms)).collect();
        match keys.is_empty() {
            true => Err(format!("has no key for {}", algorithms.join(", "))),
            false => Ok(Self { keys }),
        }
    }

    /// The key that a token names. A choice between two would be a guess.
    pub fn find(&self, kid: Option<&str>) -> Option<&Material> {
        let mut named =
            self.keys.iter().filter(|(name, _)| kid.is_none() || name.as_deref() == kid);
        let (_, key) = named.next()?;
        named.next().is_none().then_some(key)
    }
}

fn usable(mut jwk: Value, algorithms: &[String]) -> Option<(Option<String>, Material)> {
    let members = jwk.as_object_mut()?;
    // Nobody should publish it; the guard does not want it.
    members.remove("d");
    let verifies =
        |uses: &Value| uses.as_array().is_some_and(|uses| uses.contains(&"verify".into()));
    if !members.get("use").is_none_or(|usage| usage == "sig")
        || !members.get("key_ops").is_none_or(verifies)
    {
        return None;
    }
    if !members.contains_key("alg") {
        let kty = members.get("kty")?.as_str()?;
        members.insert("alg".into(), only_algorithm(kty, algorithms)?.into());
    }
    let kid = members.get("kid").map(|kid| kid.as_str().map(str::to_owned));
    let kid = match kid {
        None => None,
        Some(kid) => Some(kid?),
    };
    let material = Material::parse(&jwk).ok()?;
    algorithms.contains(&material.alg()).then_some((kid, material))
}

/// The algorithm of a key that names none: the only one its type is allowed.
fn only_algorithm<'a>(kty: &str, algorithms: &'a [String]) -> Option<&'a str> {
    let fits = |alg: &&String| match kty {
        "RSA" => alg.starts_with("RS") || alg.starts_with("PS"),
        "EC" => alg.starts_with("ES"),
        "OKP" => alg.starts_with("Ed"),
        _ => false,
    };
    let mut fitting = algorithms.iter().filter(fits);
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only)
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
        assert_eq!(keys.find(Some("a")).unwrap().alg(), "ES256");
        assert_eq!(keys.find(Some("b")).unwrap().alg(), "RS256");
        assert!(keys.find(Some("enc")).is_none());
        assert!(keys.find(None).is_none(), "two could have signed");
        let one = parse(&all, &["RS256"]).unwrap();
        assert!(one.find(Some("a")).is_none(), "its algorithm is not allowed");
        assert_eq!(one.find(None).unwrap().alg(), "RS256");
    }

    #[test]
    fn of_two_keys_of_one_name_none_is_chosen() {
        let keys = parse(&[jwk("ES256", "a"), jwk("RS256", "a")], &["ES256", "RS256"]).unwrap();
        assert!(keys.find(Some("a")).is_none());
    }

    #[rstest]
    #[case(&["RS256"], Some("RS256"))]
    #[case(&["PS384", "ES256"], Some("PS384"))]
    #[case(&["RS256", "PS256"], None)]
    #[case(&["ES256"], None)]
    fn a_key_without_alg_has_the_only_one_allowed(
        #[case] algorithms: &[&str],
        #[case] alg: Option<&str>,
    ) {
        let keys = parse(&[with(jwk("RS256", "a"), "alg", Value::Null)], algorithms);
        let found = keys.ok().and_then(|keys| keys.find(Some("a")).map(Material::alg));
        assert_eq!(found.as_deref(), alg);
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
