-- An entry is a user in base64url, a colon, a sid. KEYS: the entries in their order; the entries by
-- deadline; how many each user has. They expire with the last entry. ARGV: what to do, now, and what
-- that needs. Returns text.

local function drop(entry)
  if redis.call('ZREM', KEYS[2], entry) == 0 then return end
  redis.call('ZREM', KEYS[1], entry)
  local user = entry:match('^[^:]*')
  if redis.call('HINCRBY', KEYS[3], user, -1) < 1 then redis.call('HDEL', KEYS[3], user) end
end

for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2], 'LIMIT', 0, 1000)) do
  drop(entry)
end

-- The entry that has begun or '', its deadline, then those that are over.
if ARGV[1] == 'record' then
  -- These first: they need no memory, and where there is none the script ends at the next write.
  for i = 5, #ARGV do drop(ARGV[i]) end
  if ARGV[3] ~= '' and redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) == 1 then
    redis.call('ZADD', KEYS[1], 0, ARGV[3])
    redis.call('HINCRBY', KEYS[3], ARGV[3]:match('^[^:]*'), 1)
  end
  local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
  for _, key in ipairs(last and KEYS or {}) do redis.call('PEXPIREAT', key, last) end
  return ''
end

-- The user behind whom to begin or '', how many users. Returns a line for each, with their sids.
if ARGV[1] == 'page' then
  local users, from = {}, ARGV[3] == '' and '-' or '[' .. ARGV[3] .. ';'
  while #users < tonumber(ARGV[4]) do
    local first = redis.call('ZRANGEBYLEX', KEYS[1], from, '+', 'LIMIT', 0, 1)[1]
    if not first then break end
    local user = first:match('^[^:]*')
    -- A semicolon follows the colon, so this is past all of the user's entries.
    from = '[' .. user .. ';'
    local found = { user }
    for i, entry in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], '[' .. first, '(' .. user .. ';')) do
      found[i + 1] = entry:sub(#user + 2)
    end
    users[#users + 1] = table.concat(found, ' ')
  end
  return table.concat(users, '\n')
end

return redis.call('HLEN', KEYS[3]) .. ' ' .. redis.call('ZCARD', KEYS[2])
