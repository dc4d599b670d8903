//! Who has sent a request, if the guard does not run at Cloudflare, which would say it in a header.

use auth::client_address::AddressSource;
use auth::config::Settings;
use auth::http::Target;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::request_context::RequestContext;
use crate::startup;

#[wasm_bindgen(module = "/src/proxy/client_address.js")]
extern "C" {
    #[wasm_bindgen(js_name = configureClientAddress)]
    fn configure_client_address(is_named: bool);
}

/// Says whether the settings name whose word counts.
pub fn configure(settings: &Settings) {
    configure_client_address(settings.address_source != AddressSource::Cloudflare);
}

/// Finds out who has sent a request, before the decision cache is asked about it. If the settings are wrong, the
/// request is refused later.
#[wasm_bindgen(js_name = findSender)]
pub fn find_sender(context: &RequestContext, env: &Env) {
    let Ok(app) = startup::load(env) else { return };
    let (setting, peer) = (app.guard.settings().address_source.clone(), context.peer());
    let source = if peer.is_some() { setting.outside_cloudflare() } else { setting };
    let sender = source.sender(peer.as_deref(), |name| context.header(name));
    let Some(sender) = sender else { return };
    let url = context.url();
    let url = match sender.is_https {
        None => url,
        Some(is_https) => with_scheme(&url, is_https),
    };
    let address = sender.address.map(|it| it.to_string());
    context.sent_by(&url, address.as_deref(), sender.keeps_cloudflare);
}

fn with_scheme(url: &str, is_https: bool) -> String {
    let (site, scheme) = (Target::site_of(url), if is_https { "https" } else { "http" });
    let host = site.split_once("://").map_or(site, |(_, host)| host);
    format!("{scheme}://{host}{}", &url[site.len()..])
}
