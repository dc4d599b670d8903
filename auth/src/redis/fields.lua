-- All fields of a user's hash and their values. A script, because the primary answers it.
return redis.call('HGETALL', KEYS[1])
