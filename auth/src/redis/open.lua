-- ARGV: now, the new session as JSON, limit (0: none), tombstones to keep.
-- Returns the records of the sessions that it superseded.
local new, limit, all, live, ended = cjson.decode(ARGV[2]), tonumber(ARGV[3]), records(true), {}, {}
for _, session in ipairs(all) do
  if is_live(session) then live[#live + 1] = session end
end
if limit > 0 then
  for i = 1, #live + 1 - limit do
    ended[i] = finish(live[i], { why = 'superseded', at = now, by = new.device })
  end
end
redis.call('HSET', KEYS[1], new.sid, ARGV[2])
all[#all + 1] = new
tidy(all, tonumber(ARGV[4]))
return ended
