-- Shared by the scripts on sessions. Each user has one hash: field = sid, value = the session as JSON.
-- The field `!` is the user's own record, `!>` what is known of moves between stores, and the fields `!{sid}` are
-- denials: no sid contains `!` or `>`.
-- KEYS[1] is that hash and the only key of every script. ARGV[1] is the current time in milliseconds.
-- The scripts implement the same rules as ledger.rs; a property test compares the two.
local now = tonumber(ARGV[1])

-- How long a record is kept past its deadline, in milliseconds: KEPT_PAST_DEADLINE in session.rs.
local kept_past_deadline = 60000

-- How long a user may be away before what has no end is deleted, in milliseconds: UNSEEN_FOR in
-- user_record.rs. The end of what has none: FAR_FUTURE in time.rs.
local unseen_for, far_future = 31536000000, 99999999999999

local function deadline(session)
  return math.min(session.expires, session.idle_expires or session.expires)
end

local function is_live(session)
  return not session.ended and now < deadline(session)
end

-- Does its next token begin it anew after its deadline?
local function lapses(session)
  return session.readmit and session.idle_expires and session.idle_expires < session.expires
end

local function forget_at(session)
  return (session.deny_until and deadline(session) or session.expires) + kept_past_deadline
end

-- Lets the key live for at least so many milliseconds.
local function extend(span)
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and left < span then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', span)) end
end

-- Are records of this user elsewhere? See transfer.rs.
local function is_closed()
  local text = redis.call('HGET', KEYS[1], '!>')
  return text and text:find('^{"closed":true')
end
