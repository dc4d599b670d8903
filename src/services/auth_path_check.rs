//! In monitor mode the origin is asked whether `AUTH_PATH` hides something of its own.

use auth::config::Mode;
use auth::route::Target;
use wasm_bindgen::prelude::*;

use crate::app::App;

#[wasm_bindgen(module = "/src/services/background.js")]
extern "C" {
    #[wasm_bindgen(js_name = warnIfTaken)]
    fn warn_if_taken(site: &str, auth_path: &str);
}

/// Asks once an isolate, after the answer to the request for this URL.
pub fn look_once(app: &App, url: &str) {
    let settings = app.guard.settings();
    if settings.mode == Mode::Monitor && !app.looked.replace(true) {
        warn_if_taken(Target::site_of(url), &settings.auth_path);
    }
}
