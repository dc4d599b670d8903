-- ARGV: now, sid, idle timeout in milliseconds, 0 for none, `-` if it is not used, then optionally the jti of the presented token.
-- Returns the record, nil, or `moved`.
local record = redis.call('HGET', KEYS[1], ARGV[2])
if not record then return is_closed() and 'moved' end
return touch(record, ARGV[2], tonumber(ARGV[3]), ARGV[4])
