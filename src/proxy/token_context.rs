//! What all requests with one token share, made once for each token and kept in the token cache.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use auth::config::Mode;
use auth::decision::{HeaderFilter, Principal};
use auth::session::Session;
use auth::store::{CommandResult, StoreError};
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::js_memo::{JsMemo, MAX_BYTES, bytes_of};
use crate::proxy::request_context::RequestContext;
use crate::stores::{StoreReply, StoreResult, reply_from_js};

#[wasm_bindgen(module = "/src/proxy/token_context.js")]
extern "C" {
    /// JavaScript's half.
    #[wasm_bindgen(js_name = TokenContext)]
    pub type JsTokenContext;

    #[wasm_bindgen(constructor, js_class = "TokenContext")]
    fn new(
        token: &str,
        object_name: &str,
        before: &str,
        after: Option<&str>,
        session: &str,
        identity: &str,
    ) -> JsTokenContext;

    #[wasm_bindgen(method, setter, js_class = "TokenContext", js_name = lastReply)]
    fn set_last_reply(this: &JsTokenContext, reply: &str);

    #[wasm_bindgen(method, js_class = "TokenContext", js_name = adoptReply)]
    fn adopt_reply(this: &JsTokenContext, other: &JsTokenContext);

    #[wasm_bindgen(method, setter, js_class = "TokenContext", js_name = lastHeaderNames)]
    fn set_last_header_names(this: &JsTokenContext, names: &str);
}

/// What all requests with one token and the same rights of its session share.
pub struct TokenContext {
    /// JavaScript's half.
    pub js: JsTokenContext,
    /// The log fields of the last request.
    pub log_fields: JsMemo,
    /// The headers that the last request set beside the identity.
    pub set_headers: JsMemo,
    /// Has the store known the session at an earlier request with this token? Until then, the check of a provider's
    /// token is sent so that an unknown session begins.
    pub is_known: Cell<bool>,
    /// What the store's last reply says. JavaScript has the reply itself.
    session: RefCell<Option<Rc<Session>>>,
    /// What the last header names say. JavaScript has the names themselves.
    header_filter: RefCell<Option<Rc<HeaderFilter>>>,
    /// How many bytes are held by what was made at first, the last reply and the last header names.
    bytes: [Cell<usize>; 3],
}

impl TokenContext {
    /// The context of the caller's token.
    pub fn of(app: &App, caller: &Principal) -> Rc<Self> {
        caller.token().context(|| Self::new(app, caller))
    }

    fn new(app: &App, caller: &Principal) -> Self {
        let (user, sid, idle_timeout) = (caller.user(), caller.sid(), caller.idle_timeout());
        let (object_name, frame) =
            app.store.check_frame(user, sid, caller.token_to_check(), idle_timeout);
        let identity = caller.token().identity().iter();
        let identity: Vec<_> = identity.map(|(name, value)| [&**name, value].join(": ")).collect();
        let session = session_line(app, caller);
        let (after, identity) = (frame.after.as_deref(), identity.join("\n"));
        let token = caller.token().text();
        let js =
            JsTokenContext::new(token, &object_name, &frame.before, after, &session, &identity);
        let texts = [token, &object_name, &frame.before, after.unwrap_or_default(), &session];
        let made = size_of::<Self>() + texts.map(bytes_of).iter().sum::<usize>();
        Self {
            js,
            log_fields: JsMemo::default(),
            set_headers: JsMemo::default(),
            is_known: Cell::default(),
            session: RefCell::default(),
            header_filter: RefCell::default(),
            bytes: [made + bytes_of(&identity), 0, 0].map(Cell::new),
        }
    }

    /// Tells the token cache how many bytes this holds now.
    pub fn count_bytes(&self, app: &App, caller: &Principal) {
        let bytes: usize = self.bytes.iter().map(Cell::get).sum();
        let bytes = bytes + self.log_fields.bytes() + self.set_headers.bytes();
        app.guard.tokens().set_context_bytes(caller.token(), bytes);
    }

    /// The session of the store's last reply, if it is kept.
    pub fn last_session(&self) -> Option<Rc<Session>> {
        self.session.borrow().clone()
    }

    /// Did the session have rights of its own in the store's last reply?
    pub fn has_rights(&self) -> bool {
        self.session.borrow().as_ref().is_some_and(|session| session.rights.is_some())
    }

    /// Keeps the store's last reply that another context has kept: that of the same token with other rights.
    pub fn adopt_reply(&self, other: &Self) {
        self.js.adopt_reply(&other.js);
        self.session.replace(other.last_session());
        self.bytes[1].set(other.bytes[1].get());
    }

    /// The store's answer to a check. `body` is `None` if the reply is the last one word for word.
    pub fn answer(
        &self,
        app: &App,
        status: i32,
        body: Option<String>,
        read: impl FnOnce(&StoreReply) -> Option<StoreResult>,
    ) -> Option<StoreResult> {
        let Some(body) = body else {
            let lost = || StoreError::Unreadable("the last reply is not kept any more".into());
            let session = self.last_session();
            return Some(
                session.map(|session| CommandResult::Found(Some(session))).ok_or_else(lost),
            );
        };
        let reply = reply_from_js(status, body, app.guard.settings().store_timeout);
        let outcome = read(&reply);
        if let Some(Ok(CommandResult::Found(Some(session)))) = &outcome
            && let Ok((_, body)) = &reply
            && body.len() <= MAX_BYTES
        {
            // JavaScript first, because it may throw: its reply must never stand beside another one's session.
            self.js.set_last_reply(body);
            self.session.replace(Some(Rc::clone(session)));
            self.bytes[1].set(size_of::<Session>() + bytes_of(body));
        }
        outcome
    }

    /// Which headers of a request are forwarded. `names` is [`RequestContext::header_names`], `None` if they are the
    /// last ones.
    pub fn header_filter(
        &self,
        app: &App,
        context: &RequestContext,
        names: Option<String>,
    ) -> Rc<HeaderFilter> {
        if names.is_none()
            && let Some(filter) = &*self.header_filter.borrow()
        {
            return Rc::clone(filter);
        }
        let names = names.unwrap_or_else(|| context.header_names());
        let filter = app.guard.header_filter(&names);
        if names.len() <= MAX_BYTES {
            self.js.set_last_header_names(&names);
            self.header_filter.replace(Some(Rc::clone(&filter)));
            self.bytes[2].set(filter.bytes() + 3 * names.len());
        }
        filter
    }
}

/// The session for `watchSession`, which [`watch_session`](crate::services::watch_session) reads; empty if nothing
/// is enforced.
fn session_line(app: &App, caller: &Principal) -> String {
    if app.guard.settings().mode == Mode::Monitor {
        return String::new();
    }
    let user = serde_json::to_string(caller.user().as_str()).unwrap_or_default();
    [caller.sid().as_str(), &user].join(" ")
}
