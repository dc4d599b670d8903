//! The admin console: `GET admin`.

use super::large_section::large_section;
use super::{Plural, Section};

large_section! {
    /// The admin console. `{n}` is a number, `{ago}` like `5 minutes ago`, `{at}` a moment, and `{user}` a user's `sub`;
    /// `{users}` and `{sessions}` are their numbers, as [`Admin::users`] and [`Admin::sessions`] have them.
    pub struct Admin {
        /// The heading of the first page.
        title: String,
        /// How many users; has `{n}`.
        users: Plural,
        /// How many sessions; has `{n}`.
        sessions: Plural,
        /// How many are signed in; has `{users}` and `{sessions}`.
        counted: String,
        /// Leads to the first page.
        all_users: String,
        /// The field of a search.
        search: String,
        /// What it finds.
        search_hint: String,
        /// Searches.
        find: String,
        /// Nobody is signed in.
        nobody: String,
        /// Nobody who is signed in has such a name.
        none_found: String,
        /// Nobody on a page that is not the last is signed in any more.
        none_here: String,
        /// Leads to the next page.
        next: String,
        /// Leads to the first page of a list.
        first: String,
        /// Marks an admin.
        admin: String,
        /// Marks the caller.
        you: String,
        /// Marks the session of the caller.
        this_session: String,
        /// Marks a user who is blocked.
        blocked: String,
        /// Says that a user is not signed in.
        not_signed_in: String,
        /// The heading of the last refusals.
        refused: String,
        /// Nothing was refused.
        refused_none: String,
        /// The settings do not say where to ask; has `{account}`, `{token}` and `{command}`.
        refused_not_set_up: String,
        /// There is no answer.
        refused_unknown: String,
        /// The heading of the column of codes.
        code: String,
        /// The heading of the column of counts.
        requests: String,
        /// The heading of the column of the last time.
        last: String,
        /// When a session began; has `{at}`.
        signed_in: String,
        /// When a session expires; has `{at}`.
        expires: String,
        /// Where its user signed in; has `{issuer}`.
        signed_in_by: String,
        /// Shows more of it.
        details: String,
        /// Ends one session.
        end: String,
        /// Ends all sessions of a user, after a question.
        end_all: String,
        /// What that does; has `{n}`.
        end_all_means: Plural,
        /// Why the caller may not end these sessions: the user is an admin.
        is_admin: String,
        /// The caller may only look.
        only_look: String,
        /// The heading of a user's rights.
        rights: String,
        /// They are those of the token.
        rights_of_token: String,
        /// They stand in place of those of the token.
        rights_set: String,
        /// Who can change them.
        rights_change: String,
        /// The heading of the block.
        block: String,
        /// What it does.
        block_means: String,
        /// Why; it is not shown to the user.
        reason: String,
        /// For how long.
        span: String,
        /// Without an end.
        forever: String,
        /// Spans to choose from.
        one_hour: String,
        /// Spans to choose from.
        one_day: String,
        /// Spans to choose from.
        one_week: String,
        /// Spans to choose from.
        thirty_days: String,
        /// Blocks the user.
        block_user: String,
        /// Since when the user is blocked; has `{ago}` and `{at}`.
        blocked_since: String,
        /// Until when; has `{at}`.
        blocked_until: String,
        /// Until somebody lifts it.
        blocked_forever: String,
        /// Why; has `{reason}`.
        blocked_why: String,
        /// Lifts the block.
        unblock: String,
        /// The heading of sessions that are over.
        ended: String,
        /// A newer login took its place; has `{ago}`, `{at}` and `{with}`.
        superseded: String,
        /// It was ended; has `{ago}` and `{at}`.
        revoked: String,
        /// It was ended, because an old token of it was used; has `{ago}` and `{at}`.
        reused: String,
        /// A deadline has passed; has `{ago}` and `{at}`.
        expired: String,
        /// Says what a form has done; has `{n}`.
        done_ended: Plural,
        /// There was nothing to end any more.
        done_nothing: String,
        /// A call ends a number of sessions at most.
        done_partly: String,
        /// The user is blocked now.
        done_blocked: String,
        /// The user is not blocked any more.
        done_unblocked: String,
        /// The heading of the page to end many sessions.
        many: String,
        /// How its criteria work.
        many_intro: String,
        /// A criterion: these users.
        many_users: String,
        /// A criterion: these kinds of device.
        many_devices: String,
        /// A criterion: signed in at one of these providers.
        many_issuers: String,
        /// A criterion: not used for so many days.
        many_idle: String,
        /// A criterion: began before a day.
        many_before: String,
        /// All sessions of all users.
        many_all: String,
        /// Counts them.
        many_count: String,
        /// The criteria cannot be used.
        many_wrong: String,
        /// Sessions are being counted.
        counting: String,
        /// Sessions are being ended.
        ending: String,
        /// Goes on with the next users.
        go_on: String,
        /// What would end; has `{sessions}` and `{users}`.
        would_end: String,
        /// What has ended so far, or in all; has `{sessions}` and `{users}`.
        has_ended: String,
        /// Nothing would end.
        would_end_none: String,
        /// Some of the users; has `{names}`.
        among: String,
        /// Users who are left alone; has `{n}`.
        spared: Plural,
        /// The caller's own session stays.
        own_stays: String,
        /// Ends them; has `{n}`.
        end_them: Plural,
        /// Leads back to the criteria.
        other_criteria: String,
    }
}

impl Section for Admin {
    const NAME: &'static str = "admin";
}
