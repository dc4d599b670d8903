-- ARGV: now, sid, idle timeout in milliseconds or 0, then optionally the jti of the presented token.
-- Returns the record, or nil. Extends the idle deadline, at most once per tenth of the timeout, and
-- marks a refreshed token as used.
local record = redis.call('HGET', KEYS[1], ARGV[2])
local timeout, jti = tonumber(ARGV[3]), ARGV[4]
-- A plain search suffices: inside a JSON string, the quotation marks would be escaped.
local is_unused = record and jti and record:find('"unused":true', 1, true)
if record and (timeout > 0 or is_unused) then
  local session = cjson.decode(record)
  local extends_idle = timeout > 0 and now - session.seen >= timeout / 10
  local is_first_use = session.unused and session.jti == jti
  if is_live(session) and (extends_idle or is_first_use) then
    if is_first_use then session.unused = nil end
    if extends_idle then session.seen, session.idle_expires = now, now + timeout end
    local changed = cjson.encode(session)
    local reply = redis.pcall('HSET', KEYS[1], ARGV[2], changed)
    local failure = type(reply) == 'table' and reply.err
    if not failure then return changed end
    -- If Redis is full, the check succeeds and the session stays as it is. Upstash's error for this
    -- is `quota exceeded`.
    if not (failure:find('OOM', 1, true) or failure:find('quota exceeded', 1, true)) then return reply end
  end
end
return record
