-- Replaces all fields of a user's hash, if they are as expected. ARGV: when the key expires, in milliseconds since the
-- Unix epoch, or 0 if never; the number of fields; each field and the SHA-1 of its value; then each new field and its
-- value. Returns 1, or 0 if the fields have changed.
local all, texts, count = redis.call('HGETALL', KEYS[1]), {}, tonumber(ARGV[2])
for i = 1, #all, 2 do texts[all[i]] = all[i + 1] end
if #all ~= 2 * count then return 0 end
for i = 3, 2 + 2 * count, 2 do
  local text = texts[ARGV[i]]
  if not text or redis.sha1hex(text) ~= ARGV[i + 1] then return 0 end
end

-- Writing comes first: if Redis is full, it fails, and nothing has changed.
for i = 3 + 2 * count, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  texts[ARGV[i]] = nil
end
for name in pairs(texts) do redis.call('HDEL', KEYS[1], name) end
if ARGV[1] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return 1
