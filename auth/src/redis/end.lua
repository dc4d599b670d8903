-- ARGV: now, the ending as JSON, `one`, `others` or `all`, sid, tombstones to keep.
-- Returns the records of the sessions that it ended.
local ending, which, all, ended = cjson.decode(ARGV[2]), ARGV[3], records(true), {}
for _, session in ipairs(all) do
  local chosen = which == 'all' or (which == 'one') == (session.sid == ARGV[4])
  if chosen and is_live(session) then ended[#ended + 1] = finish(session, ending) end
end
tidy(all, tonumber(ARGV[5]))
return ended
