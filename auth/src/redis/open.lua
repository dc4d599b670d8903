-- ARGV: now, the new session as JSON, the limit (0: none), the class of device that counts or '' for
-- all, `evict` or `refuse`, the lifetime of tokens in milliseconds, tombstones to keep, then the sids to
-- end regardless of the limit. Returns `ended` and the records of the superseded sessions, or `full` and
-- the records of the sessions that use up the limit.
local new, limit, class, evicts = cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5] == 'evict'
local token_ttl, to_end = tonumber(ARGV[6]), {}
for i = 8, #ARGV do to_end[ARGV[i]] = true end

local all, old = records()
local evictable, others = {}, {}
for _, session in ipairs(all) do
  local counts = class == '' or session.device == class
  if is_live(session) and counts and not to_end[session.sid] then
    -- Sessions whose last token has expired are evicted first, then the oldest.
    local is_unusable = now >= (session.refreshed or session.created) + token_ttl
    local list = is_unusable and evictable or others
    list[#list + 1] = session
  end
end
local excess = limit > 0 and math.max(#evictable + #others + 1 - limit, 0) or 0
if excess > #evictable and not evicts then
  local answer = { 'full' }
  for _, session in ipairs(others) do answer[#answer + 1] = cjson.encode(session) end
  return answer
end
for _, session in ipairs(others) do evictable[#evictable + 1] = session end

-- The first write, so that a login changes nothing if Redis is full.
redis.call('HSET', KEYS[1], new.sid, ARGV[2])
forget(old)
local evicted = {}
for i = 1, excess do evicted[evictable[i].sid] = true end
local ended = { 'ended' }
for _, session in ipairs(all) do
  if is_live(session) and (to_end[session.sid] or evicted[session.sid]) then
    ended[#ended + 1] = finish(session, { why = 'superseded', at = now, by = new.device })
  end
end
all[#all + 1] = new
tidy(all, tonumber(ARGV[7]))
return ended
