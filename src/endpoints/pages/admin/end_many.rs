//! The end of many sessions: which, how many that are, and how far it is.

use std::rc::Rc;

use askama::Template;
use auth::admin::EndManyForm;
use auth::device::DeviceClass;
use auth::form_proof::FIELD;
use auth::user_index::Cursor;
use auth::words::{Admin, fill};
use web_sys::Response;

use super::{Page, Writer, short};
use crate::app::App;
use crate::endpoints::admin::console::Caller;
use crate::request::RequestHead;

#[derive(Template)]
#[template(path = "admin/end_form.html")]
struct FormPage<'a> {
    page: &'a Page<'a>,
    words: &'a Admin,
    proof: &'a str,
    /// Could the criteria not be used?
    is_wrong: bool,
    devices: Vec<Choice>,
    issuers: Vec<Choice>,
    idle_days: &'a str,
    created_before: &'a str,
    users: &'a str,
    all: bool,
}

/// A box, of which several may be checked.
struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "admin/end.html")]
struct EndPage<'a> {
    page: &'a Page<'a>,
    words: &'a Admin,
    criteria: Vec<String>,
    /// What is going on, if it is not over.
    busy: Option<&'a str>,
    found: String,
    among: Option<String>,
    left_alone: Vec<String>,
    /// The fields of the form that goes on.
    fields: Vec<(&'static str, String)>,
    is_count: bool,
    /// Behind which user it goes on.
    next: Option<&'a str>,
    /// The button that ends them.
    end_them: Option<String>,
}

/// The form, with what was typed already.
pub fn end_many_form(
    app: &App,
    head: &RequestHead,
    caller: &Caller,
    typed: &[(&'static str, String)],
    is_wrong: bool,
) -> Response {
    let page = Page::new(app, head);
    let writer = Writer::new(&page);
    let words = Rc::clone(&writer.words);
    let is_typed = |name: &str, value: &str| typed.iter().any(|it| it.0 == name && it.1 == value);
    let text = |name| typed.iter().find(|it| it.0 == name).map_or("", |it| it.1.as_str());
    let devices = DeviceClass::ALL.iter().map(|class| Choice {
        value: class.name().into(),
        text: writer.devices.kind(*class).to_owned(),
        is_chosen: is_typed("devices", class.name()),
    });
    let issuers = app.guard.settings().trusted_issuers.iter().map(|it| Choice {
        value: it.issuer.clone(),
        text: it.issuer.clone(),
        is_chosen: is_typed("issuers", &it.issuer),
    });
    let template = FormPage {
        page: &page,
        words: &words,
        proof: &caller.proof,
        is_wrong,
        devices: devices.collect(),
        issuers: issuers.collect(),
        idle_days: text("idle_days"),
        created_before: text("created_before"),
        users: text("users"),
        all: is_typed("all", "true"),
    };
    page.respond(if is_wrong { 400 } else { 200 }, &template, &[])
}

/// What was found or done so far; with the form that goes on behind `cursor`, or that ends what was counted.
pub fn end_many(
    app: &App,
    head: &RequestHead,
    caller: &Caller,
    form: &EndManyForm,
    cursor: Option<&Cursor>,
) -> Response {
    let page = Page::new(app, head);
    let is_count = form.asked.dry_run;
    let page = if cursor.is_some() { page.with_script() } else { page };
    let writer = Writer::new(&page);
    let words = Rc::clone(&writer.words);
    let [sessions, users, spared] = form.found;
    let is_over = cursor.is_none();
    let text = if is_count { &words.would_end } else { &words.has_ended };
    let found = match (is_count, is_over, sessions) {
        (true, true, 0) => words.would_end_none.clone(),
        _ => writer.counts(text, users, sessions),
    };
    let busy = if is_count { &words.counting } else { &words.ending };
    let names = form.among.join(", ");
    let mut left_alone = Vec::new();
    if spared > 0 {
        left_alone.push(writer.count(&words.spared, spared));
    }
    left_alone.push(words.own_stays.clone());
    let mut fields = match is_count && is_over {
        true => EndManyForm { found: [0; 3], among: Vec::new(), ..form.clone() }.fields(),
        false => form.fields(),
    };
    fields.push((FIELD, caller.proof.clone()));
    let template = EndPage {
        page: &page,
        words: &words,
        criteria: writer.criteria(&form.criteria),
        busy: (!is_over).then_some(busy),
        found,
        among: (!names.is_empty()).then(|| fill(&words.among, &[("names", &names)])),
        left_alone,
        fields,
        is_count,
        next: cursor.map(Cursor::as_str),
        end_them: (is_count && sessions > 0).then(|| writer.count(&words.end_them, sessions)),
    };
    page.respond(200, &template, &[])
}

impl Writer<'_> {
    /// The criteria in words.
    fn criteria(&self, criteria: &[(&'static str, String)]) -> Vec<String> {
        let words = &self.words;
        let line = |(name, value): &(&'static str, String)| {
            let label = match *name {
                "all" => return words.many_all.clone(),
                "idle_days" => &words.many_idle,
                "created_before" => &words.many_before,
                "users" => {
                    let users: Vec<&str> = value.lines().map(str::trim).collect();
                    return format!("{}: {}", words.many_users, short(&users.join(", ")));
                }
                "devices" => {
                    let class = DeviceClass::named(value).unwrap_or(DeviceClass::Other);
                    return format!("{}: {}", words.many_devices, self.devices.kind(class));
                }
                _ => &words.many_issuers,
            };
            format!("{label}: {value}")
        };
        criteria.iter().map(line).collect()
    }
}
