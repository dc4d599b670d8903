//! What the requests with one token have in common, made of it once and kept beside it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use auth::config::Mode;
use auth::decision::{HeaderFilter, Principal};
use auth::fast_compare::equal;
use auth::session::Session;
use auth::store::{CommandResult, StoreError};
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::stores::{Outcome, Reply};

#[wasm_bindgen(module = "/src/proxy/token_context.js")]
extern "C" {
    /// The half that JavaScript works with.
    #[wasm_bindgen(js_name = TokenContext)]
    pub type JsTokenContext;

    #[wasm_bindgen(constructor, js_class = "TokenContext")]
    fn new(
        token: &str,
        place: &str,
        before: &str,
        after: Option<&str>,
        session: &str,
        identity: &str,
    ) -> JsTokenContext;

    /// Remembers a reply of status 200, of which [`TokenContext`] has the answer.
    #[wasm_bindgen(method, setter, js_class = "TokenContext", js_name = reply)]
    fn set_reply(this: &JsTokenContext, reply: &str);

    /// Remembers what [`RequestContext::sent_headers`] said, of which [`TokenContext`] has the meaning.
    #[wasm_bindgen(method, setter, js_class = "TokenContext", js_name = names)]
    fn set_names(this: &JsTokenContext, names: &str);

    /// A list of names and values, of the lines of a text, `Name: value`.
    #[wasm_bindgen(js_name = headersOf)]
    pub fn headers_of(lines: &str) -> JsValue;
}

/// What is kept of a token.
pub struct TokenContext {
    /// For JavaScript.
    pub bearer: JsTokenContext,
    /// What the log said of a request with it.
    pub said: LastValue,
    /// The headers that were set on a request with it, beside its identity.
    pub set: LastValue,
    found: RefCell<Option<Rc<Session>>>,
    sent: RefCell<Option<Rc<HeaderFilter>>>,
    /// How many bytes hold what was made at first, the last reply, and the last names.
    bytes: [Cell<usize>; 3],
}

/// What is longer is not kept, so that no token takes much of what all of them may: see
/// [`Tokens::keeps`](auth::token::Tokens::keeps).
const MOST_BYTES: usize = 2000;

/// What JavaScript has of a text takes up to two bytes for each of UTF-8, and a list of its lines as much as
/// this for each.
const LINE_BYTES: usize = 100;

/// How many bytes hold a text here and in JavaScript.
fn bytes_of(text: &str) -> usize {
    3 * text.len() + LINE_BYTES * text.lines().count()
}

/// What JavaScript has of a text, which is mostly the same as the last time, so that it need not
/// cross again.
#[derive(Default)]
pub struct LastValue(RefCell<Option<(String, Rc<JsValue>)>>);

impl LastValue {
    fn bytes(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, |(text, _)| bytes_of(text))
    }

    /// What `make` makes, or made, of this text.
    pub fn of(&self, text: String, make: impl FnOnce(&str) -> JsValue) -> Rc<JsValue> {
        if text.len() > MOST_BYTES {
            return Rc::new(make(&text));
        }
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((before, value)) if equal(before, &text) => Rc::clone(value),
            _ => {
                let value = Rc::new(make(&text));
                *last = Some((text, Rc::clone(&value)));
                value
            }
        }
    }
}

impl TokenContext {
    /// What is kept of the caller's token.
    pub fn of(app: &App, caller: &Principal) -> Rc<Self> {
        caller.token().context(|| {
            let idle_timeout = app.guard.settings().idle_timeout;
            let jti = &caller.token().name().jti;
            let (user, sid) = (caller.user(), caller.sid());
            let (place, frame) = app.store.check_frame(user, sid, jti, idle_timeout);
            let identity = caller.token().identity().iter();
            let identity: Vec<_> =
                identity.map(|(name, value)| [&**name, value].join(": ")).collect();
            let session = session_line(app, caller);
            let (after, identity) = (frame.after.as_deref(), identity.join("\n"));
            let token = caller.token().text();
            let bearer =
                JsTokenContext::new(token, &place, &frame.before, after, &session, &identity);
            let texts = [token, &place, &frame.before, after.unwrap_or_default(), &session];
            let made = size_of::<Self>() + texts.map(bytes_of).iter().sum::<usize>();
            let bytes = [made + bytes_of(&identity), 0, 0].map(Cell::new);
            let (said, set) = (LastValue::default(), LastValue::default());
            Self { bearer, said, set, found: RefCell::default(), sent: RefCell::default(), bytes }
        })
    }

    /// Has what is kept counted among what the tokens hold.
    pub fn count(&self, app: &App, caller: &Principal) {
        let bytes: usize = self.bytes.iter().map(Cell::get).sum();
        let bytes = bytes + self.said.bytes() + self.set.bytes();
        app.guard.tokens().set_context_bytes(caller.token(), bytes);
    }

    /// The session that the store's last reply told of, if that is remembered.
    pub fn found(&self) -> Option<Rc<Session>> {
        self.found.borrow().clone()
    }

    /// The store's answer to a check: mostly the last one word for word, of which the body then need
    /// not cross.
    pub fn answer(
        &self,
        status: i32,
        body: Option<String>,
        read: impl FnOnce(&Reply) -> Option<Outcome>,
    ) -> Option<Outcome> {
        let Some(body) = body else {
            let found = self.found();
            let lost =
                || StoreError::Unreadable("what it said before is not known any more".into());
            return Some(found.map(|session| CommandResult::Found(Some(session))).ok_or_else(lost));
        };
        let reply = Reply { status, body };
        let outcome = read(&reply);
        if let Some(Ok(CommandResult::Found(Some(session)))) = &outcome
            && reply.body.len() <= MOST_BYTES
        {
            // First what may throw: the one must never be remembered with the other's last meaning.
            self.bearer.set_reply(&reply.body);
            self.found.replace(Some(Rc::clone(session)));
            self.bytes[1].set(size_of::<Session>() + bytes_of(&reply.body));
        }
        outcome
    }

    /// Which headers of a request go on: mostly the same as the last time, so that their names need
    /// not cross.
    pub fn sent(
        &self,
        app: &App,
        passage: &RequestContext,
        names: Option<String>,
    ) -> Rc<HeaderFilter> {
        if names.is_none()
            && let Some(sent) = &*self.sent.borrow()
        {
            return Rc::clone(sent);
        }
        let names = names.unwrap_or_else(|| passage.sent_headers());
        let sent = app.guard.header_filter(&names);
        if names.len() <= MOST_BYTES {
            self.bearer.set_names(&names);
            self.sent.replace(Some(Rc::clone(&sent)));
            self.bytes[2].set(sent.bytes() + 3 * names.len());
        }
        sent
    }
}

/// The session for [`PendingCheck::watch`](crate::proxy::handler::PendingCheck::watch); empty where its end decides nothing.
fn session_line(app: &App, caller: &Principal) -> String {
    if app.guard.settings().mode == Mode::Monitor {
        return String::new();
    }
    let user = serde_json::to_string(caller.user().as_str()).unwrap_or_default();
    [caller.sid().as_str(), &user].join(" ")
}
