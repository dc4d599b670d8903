//! The admin console: `GET admin`.

use serde::Deserialize;

use super::{Plural, Section};

/// The admin console. `{n}` is a number, `{ago}` like `5 minutes ago`, `{at}` a moment, and `{user}` a user's `sub`;
/// `{users}` and `{sessions}` are their numbers, as [`Admin::users`] and [`Admin::sessions`] have them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The heading of the first page.
    pub title: String,
    /// How many users; has `{n}`.
    pub users: Plural,
    /// How many sessions; has `{n}`.
    pub sessions: Plural,
    /// How many are signed in; has `{users}` and `{sessions}`.
    pub counted: String,
    /// Leads to the first page.
    pub all_users: String,
    /// The field of a search.
    pub search: String,
    /// What it finds.
    pub search_hint: String,
    /// Searches.
    pub find: String,
    /// Nobody is signed in.
    pub nobody: String,
    /// Nobody who is signed in has such a name.
    pub none_found: String,
    /// Nobody on a page that is not the last is signed in any more.
    pub none_here: String,
    /// Leads to the next page.
    pub next: String,
    /// Leads to the first page of a list.
    pub first: String,
    /// Marks an admin.
    pub admin: String,
    /// Marks the caller.
    pub you: String,
    /// Marks the session of the caller.
    pub this_session: String,
    /// Marks a user who is blocked.
    pub blocked: String,
    /// Says that a user is not signed in.
    pub not_signed_in: String,
    /// The heading of the last refusals.
    pub refused: String,
    /// Nothing was refused.
    pub refused_none: String,
    /// The settings do not say where to ask; has `{account}`, `{token}` and `{command}`.
    pub refused_not_set_up: String,
    /// There is no answer.
    pub refused_unknown: String,
    /// The heading of the column of codes.
    pub code: String,
    /// The heading of the column of counts.
    pub requests: String,
    /// The heading of the column of the last time.
    pub last: String,
    /// When a session began; has `{at}`.
    pub signed_in: String,
    /// When a session expires; has `{at}`.
    pub expires: String,
    /// Where its user signed in; has `{issuer}`.
    pub signed_in_by: String,
    /// Shows more of it.
    pub details: String,
    /// Ends one session.
    pub end: String,
    /// Ends all sessions of a user, after a question.
    pub end_all: String,
    /// What that does; has `{n}`.
    pub end_all_means: Plural,
    /// Why the caller may not end these sessions: the user is an admin.
    pub is_admin: String,
    /// The caller may only look.
    pub only_look: String,
    /// The heading of a user's rights.
    pub rights: String,
    /// They are those of the token.
    pub rights_of_token: String,
    /// They stand in place of those of the token.
    pub rights_set: String,
    /// Who can change them.
    pub rights_change: String,
    /// The heading of the block.
    pub block: String,
    /// What it does.
    pub block_means: String,
    /// Why; it is not shown to the user.
    pub reason: String,
    /// For how long.
    pub span: String,
    /// Without an end.
    pub forever: String,
    /// Spans to choose from.
    pub one_hour: String,
    /// Spans to choose from.
    pub one_day: String,
    /// Spans to choose from.
    pub one_week: String,
    /// Spans to choose from.
    pub thirty_days: String,
    /// Blocks the user.
    pub block_user: String,
    /// Since when the user is blocked; has `{ago}` and `{at}`.
    pub blocked_since: String,
    /// Until when; has `{at}`.
    pub blocked_until: String,
    /// Until somebody lifts it.
    pub blocked_forever: String,
    /// Why; has `{reason}`.
    pub blocked_why: String,
    /// Lifts the block.
    pub unblock: String,
    /// The heading of sessions that are over.
    pub ended: String,
    /// A newer login took its place; has `{ago}`, `{at}` and `{with}`.
    pub superseded: String,
    /// It was ended; has `{ago}` and `{at}`.
    pub revoked: String,
    /// It was ended, because an old token of it was used; has `{ago}` and `{at}`.
    pub reused: String,
    /// A deadline has passed; has `{ago}` and `{at}`.
    pub expired: String,
    /// Says what a form has done; has `{n}`.
    pub done_ended: Plural,
    /// There was nothing to end any more.
    pub done_nothing: String,
    /// A call ends a number of sessions at most.
    pub done_partly: String,
    /// The user is blocked now.
    pub done_blocked: String,
    /// The user is not blocked any more.
    pub done_unblocked: String,
    /// The heading of the page to end many sessions.
    pub many: String,
    /// How its criteria work.
    pub many_intro: String,
    /// A criterion: these users.
    pub many_users: String,
    /// A criterion: these kinds of device.
    pub many_devices: String,
    /// A criterion: signed in at one of these providers.
    pub many_issuers: String,
    /// A criterion: not used for so many days.
    pub many_idle: String,
    /// A criterion: began before a day.
    pub many_before: String,
    /// All sessions of all users.
    pub many_all: String,
    /// Counts them.
    pub many_count: String,
    /// The criteria cannot be used.
    pub many_wrong: String,
    /// Sessions are being counted.
    pub counting: String,
    /// Sessions are being ended.
    pub ending: String,
    /// Goes on with the next users.
    pub go_on: String,
    /// What would end; has `{sessions}` and `{users}`.
    pub would_end: String,
    /// What has ended so far, or in all; has `{sessions}` and `{users}`.
    pub has_ended: String,
    /// Nothing would end.
    pub would_end_none: String,
    /// Some of the users; has `{names}`.
    pub among: String,
    /// Users who are left alone; has `{n}`.
    pub spared: Plural,
    /// The caller's own session stays.
    pub own_stays: String,
    /// Ends them; has `{n}`.
    pub end_them: Plural,
    /// Leads back to the criteria.
    pub other_criteria: String,
}

impl Section for Admin {
    const NAME: &'static str = "admin";
}
