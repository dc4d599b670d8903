//! The guard's own endpoints, one file each, and their dispatch.

pub mod admin;
pub mod backchannel_logout;
pub mod events;
pub mod frontchannel_logout;
pub mod health;
pub mod introspect;
pub mod jwks;
pub mod login;
pub mod logout;
pub mod pages;
pub mod refresh;
pub mod resource_metadata;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod sign_in_callback;

use std::rc::Rc;

use auth::refusal::Refusal;
use auth::route::Endpoint;

use crate::app::App;
use crate::proxy::cors;
use crate::proxy::verdict::{Verdict, respond, respond_later};
use crate::request::RequestHead;
use crate::response;

/// A form of the guard's pages has another content type.
const FORM: Refusal = Refusal::BadRequest("Send a form as `application/x-www-form-urlencoded`.");

/// Dispatches a request to its endpoint.
pub fn answer(app: Rc<App>, endpoint: Endpoint, head: RequestHead) -> Verdict {
    let request = head.context().request();
    match endpoint {
        // The proxy's half is done: see `handler.rs`.
        Endpoint::Verify => respond(&response::refusal(&Refusal::NotFound), None),
        Endpoint::StyleSheet => respond(&pages::style::show(&app, &head), None),
        Endpoint::ClientScript => respond(&pages::client(&head), None),
        Endpoint::PagesScript => respond(&pages::script(&head), None),
        Endpoint::KeySet => respond(&jwks::show(&app), None),
        Endpoint::ResourceMetadata => respond(&resource_metadata::show(&app, &head), None),
        Endpoint::Preflight => respond(&cors::preflight(&app), None),
        Endpoint::LoginPage => respond_later(async move { pages::login::show(&app, &head).await }),
        Endpoint::Login => respond_later(async move { login::log_in(&app, &request, &head).await }),
        Endpoint::SignIn | Endpoint::SignInByForm => {
            respond_later(async move { sign_in::begin(&app, &request, &head).await })
        }
        Endpoint::SignInCallback => {
            respond_later(async move { sign_in_callback::end(&app, &head).await })
        }
        Endpoint::Logout => respond_later(async move { logout::log_out(&app, &head).await }),
        Endpoint::Refresh => respond_later(async move { refresh::refresh(&app, &head).await }),
        Endpoint::BackchannelLogout => {
            respond_later(async move { backchannel_logout::log_out(&app, &request, &head).await })
        }
        Endpoint::LoggedOut => respond(&pages::logged_out::show(&app, &head), None),
        Endpoint::FrontchannelLogout => {
            respond_later(async move { frontchannel_logout::log_out(&app, &head).await })
        }
        Endpoint::Introspect => {
            respond_later(async move { introspect::show(&app, &request, &head).await })
        }
        Endpoint::Revoke => {
            respond_later(async move { introspect::revoke(&app, &request, &head).await })
        }
        Endpoint::Admin => respond_later(async move { admin::serve(&app, &request, &head).await }),
        Endpoint::Console => respond_later(async move { admin::console::users(&app, &head).await }),
        Endpoint::Session => respond_later(async move { session::show(&app, &head).await }),
        Endpoint::SessionData => {
            respond_later(async move { session::patch(&app, &request, &head).await })
        }
        Endpoint::Sessions => respond_later(async move { sessions::list(&app, &head).await }),
        Endpoint::EndOwnSessions => {
            respond_later(async move { sessions::end_by_form(&app, &request, &head).await })
        }
        Endpoint::EndSession => respond_later(async move { sessions::end_one(&app, &head).await }),
        Endpoint::Events => respond_later(async move { events::open(&app, &head).await }),
        Endpoint::Health => respond_later(async move { health::show(&app).await }),
    }
}
