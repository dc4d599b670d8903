-- KEYS[1]: a counter. ARGV[1]: the window in milliseconds, which begins with the first count.
-- Returns in text the count, this one included, and the milliseconds until the window ends.
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return count .. ' ' .. left
