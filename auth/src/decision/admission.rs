//! Step 4 for a provider's token: a session that the store has never heard of begins with its first request.

use super::{Guard, Principal};
use crate::limit::LimitPolicy;
use crate::login::{self, ClientInfo, SessionLifetimes};
use crate::session::Session;
use crate::store::{Command, CommandResult, StoreError};
use crate::time::Timestamp;
use crate::token::ProviderToken;

impl Guard {
    /// The command that checks the session of a provider's token, and begins it if the store has never heard of it;
    /// `None` for a token of our own, whose session a login has begun. `client` is the request's.
    pub fn admission(&self, caller: &Principal, client: ClientInfo) -> Option<Command> {
        let provider = caller.token.provider()?;
        let (settings, now) = (&self.settings, caller.now);
        let session = self.admitted_session(caller, provider, client);
        let reach = self.token_acceptance_window();
        let limit = settings.session_limit.for_device(session.device, settings.limit_policy, reach);
        Some(Command::Admit {
            session: Box::new(session),
            limit,
            authenticated: provider.authenticated,
            idle_timeout: caller.idle_timeout,
            now,
        })
    }

    /// May a session that has not begun, because the limit is reached, end others of its user?
    pub fn lets_newcomers_end_sessions(&self) -> bool {
        self.settings.limit_policy == LimitPolicy::Ask
    }

    fn admitted_session(
        &self,
        caller: &Principal,
        provider: &ProviderToken,
        client: ClientInfo,
    ) -> Session {
        let lifetimes = SessionLifetimes {
            session: provider.session_ttl(),
            idle: Some(self.settings.provider_idle_timeout()),
            has_own_idle: false,
            persistent: true,
        };
        let session =
            login::admitted_session(&caller.token, provider, client, lifetimes, caller.now);
        // Without an idle timeout in the settings, a session that is not used is forgotten, and begins anew.
        Session { readmit: self.settings.idle_timeout.is_none(), ..session }
    }
}

impl Principal {
    /// Is the session still to begin, as far as this answer to a check says? Only that of a provider's token can.
    pub fn needs_admission(
        &self,
        answer: &Result<CommandResult, StoreError>,
        now: Timestamp,
    ) -> bool {
        let Ok(CommandResult::Found(found)) = answer else { return false };
        self.token.provider().is_some() && found.as_ref().is_none_or(|it| it.has_lapsed(now))
    }
}
