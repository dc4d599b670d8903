-- KEYS[1]: a counter. ARGV[1]: a window's name. Takes one count of this window back, if it is still open.
if redis.call('HGET', KEYS[1], 'window') == ARGV[1] and redis.call('HGET', KEYS[1], 'count') ~= '0' then
  redis.call('HINCRBY', KEYS[1], 'count', -1)
end
return ''
