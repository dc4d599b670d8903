-- KEYS[1]: a counter. ARGV: how many may pass in a window, its length in milliseconds, the name of a new
-- one, which begins with its first count. Counts once more, unless the window is full. Returns in text
-- the count, this one included, the milliseconds until the window ends, and its name.
local left = redis.call('PTTL', KEYS[1])
local count, window = 0, ARGV[3]
if left < 0 then
  left = tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'window', window, 'count', 0)
  redis.call('PEXPIRE', KEYS[1], left)
else
  count = tonumber(redis.call('HGET', KEYS[1], 'count'))
  window = redis.call('HGET', KEYS[1], 'window')
end
if count < tonumber(ARGV[1]) then redis.call('HINCRBY', KEYS[1], 'count', 1) end
return count + 1 .. ' ' .. left .. ' ' .. window
