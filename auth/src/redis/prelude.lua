-- Shared by the scripts on sessions. Each user has one hash: field = sid, value = the session as JSON.
-- KEYS[1] is that hash and the only key of every script. ARGV[1] is the current time in milliseconds.
-- The scripts implement the same rules as ledger.rs; a property test compares the two.
local now = tonumber(ARGV[1])

-- How long a record is kept past its absolute deadline, in milliseconds: KEPT_PAST_DEADLINE in
-- session.rs.
local kept_past_deadline = 60000

-- How long the old token stays valid after a refresh, in milliseconds: REFRESH_GRACE in session.rs.
local refresh_grace = 30000

-- How long an end is reported again, in milliseconds: REPEAT_END_EVENTS in store.rs.
local repeat_end_events = 600000

local function deadline(session)
  return math.min(session.expires, session.idle_expires or session.expires)
end

local function is_live(session)
  return not session.ended and now < deadline(session)
end

-- Returns the records by age, and the field names of those that are past retention or stored under
-- another sid. Sorted because the order of a hash's fields is undefined.
local function records()
  local all, found, old = redis.call('HGETALL', KEYS[1]), {}, {}
  for i = 1, #all, 2 do
    local session = cjson.decode(all[i + 1])
    if session.sid == all[i] and now < session.expires + kept_past_deadline then
      found[#found + 1] = session
    else
      old[#old + 1] = all[i]
    end
  end
  table.sort(found, function(a, b)
    if a.created ~= b.created then return a.created < b.created end
    return a.sid < b.sid
  end)
  return found, old
end

-- Deletes records by sid.
local function forget(sids)
  for _, sid in ipairs(sids) do redis.call('HDEL', KEYS[1], sid) end
end

-- Ends the session and returns its record as JSON. If Redis has no memory for the tombstone, the record
-- is deleted, because ending a session must not need memory.
local function finish(session, ending)
  session.ended = ending
  local record = cjson.encode(session)
  local reply = redis.pcall('HSET', KEYS[1], session.sid, record)
  if type(reply) == 'table' and reply.err then
    redis.call('HDEL', KEYS[1], session.sid)
    session.forgotten = true
  end
  return record
end

-- Keeps the newest `max_tombstones` records of sessions that are not live, and sets the key to expire
-- with its last record.
local function tidy(all, max_tombstones)
  local dead, last = {}, 0
  for _, session in ipairs(all) do
    if not is_live(session) and not session.forgotten then
      dead[#dead + 1] = { at = session.ended and session.ended.at or deadline(session), session = session }
    end
  end
  table.sort(dead, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.session.sid < b.session.sid
  end)
  for i = 1, #dead - max_tombstones do
    dead[i].session.forgotten = true
    redis.call('HDEL', KEYS[1], dead[i].session.sid)
  end
  for _, session in ipairs(all) do
    if not session.forgotten then last = math.max(last, session.expires) end
  end
  if last > 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last + kept_past_deadline)) end
end
