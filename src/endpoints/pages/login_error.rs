//! What a page says of a refused login.

use auth::refusal::Refusal;
use auth::words::{SignIn, fill};

use super::page::Page;

/// What the page says of a refused login, if the person can do something about it.
pub fn login_error(page: &Page<'_>, refusal: &Refusal) -> Option<String> {
    let words = page.words::<SignIn>();
    Some(match refusal {
        Refusal::CredentialsInvalid => words.rejected.clone(),
        Refusal::SessionLimit { may_end: true, .. } => words.choose.clone(),
        Refusal::SessionLimit { may_end: false, .. } => words.full.clone(),
        Refusal::TooManyAttempts { wait } => {
            fill(&words.too_many_attempts, &[("when", &page.format.within(*wait))])
        }
        Refusal::UserBlocked(block) => match block.until {
            Some(until) => fill(&words.blocked_until, &[("at", &page.format.moment(until))]),
            None => words.blocked.clone(),
        },
        _ => return None,
    })
}
