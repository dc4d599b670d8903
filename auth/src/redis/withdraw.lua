-- KEYS[1]: a note. ARGV[1]: what it must say to be taken away.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return ''
