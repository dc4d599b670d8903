-- ARGV: now, the new session as JSON, limit (0: none), the class of device that counts or '',
-- `evict` or `refuse`, for how long a token is taken in milliseconds, tombstones to keep, sids to end
-- whatever the limit. Returns `ended` and the records of the sessions that it superseded, or `full` and
-- those that leave no room.
local new, limit, class, evicts = cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5] == 'evict'
local reach, named = tonumber(ARGV[6]), {}
for i = 8, #ARGV do named[ARGV[i]] = true end

local all, old = records()
local counted, others = {}, {}
for _, session in ipairs(all) do
  local counts = class == '' or session.device == class
  if is_live(session) and counts and not named[session.sid] then
    -- Those that nobody can use make room first; of the others, the oldest.
    local is_out_of_reach = now >= (session.refreshed or session.created) + reach
    local list = is_out_of_reach and counted or others
    list[#list + 1] = session
  end
end
local excess = limit > 0 and math.max(#counted + #others + 1 - limit, 0) or 0
if excess > #counted and not evicts then
  local answer = { 'full' }
  for _, session in ipairs(others) do answer[#answer + 1] = cjson.encode(session) end
  return answer
end
for _, session in ipairs(others) do counted[#counted + 1] = session end

-- First of all, so that a login for which Redis has no room changes nothing.
redis.call('HSET', KEYS[1], new.sid, ARGV[2])
forget(old)
local oldest = {}
for i = 1, excess do oldest[counted[i].sid] = true end
local ended = { 'ended' }
for _, session in ipairs(all) do
  if is_live(session) and (named[session.sid] or oldest[session.sid]) then
    ended[#ended + 1] = finish(session, { why = 'superseded', at = now, by = new.device })
  end
end
all[#all + 1] = new
tidy(all, tonumber(ARGV[7]))
return ended
