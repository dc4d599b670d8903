-- Deletes an entry if it has the expected value. KEYS[1]: the entry. ARGV[1]: the value.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return ''
