//! Tokens that were verified a while ago, so that each signature is verified once per isolate.

use std::rc::Rc;

use super::verified::TokenRecord;
use crate::bounded_cache::{BoundedCache, Entry};

/// How many bytes all of them may hold, with what a platform keeps beside them: see
/// [`Tokens::set_context_bytes`](super::Tokens::set_context_bytes).
const MOST_BYTES: usize = 7 << 20;

/// The genuine tokens of one key set, by the whole of their text, signature included, because a
/// cryptographic hash of it would take a tenth of all that is done for a request. It belongs to the
/// [`Tokens`](super::Tokens) whose keys verified them, so another key set knows none of them.
#[derive(Debug)]
pub struct TokenCache(BoundedCache<Rc<TokenRecord>>);

impl Default for TokenCache {
    fn default() -> Self {
        Self(BoundedCache::new(MOST_BYTES))
    }
}

impl Entry for Rc<TokenRecord> {
    fn text(&self) -> &str {
        &self.text
    }

    fn bytes(&self) -> usize {
        TokenRecord::bytes(self)
    }
}

impl TokenCache {
    /// The token if it is remembered, or else what `verify` makes of it, which is remembered then.
    /// A token that is refused is not, or anybody could fill the memory.
    ///
    /// It is found by the end of its signature. Nobody without a key can choose what is remembered
    /// under which.
    pub fn get_or_insert_with<E>(
        &self,
        token: &str,
        verify: impl FnOnce() -> Result<TokenRecord, E>,
    ) -> Result<Rc<TokenRecord>, E> {
        let end = token.as_bytes().last_chunk().map_or(0, |end| u64::from_ne_bytes(*end));
        self.0.get_or_insert_with(end, token, || verify().map(Rc::new))
    }

    /// Counts what has come to a token since it was remembered. What goes again, and comes again, is
    /// counted once, or a token could push out others by changing.
    pub fn update_size(&self, token: &TokenRecord) {
        let (now, before) = (token.bytes_since(), token.context.counted.get());
        if now > before {
            token.context.counted.set(now);
            self.0.add_bytes(now - before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, issue, tokens};
    use super::*;
    use crate::session::Sid;
    use crate::token::TokenGrant;
    use rstest::rstest;
    use serde_json::{Value, json};
    use std::time::Duration;

    /// Verifies tokens of so many users, each with these claims, and says how many bytes are held.
    fn fill(users: usize, claims: &Value, kept: usize) -> (usize, usize) {
        let tokens = tokens(&["a"]);
        for n in 0..users {
            let grant = TokenGrant {
                sub: &format!("user-{n}").try_into().unwrap(),
                sid: &Sid::from_random([7; 16]),
                jti: "jti",
                public: claims.as_object().unwrap(),
                now: NOW,
                lifetime: Duration::from_secs(60),
            };
            let token = tokens.verify(&tokens.issue(&grant).unwrap(), NOW).unwrap();
            tokens.set_context_bytes(&token, kept);
        }
        let held = tokens.memory.0.len();
        let each = tokens.verify(&issue(&tokens, "ada"), NOW).unwrap().bytes();
        (held, each)
    }

    #[rstest]
    #[case::much_is_kept_beside_them(json!({}), 20_000)]
    #[case::many_claims(json!({ "list": vec![1; 2_000] }), 0)]
    #[case::long_claims(json!({ "text": "x".repeat(4_000) }), 5_000)]
    fn what_many_tokens_hold_is_bounded(#[case] claims: Value, #[case] kept: usize) {
        let (held, _) = fill(4_000, &claims, kept);
        let each = claims.to_string().len() + kept;
        assert!(held * each <= MOST_BYTES, "{held} tokens of {each} bytes");
        assert!(held < 4_000, "all of them are held");
    }

    #[test]
    fn a_thousand_ordinary_tokens_are_remembered() {
        let claims = json!({ "email": "ada@rowing.example", "roles": ["member", "board"] });
        let (held, each) = fill(2_000, &claims, 2_000);
        assert!(held >= 1_000, "{held}, and one takes {each} bytes");
    }

    #[test]
    fn a_token_that_changes_pushes_out_nobody() {
        let tokens = tokens(&["a"]);
        let (changing, other) = (issue(&tokens, "ada"), issue(&tokens, "ben"));
        let made = |token: &str| tokens.verify(token, NOW).unwrap().context(|| 1);
        let before = made(&other);
        for n in 0..5_000 {
            let token = tokens.verify(&changing, NOW).unwrap();
            tokens.set_context_bytes(&token, 5_000 * (n % 2));
        }
        assert!(Rc::ptr_eq(&before, &made(&other)));
    }
}
