-- ARGV: now, sid, idle timeout in milliseconds, 0 for none, `-` if it is not used, then optionally the jti of the presented token.
-- Returns the record, or nil.
local record = redis.call('HGET', KEYS[1], ARGV[2])
return record and touch(record, ARGV[2], tonumber(ARGV[3]), ARGV[4])
