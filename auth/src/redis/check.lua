-- ARGV: now, sid, idle timeout in milliseconds or 0, then the jti of the token that is used, if one is.
-- Returns the record, or nil.
local record = redis.call('HGET', KEYS[1], ARGV[2])
local timeout, jti = tonumber(ARGV[3]), ARGV[4]
-- Within a text, a quotation mark has a backslash before it.
local is_unused = record and jti and record:find('"unused":true', 1, true)
if record and (timeout > 0 or is_unused) then
  local session = cjson.decode(record)
  local slides = timeout > 0 and now - session.seen >= timeout / 10
  local learns = session.unused and session.jti == jti
  if is_live(session) and (slides or learns) then
    if learns then session.unused = nil end
    if slides then session.seen, session.idle_expires = now, now + timeout end
    local changed = cjson.encode(session)
    local reply = redis.pcall('HSET', KEYS[1], ARGV[2], changed)
    local why = type(reply) == 'table' and reply.err
    if not why then return changed end
    -- A full Redis shuts out nobody who is logged in: the session stays as it is. Upstash says
    -- `quota exceeded`.
    if not (why:find('OOM', 1, true) or why:find('quota exceeded', 1, true)) then return reply end
  end
end
return record
