-- ARGV: now, sid, idle timeout in milliseconds or ''. Returns the record, or nil.
local record = redis.call('HGET', KEYS[1], ARGV[2])
local timeout = tonumber(ARGV[3])
if record and timeout then
  local session = cjson.decode(record)
  if is_live(session) and now - session.seen >= timeout / 10 then
    session.seen = now
    session.idle_expires = now + timeout
    record = cjson.encode(session)
    redis.call('HSET', KEYS[1], ARGV[2], record)
  end
end
return record
