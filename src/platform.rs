//! What the runtime has and the `worker` crate lacks, each with what would make it go away.

use js_sys::{JSON, Reflect};
use wasm_bindgen::prelude::*;
use worker::EnvBinding;

#[wasm_bindgen]
extern "C" {
    /// A setting or binding of any type. `Env::var` takes texts alone, but wrangler.toml numbers and lists,
    /// too. It can go when `worker` has a way to read a variable of any type as text.
    pub type Binding;
}

impl EnvBinding for Binding {
    const TYPE_NAME: &'static str = "";

    fn get(value: JsValue) -> worker::Result<Self> {
        Ok(value.unchecked_into())
    }
}

impl Binding {
    /// A setting's text: what is none itself, as JSON.
    pub fn text(&self) -> Option<String> {
        self.as_string().or_else(|| JSON::stringify(self).ok()?.as_string())
    }

    /// Is it a service binding?
    pub fn is_worker(&self) -> bool {
        Reflect::get(self, &"fetch".into()).is_ok_and(|fetch| fetch.is_function())
    }
}
