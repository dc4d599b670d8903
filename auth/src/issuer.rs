//! `TRUSTED_ISSUERS`: identity providers. Their ID tokens can be exchanged for a session (OpenID Connect Core 1.0),
//! their access tokens can be credentials by themselves, and their logouts end what either began (Back-Channel Logout
//! 1.0).

mod access_tokens;
mod key_cache;
mod metadata;
mod presets;
mod sign_in;
mod sign_in_policy;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

pub use access_tokens::{
    AccessTokenClaims, AccessTokenRules, Agents, ClaimPath, ClaimText, Requirement,
};
pub use key_cache::{FETCH_TIMEOUT, IssuerKeyCache, KeyLookup, MAX_JWKS};
pub use metadata::{MAX_METADATA, MetadataLookup, ProviderMetadata, ProviderMetadataCache};
pub use sign_in::{ClientAuthentication, ProviderEndpoints, SignInSettings, UserInfo};
pub use sign_in_policy::{NotAllowed, PolicyRule, SignInPolicy};

use crate::http::web_url;
use crate::jwt::REGISTERED;
use crate::keys::{ALGORITHMS_OF_PROVIDERS, PublishedKeys};
use crate::session::Subject;
use crate::setting_value::{self, InvalidValue, flag, object, text, text_or_texts, texts};
use crate::time::{Timestamp, parse_moment, parse_span};

/// An identity provider, as the settings name it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustedIssuer {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its ID tokens: what it calls this site, a client id as a rule. If there is none, no ID
    /// token is accepted, nor any logout token.
    pub audience: Vec<String>,
    /// Where its keys are; `None` only if there is a shared secret instead, or people are signed in there, and its
    /// metadata say it.
    pub jwks_uri: Option<String>,
    /// What it may sign with.
    pub algorithms: Vec<String>,
    /// Stands before its `sub` in ours, so that no two issuers' users are taken for one another.
    pub subject_prefix: Option<String>,
    /// The claims of its ID tokens that ride in ours.
    pub claims: Vec<String>,
    /// How far its clock may be from ours.
    pub clock_tolerance: Duration,
    /// Nothing that it issued before this moment is good.
    pub not_before: Option<Timestamp>,
    /// Which of its access tokens are credentials here; `None`: none is.
    pub access_tokens: Option<AccessTokenRules>,
    /// Which of its people may sign in, here or with an ID token.
    pub sign_in_policy: SignInPolicy,
    /// How people are signed in there; `None`: they are not.
    pub sign_in: Option<SignInSettings>,
}

/// The members there may be.
const MEMBERS: &str = "`issuer`, `audience`, `jwks_uri`, `algorithms`, `subject_prefix`, `claims`, \
                       `clock_tolerance`, `not_before`, `access_tokens`, `provider`, `allow`, `deny`, \
                       `trust_email`, `client_id`, `name`, `title`, `client_secret_name`, \
                       `client_authentication`, `client_assertion_audience`, `scope`, `authorization`, \
                       `endpoints`, `redirect_uri`, `pushed_authorization_requests`, `userinfo` and \
                       `frontchannel_logout`";

/// Beyond this, tokens live on for longer than anybody expects.
const MAX_TOLERANCE: Duration = Duration::from_secs(10 * 60);

/// A duration as all settings have it, or a whole number of seconds.
fn span_or_seconds(value: Value) -> Result<Duration, InvalidValue> {
    let what = "a duration like `60 seconds`, of 10 minutes at most";
    let span = match &value {
        Value::String(text) => parse_span(text).ok(),
        value => value.as_u64().map(Duration::from_secs),
    };
    let span = span.filter(|span| *span <= MAX_TOLERANCE);
    let got = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    span.ok_or_else(|| InvalidValue::expected(what, &got()))
}

impl TrustedIssuer {
    /// Reads the list. `own` is the guard's own `iss`.
    ///
    /// # Errors
    /// Which of them is at fault, and what to change.
    pub fn parse_list(json: &str, own: &str) -> Result<Vec<Self>, InvalidValue> {
        let mut all: Vec<Self> = Vec::new();
        for (index, item) in setting_value::items(json, "issuers")?.into_iter().enumerate() {
            let read = Self::parse(item, own).and_then(|it| it.beside(&all).map(|()| it));
            all.push(read.map_err(|error| error.in_item(index))?);
        }
        Ok(all)
    }

    fn parse(json: Value, own: &str) -> Result<Self, InvalidValue> {
        let (json, preset) = presets::complete(json)?;
        let mut read = Self::like_most();
        let mut sign_in = Map::new();
        for (name, value) in object(json)? {
            match sign_in::MEMBERS.contains(&name.as_str()) {
                true => drop(sign_in.insert(name, value)),
                false => {
                    read.read_member(&name, value).map_err(|error| error.in_member(&name))?;
                }
            }
        }
        if !sign_in.is_empty() {
            let names = preset.map(presets::Preset::names);
            read.sign_in = Some(sign_in::parse(sign_in, &read.issuer, names)?);
        }
        read.is_whole()?;
        check_issuer(&read.issuer, own).map_err(|error| error.in_member("issuer"))?;
        read.complete_sign_in()?;
        if let Some(rules) = &mut read.access_tokens {
            rules
                .complete(&read.issuer, preset)
                .map_err(|error| error.in_member("access_tokens"))?;
        }
        read.check_other_names(own)?;
        Ok(read)
    }

    fn read_member(&mut self, name: &str, value: Value) -> Result<(), InvalidValue> {
        match name {
            "issuer" => self.issuer = issuer(value)?,
            "audience" => self.audience = audience(value)?,
            "jwks_uri" => self.jwks_uri = Some(jwks_uri(value)?),
            "algorithms" => self.algorithms = algorithms(value)?,
            "subject_prefix" => self.subject_prefix = subject_prefix(value)?,
            "claims" => self.claims = claims(value)?,
            "clock_tolerance" => self.clock_tolerance = span_or_seconds(value)?,
            "not_before" => self.not_before = Some(not_before(value)?),
            "access_tokens" => self.access_tokens = Some(AccessTokenRules::parse(value)?),
            "allow" => self.sign_in_policy.allow = sign_in_policy::rules(value)?,
            "deny" => self.sign_in_policy.deny = sign_in_policy::rules(value)?,
            "trust_email" => self.sign_in_policy.trust_email = flag(value)?,
            _ => return Err(InvalidValue::new(format!("unknown member; expected {MEMBERS}"))),
        }
        Ok(())
    }

    /// Are the members there that are required? Without ID tokens, `audience` is not, if access tokens are accepted; nor
    /// is `jwks_uri`, if these have a shared secret. Neither is where people are signed in.
    fn is_whole(&self) -> Result<(), InvalidValue> {
        let rules = self.access_tokens.as_ref();
        let has_secret = rules.is_some_and(|rules| rules.secret_name.is_some());
        let missing = if self.issuer.is_empty() {
            "issuer"
        } else if self.sign_in.is_some() {
            return Ok(());
        } else if self.audience.is_empty() && rules.is_none() {
            "audience"
        } else if self.jwks_uri.is_none() && !(has_secret && self.audience.is_empty()) {
            "jwks_uri"
        } else {
            return Ok(());
        };
        Err(InvalidValue::new("is required").in_member(missing))
    }

    /// What the members say together of people who are signed in at the provider.
    fn complete_sign_in(&mut self) -> Result<(), InvalidValue> {
        let Some(sign_in) = &self.sign_in else { return Ok(()) };
        let is_plain = sign_in.is_plain_oauth();
        let of_tokens = [
            ("audience", !self.audience.is_empty()),
            ("jwks_uri", self.jwks_uri.is_some()),
            ("access_tokens", self.access_tokens.is_some()),
        ];
        if let Some((name, _)) = of_tokens.into_iter().find(|(_, is_set)| is_plain && *is_set) {
            let reason = "is of no use where `userinfo` is a mapping: such a provider has no tokens that could \
                          be verified; leave it out";
            return Err(InvalidValue::new(reason).in_member(name));
        }
        if self.audience.is_empty() && !is_plain {
            self.audience = vec![sign_in.client_id.clone()];
        }
        if !is_plain && !self.audience.contains(&sign_in.client_id) {
            let reason =
                "needs `client_id` among its values, or the ID tokens of sign-ins are refused";
            return Err(InvalidValue::new(reason).in_member("audience"));
        }
        if ProviderMetadata::of_settings(self).is_none() {
            web_url(&self.issuer).map_err(|error| error.in_member("issuer"))?;
        }
        Ok(())
    }

    /// Every `iss` that its tokens may have.
    fn names(&self) -> impl Iterator<Item = &String> {
        let others = self.access_tokens.iter().flat_map(|rules| rules.issuers.iter().skip(1));
        std::iter::once(&self.issuer).chain(others)
    }

    fn check_other_names(&self, own: &str) -> Result<(), InvalidValue> {
        let checked = self.names().skip(1).try_for_each(|name| check_issuer(name, own));
        checked.map_err(|error| error.in_member("issuers").in_member("access_tokens"))
    }

    /// What is left out is as most providers have it.
    fn like_most() -> Self {
        let claims = ["email", "email_verified", "name", "preferred_username", "groups", "roles"];
        Self {
            issuer: String::new(),
            audience: Vec::new(),
            jwks_uri: None,
            // OpenID Connect Core 1.0, section 2.
            algorithms: vec!["RS256".into()],
            subject_prefix: None,
            claims: claims.map(str::to_owned).into(),
            clock_tolerance: Duration::from_secs(60),
            not_before: None,
            access_tokens: None,
            sign_in_policy: SignInPolicy::default(),
            sign_in: None,
        }
    }

    /// The name in the paths of its sign-in.
    fn sign_in_name(&self) -> Option<&str> {
        self.sign_in.as_ref().map(|it| it.name.as_str())
    }

    /// Can it stand in the list behind these?
    fn beside(&self, others: &[Self]) -> Result<(), InvalidValue> {
        let has_name_of =
            |other: &Self| self.names().any(|name| other.names().any(|it| it == name));
        let (name, reason) = if others.iter().any(|other| other.issuer == self.issuer) {
            ("issuer", "is listed twice; name all its audiences in one list")
        } else if others.iter().any(has_name_of) {
            ("issuer", "has an `iss` that another entry accepts, too; see `issuers` of both")
        } else if others
            .iter()
            .any(|other| other.sign_in.is_some() && other.sign_in_name() == self.sign_in_name())
        {
            ("name", "another entry has the same one; give each a `name` of its own")
        } else if others.iter().any(|other| self.subjects_overlap(other)) {
            let reason = "its users could be taken for another issuer's; give both a prefix, \
                          neither the beginning of the other, or, if their users are the same, \
                          the same one";
            ("subject_prefix", reason)
        } else {
            return Ok(());
        };
        Err(InvalidValue::new(reason).in_member(name))
    }

    /// Could a user of the one have the `sub` of a user of the other, against what was meant?
    fn subjects_overlap(&self, other: &Self) -> bool {
        match (&self.subject_prefix, &other.subject_prefix) {
            (Some(one), Some(two)) => one != two && (one.starts_with(two) || two.starts_with(one)),
            _ => true,
        }
    }

    /// Does it issue tokens that can be verified? Plain OAuth does not.
    pub fn has_tokens(&self) -> bool {
        !self.sign_in.as_ref().is_some_and(SignInSettings::is_plain_oauth)
    }

    /// Our `sub` for one of the issuer's users; `None` if it would be too long.
    pub fn subject(&self, sub: &str) -> Option<Subject> {
        let prefix = self.subject_prefix.as_deref().unwrap_or_default();
        Subject::try_from(format!("{prefix}{sub}")).ok()
    }

    /// The issuer's own `sub` of one of ours; `None` if it is none of its users, or would be nobody.
    pub fn own_sub<'a>(&self, sub: &'a Subject) -> Option<&'a str> {
        let prefix = self.subject_prefix.as_deref().unwrap_or_default();
        sub.as_str().strip_prefix(prefix).filter(|own| !own.is_empty())
    }
}

const NAME: &str = "the provider's `iss`, which is not ISSUER";

fn issuer(value: Value) -> Result<String, InvalidValue> {
    let issuer = text(value)?;
    if issuer.is_empty() { Err(InvalidValue::expected(NAME, &issuer)) } else { Ok(issuer) }
}

fn check_issuer(issuer: &str, own: &str) -> Result<(), InvalidValue> {
    if issuer == own {
        return Err(InvalidValue::expected(NAME, issuer));
    }
    if issuer.contains(['{', '}']) {
        let what = "the `iss` as tokens have it, with an entry for each tenant";
        return Err(InvalidValue::expected(what, issuer));
    }
    Ok(())
}

fn jwks_uri(value: Value) -> Result<String, InvalidValue> {
    let url = text(value)?;
    web_url(&url).map(|_| url)
}

fn subject_prefix(value: Value) -> Result<Option<String>, InvalidValue> {
    if value.is_null() { Ok(None) } else { text(value).map(Some) }
}

fn not_before(value: Value) -> Result<Timestamp, InvalidValue> {
    parse_moment(&text(value)?)
}

fn audience(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = text_or_texts(value)?;
    match all.is_empty() || all.iter().any(String::is_empty) {
        true => Err(InvalidValue::new("expected what the provider calls this site, got nothing")),
        false => Ok(all),
    }
}

fn algorithms(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    let what = format!("one of {}", ALGORITHMS_OF_PROVIDERS.join(", "));
    if all.is_empty() {
        return Err(InvalidValue::new(format!("expected at least {what}")));
    }
    match all.iter().position(|alg| !ALGORITHMS_OF_PROVIDERS.contains(&alg.as_str())) {
        Some(index) => Err(InvalidValue::expected(&what, &all[index]).in_item(index)),
        None => Ok(all),
    }
}

fn claims(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    match all.iter().position(|name| REGISTERED.contains(&name.as_str())) {
        Some(index) => {
            let what = "a claim that the guard does not set itself";
            Err(InvalidValue::expected(what, &all[index]).in_item(index))
        }
        None => Ok(all),
    }
}

/// The issuer whose users are known by a prefix that this `sub` begins with. Only the issuer itself,
/// or who speaks for it, may log them in.
pub fn issuer_of<'a>(sub: &Subject, issuers: &'a [TrustedIssuer]) -> Option<&'a TrustedIssuer> {
    issuers.iter().find(|issuer| {
        let prefix = issuer.subject_prefix.as_deref().unwrap_or_default();
        !prefix.is_empty() && sub.as_str().starts_with(prefix)
    })
}

/// An identity provider, and what is known of its keys.
pub struct Issuer {
    /// What the settings say.
    pub trusted: TrustedIssuer,
    /// The keys that it publishes.
    pub keyring: IssuerKeyCache,
    /// What it says of itself, if people are signed in there.
    pub metadata: ProviderMetadataCache,
    /// The key that is made of its shared secret, if there is one.
    shared: Option<PublishedKeys>,
}

/// Says nothing of the keys.
impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("trusted", &self.trusted).finish_non_exhaustive()
    }
}

impl Issuer {
    /// An identity provider of which no published keys are known yet.
    pub fn new(trusted: TrustedIssuer) -> Self {
        let (keyring, shared) = (IssuerKeyCache::default(), trusted.shared_key());
        let metadata = ProviderMetadataCache::of(ProviderMetadata::of_settings(&trusted));
        Self { trusted, keyring, metadata, shared }
    }

    /// The shared key, if it alone may have signed what claims this algorithm.
    pub fn shared_key(&self, alg: &str) -> Option<&PublishedKeys> {
        self.shared.as_ref().filter(|_| alg == SHARED_ALGORITHM)
    }
}

/// The one algorithm of a shared secret.
const SHARED_ALGORITHM: &str = "HS256";

#[cfg(test)]
pub(crate) mod tests;
