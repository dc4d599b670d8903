-- One hash per user: field = sid, value = the session as JSON. KEYS[1] is that hash and the
-- only key of every script. ARGV[1] is the present moment in milliseconds.
-- These scripts do what ledger.rs does; a test holds the two against each other.
local now = tonumber(ARGV[1])

-- Milliseconds that a record is kept past its absolute deadline, as in session.rs.
local kept = 60000

-- Milliseconds that a refreshed token stays good, as in session.rs.
local grace = 30000

-- Milliseconds after its end in which a session is told of again, as in store.rs.
local retold = 600000

local function deadline(session)
  return math.min(session.expires, session.idle_expires or session.expires)
end

local function is_live(session)
  return not session.ended and now < deadline(session)
end

-- Every record but those whose time has come or that are not under their own name, and the names of
-- these. Sorted, because the order of a hash's fields is not defined.
local function records()
  local all, found, old = redis.call('HGETALL', KEYS[1]), {}, {}
  for i = 1, #all, 2 do
    local session = cjson.decode(all[i + 1])
    if session.sid == all[i] and now < session.expires + kept then
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

-- Deletes records by name.
local function forget(sids)
  for _, sid in ipairs(sids) do redis.call('HDEL', KEYS[1], sid) end
end

-- Ends the session and returns its record as text. Where there is no room for a tombstone, nothing
-- stays: an end needs no memory.
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

-- Keeps the newest `most` records of what is no longer live, and lets the key live as long as
-- the record that is forgotten last.
local function tidy(all, most)
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
  for i = 1, #dead - most do
    dead[i].session.forgotten = true
    redis.call('HDEL', KEYS[1], dead[i].session.sid)
  end
  for _, session in ipairs(all) do
    if not session.forgotten then last = math.max(last, session.expires) end
  end
  if last > 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last + kept)) end
end
