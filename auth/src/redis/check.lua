-- ARGV: now, sid, idle timeout in milliseconds or ''. Returns the record, or nil.
local record = redis.call('HGET', KEYS[1], ARGV[2])
local timeout = tonumber(ARGV[3])
if record and timeout then
  local session = cjson.decode(record)
  if is_live(session) and now - session.seen >= timeout / 10 then
    session.seen = now
    session.idle_expires = now + timeout
    local moved = cjson.encode(session)
    local reply = redis.pcall('HSET', KEYS[1], ARGV[2], moved)
    local why = type(reply) == 'table' and reply.err
    if not why then return moved end
    -- A full Redis shuts out nobody who is logged in: the deadline stays where it is. Upstash says
    -- `quota exceeded`.
    if not (why:find('OOM', 1, true) or why:find('quota exceeded', 1, true)) then return reply end
  end
end
return record
