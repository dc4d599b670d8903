//! Headers that name the address of an origin at `ORIGIN_URL`: see [`auth::url_rewrite`].

use auth::config::{Origin, Settings};
use auth::url_rewrite;
use wasm_bindgen::prelude::*;

use crate::app::App;

#[wasm_bindgen(module = "/src/proxy/url_rewrite.js")]
extern "C" {
    #[wasm_bindgen(js_name = configureUrlRewrite)]
    fn configure_url_rewrite(rewrites_urls: bool, rewrites_origin: bool);
}

/// Tells JavaScript which headers to look at.
pub fn configure(settings: &Settings) {
    configure_url_rewrite(matches!(settings.origin, Origin::Url(_)), settings.rewrite_origin);
}

/// A URL in a response header, with the site's address in place of the origin's; `undefined` if it names another.
/// `request` is the request's URL.
#[wasm_bindgen(js_name = toSiteUrl)]
pub fn to_site_url(url: &str, request: &str) -> Option<String> {
    let app = App::loaded()?;
    let Origin::Url(origin) = &app.guard.settings().origin else { return None };
    url_rewrite::renamed(url, origin, &url_rewrite::site_of(request))
}

/// The value of `Origin` or `Referer`, with the origin's address in place of the site's; `undefined` if it names
/// another.
#[wasm_bindgen(js_name = toOriginUrl)]
pub fn to_origin_url(value: &str, request: &str) -> Option<String> {
    let app = App::loaded()?;
    let Origin::Url(origin) = &app.guard.settings().origin else { return None };
    url_rewrite::from_own_page(value, &url_rewrite::site_of(request), origin)
}
