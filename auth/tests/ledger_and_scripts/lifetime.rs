//! How long a user's hash lives in Redis, and what it costs to keep somebody out.

use super::*;

/// One user's hash in a Redis.
struct Hash {
    server: Server,
    redis: Redis,
    user: Subject,
}

impl Hash {
    fn new() -> Self {
        let redis = Redis::new("test:", ReadConsistency::Strong);
        let user = Subject::try_from("ada".to_owned()).unwrap();
        Self { server: Server::start(), redis, user }
    }

    fn apply(&mut self, command: &Command) -> CommandResult {
        let reply = self.server.send(&self.redis.request_with_text(&self.user, command));
        Redis::answer(command, 200, &reply).unwrap_or_else(|error| panic!("{error:?}: {reply}"))
    }

    /// The time by Redis's clock, because it lets the key expire by that.
    fn today(&mut self) -> Timestamp {
        let (seconds, _): (u64, u64) =
            redis::cmd("TIME").query(&mut self.server.connection).unwrap();
        Timestamp::from_millis(seconds * 1000)
    }

    fn fields(&mut self) -> Vec<String> {
        self.server.records(&self.redis.key(&self.user)).into_keys().collect()
    }

    /// How long the key lives after this moment, in whole seconds; `None`: for ever.
    fn lives(&mut self, after: Timestamp) -> Option<u64> {
        let at = self.server.expires(&self.redis.key(&self.user))?;
        Some(Timestamp::from_millis(at).since(after).as_secs())
    }
}

/// The admission of a session that idles for an hour at most.
fn admission(sid: &str, readmit: bool, deny_until: Timestamp, now: Timestamp) -> Command {
    let text = json!({
        "sid": sid, "jti": "", "created": now, "seen": now, "expires": now.plus(20 * YEAR),
        "idle_expires": now.plus(HOUR), "device": "desktop", "deny_until": deny_until, "readmit": readmit,
    });
    Command::Admit {
        session: serde_json::from_value(text).unwrap(),
        limit: None,
        authenticated: now,
        idle_timeout: Some(HOUR),
        now,
    }
}

/// What a user's hash holds, and how long it lives.
#[test]
fn the_hash_of_a_user_lives_as_long_as_something_must_be_kept_out() {
    let minute = 60;
    let hour = HOUR.as_secs();
    let mut hash = Hash::new();
    let now = hash.today();
    let before = Timestamp::from_millis(now.millis() - 1_800_000);
    hash.apply(&admission("soft", true, Timestamp::FAR_FUTURE, before));
    assert_eq!((hash.fields(), hash.lives(before)), (vec!["soft".into()], Some(hour + minute)));
    // Its idle deadline moves, and the key's with it.
    hash.apply(&admission("soft", true, Timestamp::FAR_FUTURE, now));
    let lives = hash.lives(now).unwrap();
    assert!((hour + minute..hour + minute + 5).contains(&lives), "{lives}");

    hash.apply(&admission("bounded", false, now.plus(48 * HOUR), now));
    assert_eq!(hash.lives(now), Some(48 * hour));
    hash.apply(&admission("hard", false, Timestamp::FAR_FUTURE, now));
    assert_eq!(hash.lives(now), Some(YEAR.as_secs()), "after the user was last seen");

    let later = now.plus(HOUR / 2);
    let ending = SessionEnd::Revoked { at: later };
    hash.apply(&Command::end(SessionSelector::All, ending));
    assert_eq!(hash.fields(), ["bounded", "hard", "soft"], "tombstones");
    let much_later = later.plus(100 * HOUR);
    hash.apply(&admission("new", true, Timestamp::FAR_FUTURE, much_later));
    assert_eq!(hash.fields(), ["!", "!hard", "!soft", "new"]);
    assert_eq!(hash.lives(much_later), Some(YEAR.as_secs()));

    let block = |block| Command::Block { block, now: much_later };
    hash.apply(&block(Some(Block { reason: None, until: None, at: much_later })));
    assert_eq!(hash.lives(now), None, "a block without an end");
    hash.apply(&block(None));
    assert_eq!(hash.lives(much_later), Some(YEAR.as_secs()));
}

/// The provider goes on refreshing: each day the key lives on, though nothing else is written.
#[test]
fn the_hash_of_a_user_who_is_kept_out_lives_on_while_the_user_comes() {
    let mut hash = Hash::new();
    let now = hash.today();
    hash.apply(&admission("a", false, Timestamp::FAR_FUTURE, now));
    hash.apply(&Command::end(SessionSelector::All, SessionEnd::Revoked { at: now }));
    for days in [1, 2, 300] {
        let then = now.plus(24 * HOUR * days);
        assert!(matches!(
            hash.apply(&admission("a", false, Timestamp::FAR_FUTURE, then)),
            CommandResult::Denied(_)
        ));
        assert_eq!(hash.fields(), ["!", "!a"]);
        // By Redis's clock, which has not moved.
        let lives = hash.lives(now).unwrap();
        assert!(lives >= YEAR.as_secs() - 5, "{days}: {lives}");
    }
}

/// A thousand denials are not read for the check of a live session, nor for one who is kept out.
#[test]
fn a_thousand_denials_of_a_user_cost_little() {
    let mut hash = Hash::new();
    let now = hash.today();
    for number in 0..1_000 {
        let (sid, deny_until) = (sid(number), Timestamp::FAR_FUTURE);
        let unseen = Some(UnseenSession { sid: sid.clone(), deny_until });
        let which = SessionSelector::One(sid);
        let ending = SessionEnd::Revoked { at: now };
        hash.apply(&Command::End { which, ending, unseen, admits_unseen: false });
    }
    assert_eq!(hash.fields().len(), 1_001);
    hash.apply(&admission("live", false, Timestamp::FAR_FUTURE, now));
    let live = Command::Check {
        sid: Sid::try_from("live".to_owned()).unwrap(),
        jti: None,
        idle_timeout: Some(HOUR),
        is_use: true,
        now,
    };
    let mut time = |command: &Command| {
        redis::cmd("CONFIG").arg("RESETSTAT").query::<()>(&mut hash.server.connection).unwrap();
        for _ in 0..50 {
            hash.apply(command);
        }
        let mut info = redis::cmd("INFO");
        let stats: String = info.arg("commandstats").query(&mut hash.server.connection).unwrap();
        let (_, spent) = stats.split_once("cmdstat_eval:calls=50,usec=").unwrap();
        Duration::from_micros(spent.split_once(',').unwrap().0.parse().unwrap()) / 50
    };
    let check = time(&live);
    let known = time(&admission("live", false, Timestamp::FAR_FUTURE, now));
    let denied = time(&admission("sid-7", false, Timestamp::FAR_FUTURE, now));
    let listed = time(&Command::List { now });
    println!("a check {check:?}, known {known:?}, denied {denied:?}, a list {listed:?}");
    for quick in [check, known, denied] {
        assert!(quick < listed, "{quick:?} is not quicker than reading all in {listed:?}");
    }
    assert!(listed < Duration::from_millis(50), "{listed:?}");
}
