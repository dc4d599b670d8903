-- Decrements a counter if its window is still open. KEYS[1]: the counter. ARGV[1]: the window's name.
if redis.call('HGET', KEYS[1], 'window') == ARGV[1] and redis.call('HGET', KEYS[1], 'count') ~= '0' then
  redis.call('HINCRBY', KEYS[1], 'count', -1)
end
return ''
