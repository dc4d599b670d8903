//! An origin at `ORIGIN_URL` is elsewhere than its clients think: see [`auth::own_address`].

use auth::config::{Origin, Settings};
use auth::url_rewrite;
use wasm_bindgen::prelude::*;

use crate::app::App;

#[wasm_bindgen(module = "/src/proxy/url_rewrite.js")]
extern "C" {
    #[wasm_bindgen(js_name = setUp)]
    fn set_up_addresses(is_elsewhere: bool, rewrites_origin: bool);
}

/// Tells JavaScript whether any header is to be looked at.
pub fn set_up(settings: &Settings) {
    set_up_addresses(matches!(settings.origin, Origin::Url(_)), settings.rewrite_origin);
}

/// A URL of an answer's header with the site's address for the origin's; `undefined` if it does not name
/// that. `request` is the URL that is asked for.
#[wasm_bindgen]
pub fn renamed(url: &str, request: &str) -> Option<String> {
    let app = App::loaded()?;
    let Origin::Url(origin) = &app.guard.settings().origin else { return None };
    url_rewrite::renamed(url, origin, &url_rewrite::site_of(request))
}

/// `Origin` or `Referer` of a request from the site itself as if it came from the origin's; `undefined` if
/// it did not.
#[wasm_bindgen(js_name = fromOwnPage)]
pub fn from_own_page(value: &str, request: &str) -> Option<String> {
    let app = App::loaded()?;
    let Origin::Url(origin) = &app.guard.settings().origin else { return None };
    url_rewrite::from_own_page(value, &url_rewrite::site_of(request), origin)
}
