//! What the requests with one token have in common, made of it once and kept beside it.

use std::cell::RefCell;
use std::rc::Rc;

use auth::decision::Caller;
use auth::same::same;
use auth::session::Session;
use auth::store::Answer;
use wasm_bindgen::prelude::*;

use crate::config::App;
use crate::store::{Outcome, Reply};

#[wasm_bindgen(module = "/src/bearer.js")]
extern "C" {
    /// The half that JavaScript works with.
    pub type Bearer;

    #[wasm_bindgen(constructor)]
    fn new(place: &str, before: &str, after: Option<&str>, session: &str, identity: &str)
    -> Bearer;

    /// A list of names and values, of the lines of a text, `Name: value`.
    #[wasm_bindgen(js_name = headersOf)]
    pub fn headers_of(lines: &str) -> JsValue;
}

/// What is kept of a token.
pub struct Kept {
    /// For JavaScript.
    pub bearer: Bearer,
    /// What the log said of a request with it.
    pub said: Last,
    /// The headers that were set on a request with it, beside its identity.
    pub set: Last,
    reply: RefCell<Option<(Reply, Rc<Session>)>>,
}

/// What JavaScript has of a text, which is mostly the same as the last time, so that it need not
/// cross again.
#[derive(Default)]
pub struct Last(RefCell<Option<(String, Rc<JsValue>)>>);

impl Last {
    /// What `make` makes, or made, of this text.
    pub fn of(&self, text: String, make: impl FnOnce(&str) -> JsValue) -> Rc<JsValue> {
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((before, value)) if same(before, &text) => Rc::clone(value),
            _ => {
                let value = Rc::new(make(&text));
                *last = Some((text, Rc::clone(&value)));
                value
            }
        }
    }
}

impl Kept {
    /// What is kept of the caller's token.
    pub fn of(app: &App, caller: &Caller) -> Rc<Self> {
        caller.token().kept(|| {
            let idle_timeout = app.guard.settings().idle_timeout;
            let (place, frame) = app.store.check_frame(caller.user(), caller.sid(), idle_timeout);
            let identity = caller.token().identity().iter();
            let identity: Vec<_> =
                identity.map(|(name, value)| [&**name, value].join(": ")).collect();
            let session = watch_line(app, caller);
            let after = frame.after.as_deref();
            let bearer = Bearer::new(&place, &frame.before, after, &session, &identity.join("\n"));
            let (said, set, reply) = (Last::default(), Last::default(), RefCell::default());
            Self { bearer, said, set, reply }
        })
    }

    /// Longer replies are read each time.
    const MOST_BYTES: usize = 2000;

    /// The store's answer to a check. Mostly it is the last one word for word, and to see that takes
    /// less than to read it.
    pub fn answer(&self, reply: &Reply, read: impl FnOnce() -> Option<Outcome>) -> Option<Outcome> {
        if let Some((last, session)) = &*self.reply.borrow()
            && last.status == reply.status
            && same(&last.body, &reply.body)
        {
            return Some(Ok(Answer::Found(Some(Rc::clone(session)))));
        }
        let outcome = read();
        if let Some(Ok(Answer::Found(Some(session)))) = &outcome
            && reply.body.len() <= Self::MOST_BYTES
        {
            self.reply.replace(Some((reply.clone(), Rc::clone(session))));
        }
        outcome
    }
}

/// The session for [`Pending::watch`](crate::guard::Pending::watch); empty where nobody can listen
/// for its end.
fn watch_line(app: &App, caller: &Caller) -> String {
    if app.objects.is_none() {
        return String::new();
    }
    let user = serde_json::to_string(caller.user().as_str()).unwrap_or_default();
    [caller.sid().as_str(), &user].join(" ")
}
