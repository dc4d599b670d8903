-- The index of users. An entry is a user in base64url, a colon and a sid. KEYS: the entries in
-- lexical order; the entries by deadline; the number of entries per user. The keys expire with the
-- last entry. ARGV: the operation, now, and the operation's arguments. Returns text.

local function remove(entry)
  if redis.call('ZREM', KEYS[2], entry) == 0 then return end
  redis.call('ZREM', KEYS[1], entry)
  local user = entry:match('^[^:]*')
  if redis.call('HINCRBY', KEYS[3], user, -1) < 1 then redis.call('HDEL', KEYS[3], user) end
end

for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2], 'LIMIT', 0, 1000)) do
  remove(entry)
end

-- `record`. ARGV[3..]: a new entry or '', its deadline, then the entries to remove.
if ARGV[1] == 'record' then
  -- Removal comes first because it needs no memory: if Redis is full, the next write fails.
  for i = 5, #ARGV do remove(ARGV[i]) end
  if ARGV[3] ~= '' and redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) == 1 then
    redis.call('ZADD', KEYS[1], 0, ARGV[3])
    redis.call('HINCRBY', KEYS[3], ARGV[3]:match('^[^:]*'), 1)
  end
  local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
  for _, key in ipairs(last and KEYS or {}) do redis.call('PEXPIREAT', key, last) end
  return ''
end

-- Adds a line for each user in a range of entries, up to `most` lines: the user and its sids.
local function add(users, from, to, most)
  while #users < most do
    local first = redis.call('ZRANGEBYLEX', KEYS[1], from, to, 'LIMIT', 0, 1)[1]
    if not first then break end
    local user = first:match('^[^:]*')
    -- `;` sorts directly after `:`, so this skips the rest of the user's entries.
    from = '[' .. user .. ';'
    local line = { user }
    for i, entry in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], '[' .. first, '(' .. user .. ';')) do
      line[i + 1] = entry:sub(#user + 2)
    end
    users[#users + 1] = table.concat(line, ' ')
  end
end

-- `page`. ARGV[3..]: the last user of the previous page or '', the number of users.
if ARGV[1] == 'page' then
  local users = {}
  add(users, ARGV[3] == '' and '-' or '[' .. ARGV[3] .. ';', '+', tonumber(ARGV[4]))
  return table.concat(users, '\n')
end

-- `search`. The same, and how the users' names begin. No name has a `~`, which sorts behind all that they have.
if ARGV[1] == 'search' then
  local users, last = {}, ARGV[3]
  for i = 5, #ARGV do
    local start = ARGV[i]
    local from = last ~= '' and last:sub(1, #start) == start and last .. ';' or start
    add(users, '[' .. from, '(' .. start .. '~', tonumber(ARGV[4]))
  end
  return table.concat(users, '\n')
end

-- Otherwise: the number of users and of sessions.
return redis.call('HLEN', KEYS[3]) .. ' ' .. redis.call('ZCARD', KEYS[2])
