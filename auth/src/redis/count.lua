-- Increments a counter with a fixed window, unless the window is full. KEYS[1]: the counter. ARGV: the
-- limit per window, the window's length in milliseconds, the name for a new window, which starts with
-- the first attempt. Returns as text: the count including this attempt, the milliseconds until the
-- window ends, and its name.
local remaining = redis.call('PTTL', KEYS[1])
local count, window = 0, ARGV[3]
if remaining < 0 then
  remaining = tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'window', window, 'count', 0)
  redis.call('PEXPIRE', KEYS[1], remaining)
else
  count = tonumber(redis.call('HGET', KEYS[1], 'count'))
  window = redis.call('HGET', KEYS[1], 'window')
end
if count < tonumber(ARGV[1]) then redis.call('HINCRBY', KEYS[1], 'count', 1) end
return count + 1 .. ' ' .. remaining .. ' ' .. window
